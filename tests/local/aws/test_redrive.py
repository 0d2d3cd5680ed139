import datetime
import inspect
import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField

from local.aws import checkpoints, executions
from tests.local.aws.in_process import InProcessAws, eventually


class Service:
    """A Lambda function that fails for some events until it is repaired, and records its events."""

    def __init__(self, aws: InProcessAws, fails_for: Callable[[Any], bool] | None = lambda event: True) -> None:
        self.fails_for = fails_for
        self.calls: list[Any] = []
        self.arn = aws.function(f"service-{uuid.uuid4().hex[:8]}", self.answer)

    def answer(self, event: Any) -> Any:
        self.calls.append(event)
        if self.fails_for and self.fails_for(event):
            raise ValueError("broken")
        return event

    def repair(self) -> None:
        self.fails_for = None

    def task(self, **fields: Any) -> dict[str, Any]:
        return {"Type": "Task", "Resource": self.arn, **fields}


def states(start: str, **more: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": start, "States": more}


def redrive(aws: InProcessAws, execution: Any, **request: Any) -> dict[str, Any]:
    aws.client("stepfunctions").redrive_execution(executionArn=execution["executionArn"], **request)
    return aws.ended(execution["executionArn"])


def history(sfn: Any, execution: Any) -> Any:
    return sfn.get_execution_history(executionArn=execution["executionArn"])["events"]


def machine(aws: InProcessAws, definition: dict[str, Any]) -> str:
    return aws.state_machine(f"machine-{uuid.uuid4().hex[:8]}", definition)


def map_run_of(sfn: Any, execution: Any) -> Any:
    [run] = sfn.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    return sfn.describe_map_run(mapRunArn=run["mapRunArn"])


def counts(run: dict[str, Any]) -> dict[str, int]:
    return {status: n for status, n in run["executionCounts"].items() if n}


def distributed(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **processor}
    return {"Type": "Map", "ItemProcessor": processor, **fields}


def test_a_redrive_continues_at_the_failed_state_with_its_input(aws: InProcessAws, sfn: Any) -> None:
    before, broken, after = Service(aws, None), Service(aws), Service(aws, None)
    definition = states(
        "Before", Before=before.task(Next="Broken"), Broken=broken.task(Next="After"), After=after.task(End=True)
    )
    failed = aws.run(machine(aws, definition), name="batch-1", input={"n": 1})
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    broken.repair()
    again = redrive(aws, failed)
    assert (again["status"], json.loads(again["output"])) == ("SUCCEEDED", {"n": 1})
    assert (len(before.calls), len(broken.calls), len(after.calls)) == (1, 2, 1)
    for member in ("executionArn", "name", "input", "startDate"):
        assert again[member] == failed[member]
    assert again["redriveCount"] == 1 and again["redriveDate"] >= failed["stopDate"]
    assert "error" not in again and "cause" not in again
    assert again["redriveStatus"] == "NOT_REDRIVABLE"


def test_a_redrive_can_fail_and_be_redriven(aws: InProcessAws) -> None:
    broken = Service(aws)
    failed = aws.run(machine(aws, states("Broken", Broken=broken.task(End=True))))
    assert redrive(aws, failed)["status"] == "FAILED"
    broken.repair()
    again = redrive(aws, failed)
    assert (again["status"], again["redriveCount"], len(broken.calls)) == ("SUCCEEDED", 2, 3)


def test_a_redriven_state_has_all_its_retries_again(aws: InProcessAws) -> None:
    broken = Service(aws)
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    failed = aws.run(machine(aws, states("Broken", Broken=broken.task(Retry=retry, End=True))))
    assert len(broken.calls) == 3
    redrive(aws, failed)
    assert len(broken.calls) == 6


def test_the_history_goes_on_after_an_execution_redriven_event(aws: InProcessAws, sfn: Any) -> None:
    broken = Service(aws)
    failed = aws.run(machine(aws, states("Broken", Broken=broken.task(End=True))))
    before = history(sfn, failed)
    broken.repair()
    redrive(aws, failed)
    after = history(sfn, failed)
    assert after[: len(before)] == before
    assert [event["id"] for event in after] == list(range(1, len(after) + 1))
    assert after[len(before)]["type"] == "ExecutionRedriven"
    assert after[len(before)]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert after[-1]["type"] == "ExecutionSucceeded"


def test_the_context_object_tells_of_the_redrive(aws: InProcessAws) -> None:
    broken = Service(aws)
    parameters = {"execution.$": "$$.Execution"}
    failed = aws.run(machine(aws, states("Broken", Broken=broken.task(Parameters=parameters, End=True))))
    broken.repair()
    again = redrive(aws, failed)
    first, second = (call["execution"] for call in broken.calls)
    assert first["RedriveCount"] == 0 and "RedriveTime" not in first
    assert second["RedriveCount"] == 1
    assert second["RedriveTime"] == again["redriveDate"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    assert second["StartTime"] == first["StartTime"]


def test_a_redrive_uses_the_definition_the_execution_started_with(aws: InProcessAws, sfn: Any) -> None:
    broken = Service(aws)
    arn = machine(aws, states("Broken", Broken=broken.task(End=True)))
    failed = aws.run(arn, input=[1])
    sfn.update_state_machine(
        stateMachineArn=arn, definition=json.dumps(states("New", New={"Type": "Pass", "Result": 2, "End": True}))
    )
    broken.repair()
    assert redrive(aws, failed)["output"] == "[1]"


def test_only_the_failed_children_of_a_map_run_again(aws: InProcessAws, sfn: Any) -> None:
    broken = Service(aws, lambda event: event["n"] in (1, 3))
    prepare, after = Service(aws, None), Service(aws, None)
    child = states(
        "Prepare",
        Prepare=prepare.task(Next="Broken"),
        Broken=broken.task(Parameters={"n.$": "$", "redrives.$": "$$.Execution.RedriveCount"}, End=True),
    )
    definition = states(
        "Map",
        Map=distributed(child, ToleratedFailureCount=1, MaxConcurrency=1, Next="After"),
        After=after.task(End=True),
    )
    failed = aws.run(machine(aws, definition), input=[0, 1, 2, 3, 4])
    run = map_run_of(sfn, failed)
    assert counts(run) == {"succeeded": 2, "failed": 2, "pending": 1, "total": 5}
    assert run["redriveCount"] == 0
    children = {
        child["executionArn"]: sfn.describe_execution(executionArn=child["executionArn"])
        for child in sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    }
    statuses = {int(child["input"]): child["redriveStatus"] for child in children.values()}
    assert statuses == {
        0: "NOT_REDRIVABLE", 1: "REDRIVABLE_BY_MAP_RUN", 2: "NOT_REDRIVABLE", 3: "REDRIVABLE_BY_MAP_RUN"
    }  # fmt: skip
    broken.repair()
    again = redrive(aws, failed)
    redrives = [0, 1, 0, 1, 0]
    assert json.loads(again["output"]) == [{"n": n, "redrives": redrives[n]} for n in range(5)]
    assert sorted(prepare.calls) == [0, 1, 2, 3, 4]
    redriven = map_run_of(sfn, failed)
    assert redriven["mapRunArn"] == run["mapRunArn"]
    assert (redriven["status"], redriven["redriveCount"]) == ("SUCCEEDED", 1)
    assert counts(redriven) == {"succeeded": 5, "total": 5}
    assert "MapRunRedriven" in [event["type"] for event in history(sfn, failed)]
    for arn, child in children.items():
        now = sfn.describe_execution(executionArn=arn)
        assert (now["status"], now["redriveCount"]) == ("SUCCEEDED", redrives[int(child["input"])])
    assert len(after.calls) == 1


def test_a_finished_map_is_not_run_again_when_a_later_state_fails(aws: InProcessAws, sfn: Any) -> None:
    each, broken = Service(aws, None), Service(aws)
    definition = states(
        "Map",
        Map=distributed(states("Each", Each=each.task(End=True)), Next="Broken"),
        Broken=broken.task(End=True),
    )
    failed = aws.run(machine(aws, definition), input=[1, 2])
    broken.repair()
    assert redrive(aws, failed)["output"] == "[1,2]"
    assert len(each.calls) == 2
    assert map_run_of(sfn, failed)["redriveCount"] == 0


def test_a_map_whose_items_could_not_be_read_reads_them_when_redriven(aws: InProcessAws, sfn: Any) -> None:
    s3, bucket = aws.client("s3"), f"items-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": bucket, "Key": "items.json"},
    }
    child = states("Same", Same={"Type": "Pass", "End": True})
    failed = aws.run(machine(aws, states("Map", Map=distributed(child, ItemReader=reader, End=True))))
    assert failed["error"] == "States.ItemReaderFailed"
    s3.put_object(Bucket=bucket, Key="items.json", Body=b"[1, 2]")
    assert redrive(aws, failed)["output"] == "[1,2]"
    runs = sfn.list_map_runs(executionArn=failed["executionArn"])["mapRuns"]
    assert len(runs) == 2


