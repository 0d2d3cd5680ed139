import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.utils import TMP_THREADS

from local.aws import clock, step_functions
from tests.local.aws.in_process import InProcessAws, eventually, pass_state, wait_state


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"StartAt": "Only", "States": {"Only": {"Type": "Task", "Resource": resource, "End": True, **fields}}}


def test_a_state_machine_runs_its_lambda_function(aws: InProcessAws) -> None:
    double = aws.function("double", lambda event: {"twice": 2 * event["n"]})
    execution = aws.run(aws.state_machine("runs", task(double)), input={"n": 21})
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"]) == {"twice": 42}


def test_installing_twice_changes_nothing(aws: InProcessAws) -> None:
    wait_interval, parse = WaitFunction._wait_interval, AmazonStateLanguageParser.parse
    step_functions.install()
    assert WaitFunction._wait_interval is wait_interval
    assert AmazonStateLanguageParser.parse is parse
    assert aws.run(aws.state_machine("twice", pass_state(Result=1)))["output"] == "1"


def test_waits_last_as_long_as_the_clock_says(aws: InProcessAws) -> None:
    machine = aws.state_machine("waits", wait_state(60))
    started = time.monotonic()
    assert aws.run(machine)["status"] == "SUCCEEDED"
    assert 0.6 <= time.monotonic() - started < 5


def test_retry_intervals_last_as_long_as_the_clock_says(aws: InProcessAws) -> None:
    attempts = []

    def fail_twice(event: Any) -> str:
        attempts.append(time.monotonic())
        if len(attempts) < 3:
            raise ValueError("not yet")
        return "done"

    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 30, "BackoffRate": 2}]
    machine = aws.state_machine("retries", task(aws.function("fail-twice", fail_twice), Retry=retry))
    assert aws.run(machine)["status"] == "SUCCEEDED"
    assert 0.3 <= attempts[1] - attempts[0] < 3
    assert 0.6 <= attempts[2] - attempts[1] < 6


def test_moto_still_sleeps_between_retries_through_its_time_module(aws: InProcessAws) -> None:
    interval = clock.scaled(1)
    started = time.monotonic()
    retrier_decl.time.sleep(1)  # type: ignore[attr-defined]
    assert interval <= time.monotonic() - started < interval + 0.5


def test_executions_without_a_name_get_different_names(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("nameless", pass_state())
    names = {aws.run(machine)["name"] for _ in range(3)}
    assert len(names) == 3 and "None" not in names


def test_a_running_execution_is_returned_for_its_name_and_input(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("idempotent", wait_state(3000))
    first = sfn.start_execution(stateMachineArn=machine, name="batch", input='{"n": 1}')
    again = sfn.start_execution(stateMachineArn=machine, name="batch", input='{"n": 1}')
    assert again == {**first, "ResponseMetadata": again["ResponseMetadata"]}
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=machine, name="batch", input='{"n": 2}')
    sfn.stop_execution(executionArn=first["executionArn"])


def test_the_name_of_an_ended_execution_is_taken(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("taken", pass_state())
    aws.run(machine, name="batch")
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=machine, name="batch", input="{}")


def test_of_many_starts_with_one_name_one_execution_comes(
    aws: InProcessAws, sfn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = aws.state_machine("race", wait_state(3000))
    starting, peak = 0, 0
    start = step_functions._moto_start_execution

    def slow_start(*arguments: Any) -> Any:
        nonlocal starting, peak
        starting += 1
        peak = max(peak, starting)
        time.sleep(0.02)
        try:
            return start(*arguments)
        finally:
            starting -= 1

    monkeypatch.setattr(step_functions, "_moto_start_execution", slow_start)
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: sfn.start_execution(stateMachineArn=machine, name="one", input="{}"), range(16))
        )
    assert peak == 1
    assert len({answer["executionArn"] for answer in answers}) == 1
    assert len(sfn.list_executions(stateMachineArn=machine)["executions"]) == 1
    sfn.stop_execution(executionArn=answers[0]["executionArn"])


