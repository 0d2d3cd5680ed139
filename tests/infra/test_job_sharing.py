from tests.infra.conftest import Deployed

RULE = "JobSharing/Rule.Arn"


def test_the_jobs_are_shared_out_once_a_minute(local: Deployed) -> None:
    rule = local.resources["JobSharing/Rule"]["Properties"]
    assert (rule["Name"], rule["State"]) == ("clinical-media-local-job-sharing", "ENABLED")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    (target,) = rule["Targets"]
    assert target["Arn"] == "Functions/ShareJobs/Function.Arn"
    # A late call would only overlap the next one.
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}


def test_the_rule_and_nobody_else_may_call_the_function(local: Deployed) -> None:
    assert local.of_type("AWS::Lambda::Permission") == {
        "JobSharing/Permission": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": "Functions/ShareJobs/Function.Arn",
            "Principal": "events.amazonaws.com",
            "SourceArn": RULE,
        }
    }


def test_a_call_ends_before_the_next_one_begins(local: Deployed) -> None:
    from lambdas.share_jobs import MAXIMUM_SECONDS

    timeout = local.resources["Functions/ShareJobs/Function"]["Properties"]["Timeout"]
    assert MAXIMUM_SECONDS < timeout <= 60
