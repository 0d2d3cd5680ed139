import json
import threading
import time
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_map import state_map

from local.aws import distributed_map, map_runs
from tests.local.aws.in_process import InProcessAws, eventually
from tests.local.aws.maps import PASS, call, distributed_map_of, map_run_of

BUCKET = "manifests"


@pytest.fixture(scope="module")
def aws(aws: InProcessAws) -> InProcessAws:
    aws.client("s3").create_bucket(Bucket=BUCKET)
    return aws


ITEM_READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON"},
    "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"},
}


def counts(map_run: dict[str, Any]) -> dict[str, int]:
    assert map_run["itemCounts"] == map_run["executionCounts"]
    return {status: n for status, n in map_run["itemCounts"].items() if n}


def fail_odd(event: int) -> int:
    if event % 2:
        raise ValueError("odd")
    return event * 10


def test_outputs_come_in_item_order_whichever_child_ends_first(aws: InProcessAws, sfn: Any) -> None:
    def later_items_first(event: int) -> int:
        time.sleep((4 - event) * 0.05)
        return event * 10

    machine = aws.state_machine("order", distributed_map_of(call(aws.function("slow", later_items_first))))
    execution = aws.run(machine, input=[0, 1, 2, 3, 4])
    assert json.loads(execution["output"]) == [0, 10, 20, 30, 40]
    run = map_run_of(sfn, execution)
    assert (run["status"], counts(run)) == ("SUCCEEDED", {"succeeded": 5, "total": 5})


def test_children_are_executions_of_their_own(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("children", distributed_map_of(call(aws.function("tens", lambda n: n * 10))))
    execution = aws.run(machine, input=[1, 2])
    run = map_run_of(sfn, execution)
    assert run["mapRunArn"].startswith("arn:aws:states:us-east-1:123456789012:mapRun:children/Each:")
    assert run["executionArn"] == execution["executionArn"]
    listed = sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert len(listed) == 2 and {child["itemCount"] for child in listed} == {1}
    for child in listed:
        described = sfn.describe_execution(executionArn=child["executionArn"])
        assert child["executionArn"] == f"arn:aws:states:us-east-1:123456789012:execution:children/Each:{child['name']}"
        assert described["stateMachineArn"] == machine + "/Each"
        assert described["mapRunArn"] == run["mapRunArn"]
        assert described["status"] == "SUCCEEDED"
        assert int(described["output"]) == 10 * int(described["input"])
        history = sfn.get_execution_history(executionArn=child["executionArn"])["events"]
        assert [event["id"] for event in history] == list(range(1, len(history) + 1))
        assert [event["type"] for event in history] == [
            "ExecutionStarted", "TaskStateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted",
            "LambdaFunctionSucceeded", "TaskStateExited", "ExecutionSucceeded",
        ]  # fmt: skip
    assert [item["executionArn"] for item in sfn.list_executions(stateMachineArn=machine)["executions"]] == [
        execution["executionArn"]
    ]


def test_the_parents_history_holds_the_map_run_and_none_of_the_children(aws: InProcessAws, sfn: Any) -> None:
    execution = aws.run(aws.state_machine("parent-history", distributed_map_of(PASS)), input=[1])
    history = sfn.get_execution_history(executionArn=execution["executionArn"])["events"]
    assert [event["type"] for event in history] == [
        "ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapRunStarted", "MapRunSucceeded",
        "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded",
    ]  # fmt: skip


def test_max_concurrency_can_be_changed_while_the_map_runs(aws: InProcessAws, sfn: Any) -> None:
    running, going_on = set[int](), threading.Event()

    def wait(event: int) -> int:
        running.add(event)
        assert going_on.wait(20)
        return event

    machine = aws.state_machine("resized", distributed_map_of(call(aws.function("held", wait)), MaxConcurrency=1))
    arn = sfn.start_execution(stateMachineArn=machine, input="[1, 2, 3, 4, 5]")["executionArn"]
    eventually(lambda: running)
    (run,) = sfn.list_map_runs(executionArn=arn)["mapRuns"]
    sfn.update_map_run(mapRunArn=run["mapRunArn"], maxConcurrency=3)
    eventually(lambda: len(running) == 3)
    described = sfn.describe_map_run(mapRunArn=run["mapRunArn"])
    assert (described["maxConcurrency"], described["executionCounts"]["running"]) == (3, 3)
    sfn.update_map_run(mapRunArn=run["mapRunArn"], maxConcurrency=1)
    assert sfn.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]["running"] == 3
    going_on.set()
    assert json.loads(aws.ended(arn)["output"]) == [1, 2, 3, 4, 5]