def test_a_map_that_fails_again_can_be_redriven_again(aws: InProcessAws, sfn: Any) -> None:
    broken = Service(aws, lambda event: event > 0)
    child = states("Broken", Broken=broken.task(End=True))
    definition = states("Map", Map=distributed(child, MaxConcurrency=1, End=True))
    failed = aws.run(machine(aws, definition), input=[0, 1, 2])
    assert redrive(aws, failed)["status"] == "FAILED"
    broken.fails_for = lambda event: event > 1
    assert redrive(aws, failed)["status"] == "FAILED"
    broken.repair()
    assert redrive(aws, failed)["output"] == "[0,1,2]"
    assert broken.calls.count(0) == 1
    assert map_run_of(sfn, failed)["redriveCount"] == 3


def test_only_the_unfinished_iterations_of_an_inline_map_run_again(aws: InProcessAws) -> None:
    first, broken = Service(aws, None), Service(aws, lambda event: event == 1)
    processor = states("First", First=first.task(Next="Broken"), Broken=broken.task(End=True))
    state = {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 1, "End": True}
    failed = aws.run(machine(aws, states("Map", Map=state)), input=[0, 1, 2])
    assert (first.calls, broken.calls) == ([0, 1], [0, 1])
    broken.repair()
    assert redrive(aws, failed)["output"] == "[0,1,2]"
    assert (first.calls, broken.calls) == ([0, 1, 2], [0, 1, 1, 2])


