from local.aws.service_metrics import count_execution, count_invocation
from local.server import LocalAws
from tests.local.aws.metric_points import recent_points

HERE = "us-east-1:123456789012"


def test_an_ended_execution_counts_as_its_outcome_and_as_no_other(local_aws: LocalAws) -> None:
    machine = f"arn:aws:states:{HERE}:stateMachine:counted"
    for outcome in ("SUCCEEDED", "FAILED", "FAILED", "TIMED_OUT", "ABORTED"):
        count_execution(machine, outcome)
    sums = {
        name: sum(point["Sum"] for point in recent_points(local_aws, "AWS/States", name, StateMachineArn=machine))
        for name in ("ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
    }
    assert sums == {
        "ExecutionsSucceeded": 1,
        "ExecutionsFailed": 2,
        "ExecutionsTimedOut": 1,
        "ExecutionsAborted": 1,
    }


def test_invocations_and_their_errors_are_counted(local_aws: LocalAws) -> None:
    for failed in (True, False, False):
        count_invocation(f"arn:aws:lambda:{HERE}:function:counted", failed)
    for name, expected in (("Invocations", 3), ("Errors", 1)):
        points = recent_points(local_aws, "AWS/Lambda", name, FunctionName="counted")
        assert sum(point["Sum"] for point in points) == expected