def test_a_childs_context_is_its_own(aws: InProcessAws, sfn: Any) -> None:
    processor = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"x.$": "$$.Execution"}, "End": True}}}
    execution = aws.run(aws.state_machine("child-context", distributed_map_of(processor)), input=[{"n": 7}])
    [child] = sfn.list_executions(mapRunArn=map_run_of(sfn, execution)["mapRunArn"])["executions"]
    context = json.loads(execution["output"])[0]["x"]
    assert context["Id"] == child["executionArn"] and context["Name"] == child["name"]
    assert context["Input"] == {"n": 7}
    assert context["RedriveCount"] == 0
    assert context["StartTime"] == child["startDate"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def test_an_item_selector_sees_the_states_input_and_the_item(aws: InProcessAws) -> None:
    selector = {"batch.$": "$.batch", "item.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index"}
    machine = aws.state_machine("selector", distributed_map_of(PASS, ItemsPath="$.items", ItemSelector=selector))
    execution = aws.run(machine, input={"batch": "b", "items": ["x", "y"]})
    assert json.loads(execution["output"]) == [
        {"batch": "b", "item": "x", "index": 0},
        {"batch": "b", "item": "y", "index": 1},
    ]


@pytest.mark.parametrize("limit", [{}, {"ToleratedFailurePercentage": 0}, {"ToleratedFailureCount": 0}])
def test_a_failed_child_fails_the_map_unless_failures_are_tolerated(
    aws: InProcessAws, sfn: Any, limit: dict[str, Any]
) -> None:
    name = f"intolerant-{len(json.dumps(limit))}"
    machine = aws.state_machine(name, distributed_map_of(call(aws.function(name, fail_odd)), MaxConcurrency=1, **limit))
    execution = aws.run(machine, input=[0, 2, 3, 4, 5])
    assert execution["status"] == "FAILED"
    assert execution["error"] == "States.ExceedToleratedFailureThreshold"
    run = map_run_of(sfn, execution)
    assert (run["status"], counts(run)) == ("FAILED", {"succeeded": 2, "failed": 1, "pending": 2, "total": 5})
    [failed] = sfn.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")["executions"]
    described = sfn.describe_execution(executionArn=failed["executionArn"])
    assert (described["error"], described["input"]) == ("ValueError", "3")
    assert "odd" in described["cause"]
    history = [e["type"] for e in sfn.get_execution_history(executionArn=execution["executionArn"])["events"]]
    assert history[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]


def test_children_that_run_when_the_map_fails_are_aborted(aws: InProcessAws, sfn: Any) -> None:
    started = threading.Barrier(3)

    def fail_third(event: int) -> int:
        started.wait(5)
        if event == 2:
            raise ValueError("bad")
        return event

    call_then_wait = call(aws.function("fail-third", fail_third))
    call_then_wait["States"]["Call"] = {**call_then_wait["States"]["Call"], "End": False, "Next": "Wait"}
    del call_then_wait["States"]["Call"]["End"]
    call_then_wait["States"]["Wait"] = {"Type": "Wait", "Seconds": 100_000, "End": True}
    execution = aws.run(aws.state_machine("aborting", distributed_map_of(call_then_wait)), input=[0, 1, 2])
    assert execution["error"] == "States.ExceedToleratedFailureThreshold"
    assert counts(map_run_of(sfn, execution)) == {"aborted": 2, "failed": 1, "total": 3}


@pytest.mark.parametrize(
    ("limit", "items", "status"),
    [
        ({"ToleratedFailurePercentage": 40}, [1, 2, 4, 6, 3], "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 39}, [1, 2, 4, 6, 3], "FAILED"),
        ({"ToleratedFailurePercentage": 12.5}, [1, 2, 2, 2, 2, 2, 2, 2], "SUCCEEDED"),
        ({"ToleratedFailureCount": 2}, [1, 2, 3], "SUCCEEDED"),
        ({"ToleratedFailureCount": 1}, [1, 2, 3], "FAILED"),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100}, [1, 3], "FAILED"),
    ],
)
def test_failures_are_tolerated_up_to_the_limit(
    aws: InProcessAws, sfn: Any, limit: dict[str, Any], items: list[int], status: str
) -> None:
    name = "tolerant-" + "-".join(str(n).replace(".", "-") for n in [*limit.values(), *items])
    machine = aws.state_machine(name, distributed_map_of(call(aws.function(name, fail_odd)), **limit))
    execution = aws.run(machine, input=items)
    assert execution["status"] == status
    if status == "SUCCEEDED":
        assert json.loads(execution["output"]) == [None if item % 2 else item * 10 for item in items]
        failed = sum(item % 2 for item in items)
        assert counts(map_run_of(sfn, execution))["failed"] == failed