def test_an_iteration_that_was_cut_off_by_a_sibling_is_not_finished(aws: InProcessAws) -> None:
    waiting = threading.Event()

    def fail_when_the_other_waits(event: int) -> bool:
        if event == 1:
            waiting.wait(5)
            time.sleep(0.2)
        return event == 1

    broken, after = Service(aws, fail_when_the_other_waits), Service(aws, None)

    def tell(event: int) -> int:
        waiting.set()
        return event

    teller = aws.function(f"tell-{uuid.uuid4().hex[:8]}", tell)
    processor = states(
        "Broken",
        Broken=broken.task(Next="Tell"),
        Tell={"Type": "Task", "Resource": teller, "Next": "Wait"},
        Wait={"Type": "Wait", "Seconds": 200, "Next": "After"},
        After=after.task(End=True),
    )
    failed = aws.run(
        machine(aws, states("Map", Map={"Type": "Map", "ItemProcessor": processor, "End": True})), input=[0, 1]
    )
    assert failed["error"] == "ValueError"
    broken.repair()
    assert redrive(aws, failed)["output"] == "[0,1]"
    assert sorted(after.calls) == [0, 1]
    assert broken.calls.count(0) == 1


def test_only_the_unfinished_branches_of_a_parallel_run_again(aws: InProcessAws) -> None:
    done, broken = Service(aws, None), Service(aws)
    good = states("Done", Done=done.task(ResultPath="$.done", End=True))
    bad = states(
        "Wait", Wait={"Type": "Wait", "Seconds": 30, "Next": "Broken"}, Broken=broken.task(ResultPath="$.b", End=True)
    )
    state = {"Type": "Parallel", "Branches": [good, bad], "End": True}
    failed = aws.run(machine(aws, states("Parallel", Parallel=state)), input={"n": 1})
    broken.repair()
    again = redrive(aws, failed)
    assert json.loads(again["output"]) == [{"n": 1, "done": {"n": 1}}, {"n": 1, "b": {"n": 1}}]
    assert (len(done.calls), len(broken.calls)) == (1, 2)