def test_a_name_with_forbidden_characters_is_refused(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("names", pass_state())
    with pytest.raises(sfn.exceptions.InvalidName):
        sfn.start_execution(stateMachineArn=machine, name="a b", input="{}")


@pytest.mark.parametrize("text", ["not json", "", '{"user": p-001}'])
def test_an_input_that_is_not_json_is_refused_and_not_quoted(aws: InProcessAws, sfn: Any, text: str) -> None:
    machine = aws.state_machine("inputs", pass_state())
    with pytest.raises(sfn.exceptions.InvalidExecutionInput, match="Invalid State Machine Execution Input") as refusal:
        sfn.start_execution(stateMachineArn=machine, input=text)
    assert "p-001" not in str(refusal.value)
    assert sfn.list_executions(stateMachineArn=machine)["executions"] == []


def test_the_context_object_tells_the_start_and_the_redrives_of_the_execution(aws: InProcessAws) -> None:
    machine = aws.state_machine("context", pass_state(Parameters={"execution.$": "$$.Execution"}))
    execution = aws.run(machine, name="named", input={"a": 1})
    context = json.loads(execution["output"])["execution"]
    assert context.pop("StartTime") == execution["startDate"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    assert context.pop("RoleArn").endswith(":role/state-machine")
    assert context == {"Id": execution["executionArn"], "Name": "named", "Input": {"a": 1}, "RedriveCount": 0}


def test_logging_tracing_and_encryption_are_described_as_given(aws: InProcessAws, sfn: Any) -> None:
    given = {
        "loggingConfiguration": {
            "level": "ERROR",
            "includeExecutionData": False,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:x:*"}}],
        },
        "tracingConfiguration": {"enabled": True},
        "encryptionConfiguration": {
            "type": "CUSTOMER_MANAGED_KMS_KEY",
            "kmsKeyId": aws.client("kms").create_key()["KeyMetadata"]["Arn"],
            "kmsDataKeyReusePeriodSeconds": 60,
        },
    }
    machine = aws.state_machine("configured", pass_state(), **given)
    described = sfn.describe_state_machine(stateMachineArn=machine)
    assert {member: described[member] for member in given} == given


def test_a_task_that_fails_after_the_stop_does_not_change_how_the_execution_ended(aws: InProcessAws, sfn: Any) -> None:
    called, release = threading.Event(), threading.Event()

    def fail_late(event: Any) -> None:
        called.set()
        release.wait(10)
        raise ValueError("late")

    machine = aws.state_machine("late-failure", task(aws.function("fail-late", fail_late)))
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    assert called.wait(10)
    sfn.stop_execution(executionArn=arn)
    release.set()
    history: list[str] = []

    def has_ended() -> bool:
        history[:] = [event["type"] for event in sfn.get_execution_history(executionArn=arn)["events"]]
        return history[-1].startswith("Execution") and len(history) > 1

    eventually(has_ended)
    assert history[-1] == "ExecutionAborted"
    assert sfn.describe_execution(executionArn=arn)["status"] == "ABORTED"


def test_a_machine_with_a_timeout_times_out(aws: InProcessAws) -> None:
    machine = aws.state_machine("timeout", {**wait_state(3000), "TimeoutSeconds": 1})
    assert aws.run(machine)["status"] == "TIMED_OUT"


def test_an_unknown_execution_does_not_exist(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("known", pass_state())
    arn = machine.replace(":stateMachine:", ":execution:")
    for unknown in (f"{arn}:nothing", f"{arn}/Label:nothing"):
        with pytest.raises(sfn.exceptions.ExecutionDoesNotExist):
            sfn.describe_execution(executionArn=unknown)


def test_a_failing_state_logs_nothing_of_what_it_holds(aws: InProcessAws, caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: Any) -> None:
        raise ValueError("patient text")

    machine = aws.state_machine("silent", task(aws.function("fail", fail), Comment="secret-comment"))
    with caplog.at_level(logging.DEBUG):
        assert aws.run(machine, input={"text": "patient text"})["error"] == "ValueError"
    said = [record.getMessage() for record in caplog.records if record.name.startswith("moto.stepfunctions")]
    assert said == []


def test_threads_that_ended_are_forgotten(aws: InProcessAws) -> None:
    aws.run(aws.state_machine("threads", task(aws.function("nothing", lambda event: None))))
    eventually(lambda: TMP_THREADS == [])