@pytest.mark.parametrize("limit", [{"MaxConcurrency": 3}, {"MaxConcurrencyPath": "$.limit"}], ids=["number", "path"])
def test_no_more_children_run_at_a_time_than_max_concurrency(
    aws: InProcessAws, sfn: Any, limit: dict[str, Any]
) -> None:
    running, peak, lock = 0, 0, threading.Lock()

    def count(event: int) -> None:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    name = next(iter(limit))
    fields = {"ItemsPath": "$.items", **limit}
    machine = aws.state_machine(name, distributed_map_of(call(aws.function(name, count)), **fields))
    execution = aws.run(machine, input={"limit": 3, "items": list(range(12))})
    assert execution["status"] == "SUCCEEDED"
    assert peak == 3
    assert map_run_of(sfn, execution)["maxConcurrency"] == 3


def test_the_number_of_threads_is_bounded_without_a_max_concurrency(aws: InProcessAws) -> None:
    peak = 0

    def count(event: int) -> None:
        nonlocal peak
        peak = max(peak, threading.active_count())

    machine = aws.state_machine("unbounded", distributed_map_of(call(aws.function("count-threads", count))))
    before = threading.active_count()
    assert aws.run(machine, input=list(range(300)))["status"] == "SUCCEEDED"
    # A child's own thread, that of its Task, and the server's for the call.
    assert 3 < peak - before < 3 * distributed_map.MAX_RUNNING_CHILDREN + 30


def test_a_map_over_nothing_succeeds_with_nothing(aws: InProcessAws, sfn: Any) -> None:
    execution = aws.run(aws.state_machine("empty", distributed_map_of(PASS)), input=[])
    assert (execution["status"], execution["output"]) == ("SUCCEEDED", "[]")
    assert counts(map_run_of(sfn, execution)) == {}


def test_items_are_read_from_s3_with_the_state_machines_rights(aws: InProcessAws, sfn: Any) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key="items.json", Body=json.dumps([{"id": "a"}, {"id": "b"}]))
    machine = aws.state_machine("reader", distributed_map_of(PASS, ItemReader=ITEM_READER))
    execution = aws.run(machine, input={"bucket": BUCKET, "key": "items.json"})
    assert json.loads(execution["output"]) == [{"id": "a"}, {"id": "b"}]


@pytest.mark.parametrize(
    ("key", "body"), [("missing.json", None), ("broken.json", b"[1, 2"), ("object.json", b'{"not": "a list"}')]
)
def test_items_that_cannot_be_read_fail_the_map_as_an_item_reader_failure(
    aws: InProcessAws, sfn: Any, key: str, body: bytes | None
) -> None:
    if body is not None:
        aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    catch = [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Caught"}]
    definition = distributed_map_of(PASS, ItemReader=ITEM_READER, Catch=catch)
    definition["States"]["Caught"] = {"Type": "Pass", "OutputPath": "$.Error", "End": True}
    execution = aws.run(aws.state_machine("reader-" + key, definition), input={"bucket": BUCKET, "key": key})
    assert execution["output"] == '"States.ItemReaderFailed"'
    assert map_run_of(sfn, execution)["status"] == "FAILED"


def test_stopping_the_parent_aborts_the_children_and_starts_no_more(aws: InProcessAws, sfn: Any) -> None:
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100_000, "End": True}}}
    machine = aws.state_machine("stop-parent", distributed_map_of(waits, MaxConcurrency=2))
    arn = sfn.start_execution(stateMachineArn=machine, input="[1, 2, 3, 4]")["executionArn"]
    execution = {"executionArn": arn}
    eventually(lambda: sfn.list_map_runs(executionArn=arn)["mapRuns"])
    eventually(lambda: counts(map_run_of(sfn, execution)).get("running") == 2)
    sfn.stop_execution(executionArn=arn)
    eventually(lambda: map_run_of(sfn, execution)["status"] == "ABORTED")
    assert counts(map_run_of(sfn, execution)) == {"aborted": 2, "pending": 2, "total": 4}
    assert sfn.describe_execution(executionArn=arn)["status"] == "ABORTED"

    def history() -> list[str]:
        return [event["type"] for event in sfn.get_execution_history(executionArn=arn)["events"]]

    eventually(lambda: history()[-1] == "ExecutionAborted")
    assert history()[-2:] == ["MapStateAborted", "ExecutionAborted"]