def test_a_map_in_a_branch_of_a_failed_child_continues_where_it_was(aws: InProcessAws) -> None:
    broken = Service(aws, lambda event: event == 12)
    inner = {"Type": "Map", "ItemProcessor": states("B", B=broken.task(End=True)), "MaxConcurrency": 1, "End": True}
    branch = {"Type": "Parallel", "Branches": [states("Inner", Inner=inner)], "End": True}
    definition = states("Map", Map=distributed(states("Branch", Branch=branch), MaxConcurrency=1, End=True))
    failed = aws.run(machine(aws, definition), input=[[1, 2], [11, 12, 13]])
    broken.repair()
    assert json.loads(redrive(aws, failed)["output"]) == [[[1, 2]], [[11, 12, 13]]]
    assert broken.calls == [1, 2, 11, 12, 12, 13]


def test_a_state_that_was_caught_and_ended_in_fail_is_not_redriven(aws: InProcessAws) -> None:
    broken = Service(aws)
    definition = states(
        "Broken",
        Broken=broken.task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Failed"}], End=True),
        Failed={"Type": "Fail", "Error": "Gone"},
    )
    failed = aws.run(machine(aws, definition))
    broken.repair()
    assert redrive(aws, failed)["error"] == "Gone"
    assert len(broken.calls) == 1


def test_a_stopped_execution_waits_again_when_redriven(aws: InProcessAws, sfn: Any) -> None:
    after = Service(aws, None)
    definition = states("Wait", Wait={"Type": "Wait", "Seconds": 50, "Next": "After"}, After=after.task(End=True))
    arn = sfn.start_execution(stateMachineArn=machine(aws, definition), input="7")["executionArn"]
    sfn.stop_execution(executionArn=arn)
    started = time.monotonic()
    assert redrive(aws, {"executionArn": arn})["output"] == "7"
    assert time.monotonic() - started >= 0.5
    assert after.calls == [7]


def test_a_redrive_begins_when_the_attempt_that_timed_out_has_left_its_task(aws: InProcessAws) -> None:
    release = threading.Event()
    slow = Service(aws, lambda event: not release.wait(10))
    definition = {
        **states("Slow", Slow=slow.task(Next="Done"), Done={"Type": "Pass", "End": True}),
        "TimeoutSeconds": 1,
    }
    timed_out = aws.run(machine(aws, definition), input=1)
    assert timed_out["status"] == "TIMED_OUT"
    sfn = aws.client("stepfunctions")
    sfn.redrive_execution(executionArn=timed_out["executionArn"])
    time.sleep(0.2)
    assert len(slow.calls) == 1
    assert sfn.describe_execution(executionArn=timed_out["executionArn"])["status"] == "RUNNING"
    release.set()
    assert aws.ended(timed_out["executionArn"])["status"] == "SUCCEEDED"
    assert len(slow.calls) == 2


def test_a_client_token_redrives_once(aws: InProcessAws, sfn: Any) -> None:
    broken = Service(aws)
    failed = aws.run(machine(aws, states("Broken", Broken=broken.task(End=True))))
    first = sfn.redrive_execution(executionArn=failed["executionArn"], clientToken="token")
    aws.ended(failed["executionArn"])
    second = sfn.redrive_execution(executionArn=failed["executionArn"], clientToken="token")
    assert second["redriveDate"] == first["redriveDate"]
    assert aws.ended(failed["executionArn"])["redriveCount"] == 1