def test_a_child_can_be_stopped_by_itself_and_counts_as_a_failure(aws: InProcessAws, sfn: Any) -> None:
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100_000, "End": True}}}
    arn = sfn.start_execution(stateMachineArn=aws.state_machine("stop-child", distributed_map_of(waits)), input="[1]")[
        "executionArn"
    ]
    eventually(lambda: sfn.list_map_runs(executionArn=arn)["mapRuns"])
    run = map_run_of(sfn, {"executionArn": arn})
    [child] = eventually(lambda: sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"])
    sfn.stop_execution(executionArn=child["executionArn"], error="Operator", cause="bad recording")
    assert aws.ended(arn)["error"] == "States.ExceedToleratedFailureThreshold"
    assert sfn.describe_execution(executionArn=child["executionArn"])["error"] == "Operator"


def test_a_retried_map_is_a_new_map_run(aws: InProcessAws, sfn: Any) -> None:
    attempts = []

    def fail_once(event: int) -> int:
        attempts.append(event)
        if len(attempts) == 1:
            raise ValueError("first")
        return event

    retry = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "IntervalSeconds": 1}]
    machine = aws.state_machine("retried", distributed_map_of(call(aws.function("fail-once", fail_once)), Retry=retry))
    execution = aws.run(machine, input=[5])
    assert execution["output"] == "[5]"
    runs = sfn.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    assert sorted(sfn.describe_map_run(mapRunArn=run["mapRunArn"])["status"] for run in runs) == ["FAILED", "SUCCEEDED"]


def test_a_map_in_a_map_has_children_of_children(aws: InProcessAws, sfn: Any) -> None:
    inner = distributed_map_of(call(aws.function("inner", lambda n: n + 1)), Label="Inner")
    execution = aws.run(aws.state_machine("nested", distributed_map_of(inner)), input=[[1, 2], [3]])
    assert json.loads(execution["output"]) == [[2, 3], [4]]
    children = sfn.list_executions(mapRunArn=map_run_of(sfn, execution)["mapRunArn"])["executions"]
    grandchildren = [
        grandchild
        for child in children
        for grandchild in sfn.list_executions(mapRunArn=map_run_of(sfn, child)["mapRunArn"])["executions"]
    ]
    assert len(grandchildren) == 3
    for grandchild in grandchildren:
        assert sfn.describe_execution(executionArn=grandchild["executionArn"])["status"] == "SUCCEEDED"


def test_a_role_that_may_not_start_executions_fails_the_map(aws: InProcessAws, sfn: Any) -> None:
    aws.role("no-children", "states.amazonaws.com")
    aws.client("iam").delete_role_policy(RoleName="no-children", PolicyName="all")
    machine = aws.state_machine("no-children", distributed_map_of(PASS))
    sfn.update_state_machine(stateMachineArn=machine, roleArn=aws.role("no-children"))
    execution = aws.run(machine, input=[1])
    assert execution["error"] == "States.Permissions"
    assert "must be allowed states:StartExecution on " + machine in execution["cause"]


def test_an_unknown_map_run_is_not_found(aws: InProcessAws, sfn: Any) -> None:
    arn = "arn:aws:states:us-east-1:123456789012:mapRun:none/Each:0"
    with pytest.raises(sfn.exceptions.ResourceNotFound):
        sfn.describe_map_run(mapRunArn=arn)
    with pytest.raises(sfn.exceptions.ResourceNotFound):
        sfn.list_executions(mapRunArn=arn)


def test_a_map_run_that_has_ended_cannot_be_updated(aws: InProcessAws, sfn: Any) -> None:
    run = map_run_of(sfn, aws.run(aws.state_machine("ended-map", distributed_map_of(PASS)), input=[1]))["mapRunArn"]
    with pytest.raises(sfn.exceptions.ValidationException, match="Map Run is SUCCEEDED and cannot be updated"):
        sfn.update_map_run(mapRunArn=run, maxConcurrency=1)
    with pytest.raises(sfn.exceptions.ResourceNotFound):
        sfn.update_map_run(mapRunArn=f"{run}-absent", maxConcurrency=1)


def test_moto_makes_its_map_runs_through_the_replaced_name(aws: InProcessAws) -> None:
    assert state_map.MapRunRecord is map_runs.MapRun  # type: ignore[attr-defined]
    assert "MapRunRecord" in state_map.StateMap._eval_execution.__code__.co_names