def test_what_runs_or_succeeded_is_not_redrivable(aws: InProcessAws, sfn: Any) -> None:
    wait = machine(aws, states("Wait", Wait={"Type": "Wait", "Seconds": 1000, "End": True}))
    running = sfn.start_execution(stateMachineArn=wait)["executionArn"]
    with pytest.raises(sfn.exceptions.ExecutionNotRedrivable, match="Execution is RUNNING"):
        sfn.redrive_execution(executionArn=running)
    sfn.stop_execution(executionArn=running)
    succeeded = aws.run(machine(aws, states("Pass", Pass={"Type": "Pass", "End": True})))
    with pytest.raises(sfn.exceptions.ExecutionNotRedrivable, match="Execution is SUCCEEDED"):
        sfn.redrive_execution(executionArn=succeeded["executionArn"])


def test_a_child_is_redriven_with_its_parent_only(aws: InProcessAws, sfn: Any) -> None:
    broken = Service(aws)
    child = states("Broken", Broken=broken.task(End=True))
    failed = aws.run(machine(aws, states("Map", Map=distributed(child, End=True))), input=[1])
    [child] = sfn.list_executions(mapRunArn=map_run_of(sfn, failed)["mapRunArn"])["executions"]
    with pytest.raises(sfn.exceptions.ExecutionNotRedrivable, match="with its parent"):
        sfn.redrive_execution(executionArn=child["executionArn"])


def test_an_execution_of_long_ago_is_not_redrivable(
    aws: InProcessAws, sfn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Service(aws)
    failed = aws.run(machine(aws, states("Broken", Broken=broken.task(End=True))))
    monkeypatch.setattr(executions, "REDRIVABLE_FOR", datetime.timedelta(0))
    with pytest.raises(sfn.exceptions.ExecutionNotRedrivable, match="period exceeded"):
        sfn.redrive_execution(executionArn=failed["executionArn"])


def test_an_unknown_execution_does_not_exist(aws: InProcessAws, sfn: Any) -> None:
    arn = machine(aws, states("Pass", Pass={"Type": "Pass", "End": True})).replace(":stateMachine:", ":execution:")
    with pytest.raises(sfn.exceptions.ExecutionDoesNotExist):
        sfn.redrive_execution(executionArn=arn + ":none")


def test_a_stopped_parent_redrives_the_children_it_had(aws: InProcessAws, sfn: Any) -> None:
    child = states("Wait", Wait={"Type": "Wait", "Seconds": 60, "End": True})
    definition = states("Map", Map=distributed(child, MaxConcurrency=2, End=True))
    arn = sfn.start_execution(stateMachineArn=machine(aws, definition), input="[1, 2, 3]")["executionArn"]
    eventually(lambda: sfn.list_map_runs(executionArn=arn)["mapRuns"])
    run = map_run_of(sfn, {"executionArn": arn})
    eventually(lambda: len(sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]) == 2)
    sfn.stop_execution(executionArn=arn)
    eventually(lambda: map_run_of(sfn, {"executionArn": arn})["status"] == "ABORTED")
    assert redrive(aws, {"executionArn": arn})["output"] == "[1,2,3]"
    redrives = [c["redriveCount"] for c in sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]]
    assert sorted(redrives) == [0, 1, 1]


def test_moto_still_has_what_checkpoints_hang_on(aws: InProcessAws) -> None:
    def names(function: Callable[..., Any]) -> list[str]:
        return list(inspect.signature(function).parameters)

    assert names(checkpoints._moto_eval_state) == names(checkpoints._moto_set_next) == ["self", "env"]
    assert names(checkpoints._moto_eval_job) == ["self", "env", "job"]
    assert names(checkpoints._moto_eval_branch) == ["self"]
    assert names(checkpoints._moto_as_inner_frame_of) == names(checkpoints.as_inner_frame_of)
    assert CommonStateField._set_next is checkpoints.set_next
    assert IterationWorker._eval_job is checkpoints.eval_job
    assert BranchWorker._thread_routine is checkpoints.eval_branch
