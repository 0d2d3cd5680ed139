import random
import re
from typing import Any

import pytest

from bench.simulation.clock import Clock, Steps
from bench.simulation.definition import EXCEEDED, Record, Tally, Task, TaskError, World, check, execute, states_named
from infra.definition import read_definition

DEFINITION = read_definition()


class Machine:
    """Gives a test's Tasks the world that their definition runs in."""

    world: World


class Ran:
    """An execution of a definition: its output or error, what it counted, how long it took."""

    def __init__(
        self,
        definition: dict[str, Any],
        tasks: dict[str, Task],
        data: Any = None,
        machine: Machine | None = None,
        record: Record | None = None,
        redrives: int = 0,
        **items: Any,
    ) -> None:
        clock, self.tally = Clock(), Tally()
        begun, self.output, self.error = clock.now, None, ""
        self.cause = ""
        self.states: tuple[str, ...] = ()

        def catch() -> Steps:
            try:
                self.output = yield from execute(
                    definition,
                    data or {},
                    {"Execution": {"Name": "x", "RedriveCount": redrives}},
                    world,
                    self.tally,
                    record,
                )
            except TaskError as error:
                self.error, self.cause, self.states = error.name, error.cause, error.states

        world = World(clock, random.Random(1), tasks, items)
        if machine:
            machine.world = world
        clock.begin(catch())
        clock.run()
        self.seconds = clock.now - begun


def single(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "Only", "States": {"Only": {**state, "End": True}}}


def failing(times: int, name: str = "Throttled") -> Task:
    left = [name] * times

    def task(event: Any) -> Steps:
        yield 1
        if left:
            raise TaskError(left.pop())
        return {"given": event}

    return task


def test_the_projects_own_definition_is_understood() -> None:
    check(DEFINITION)


def test_a_field_that_is_not_known_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"\['HeartbeatSeconds'\] of the state Only"):
        check(single({"Type": "Task", "Resource": "a", "HeartbeatSeconds": 3}))


RETRIER = {"ErrorEquals": ["States.ALL"]}


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        (single({"Type": "Pass"}) | {"QueryLanguage": "JSONata"}, "['QueryLanguage'] of the definition"),
        (single({"Type": "Parallel"}), "Parallel of the state Only"),
        (single({"Type": "Pass", "Parameters": {}}), "['Parameters'] of the state Only"),
        (single({"Type": "Task", "Resource": "a", "Retry": [RETRIER | {"x": 1}]}), "['x'] of a retrier of the state"),
        (single({"Type": "Task", "Resource": "a", "Catch": [RETRIER | {"x": 1}]}), "['x'] of a catcher of the state"),
        (single({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage"}), "arn:aws:states:::sqs:sendMessage"),
        (single({"Type": "Choice", "Choices": [{"Variable": "$", "IsString": True, "Next": "a"}]}), "['IsString']"),
        (single({"Type": "Map", "ItemBatcher": {"x": 1}}), "['x'] of the ItemBatcher"),
        (
            single({"Type": "Map", "ItemProcessor": single({"Type": "Pass"}) | {"TimeoutSeconds": 1}}),
            "['TimeoutSeconds'] of the item processor",
        ),
        (
            single({"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"ExecutionType": "EXPRESS"}, "States": {}}}),
            "ExecutionType EXPRESS",
        ),
        (
            single({"Type": "Map", "ItemReader": {"Resource": "arn:aws:states:::s3:deleteObject"}}),
            "arn:aws:states:::s3:deleteObject",
        ),
    ],
)
def test_no_field_is_ignored_at_whatever_depth(definition: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        check(definition)


def sleeping(seconds: float) -> Task:
    def task(event: Any) -> Steps:
        yield seconds
        return event

    return task


def test_an_execution_ends_with_its_timeout_and_what_its_map_does_with_it() -> None:
    begun: list[int] = []

    def task(event: int) -> Steps:
        begun.append(event)
        yield 10

    ran = Ran(distributed(1) | {"TimeoutSeconds": 25}, {"a": task}, items=[1, 2, 3, 4])
    assert (ran.error, begun) == ("States.Timeout", [1, 2, 3])
    assert Ran(distributed(1) | {"TimeoutSeconds": 41}, {"a": task}, items=[1, 2, 3, 4]).error == ""


def test_a_task_ends_with_its_timeout_which_only_its_name_or_all_errors_name() -> None:
    state = {"Type": "Task", "Resource": "a", "TimeoutSeconds": 5, "Retry": [{"ErrorEquals": ["States.TaskFailed"]}]}
    ran = Ran(single(state), {"a": sleeping(10)})
    assert (ran.error, ran.tally.transitions) == ("States.Timeout", 2)
    state["Retry"] = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    assert Ran(single(state), {"a": sleeping(10)}).tally.transitions == 3
    assert Ran(single(state), {"a": sleeping(4)}).error == ""


def waiting(**fields: Any) -> dict[str, Any]:
    return single(
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "a", "Payload": {"token.$": "$$.Task.Token", "x.$": "$.x"}},
            "ResultPath": None,
            **fields,
        }
    )


def test_a_task_waits_for_the_answer_to_its_token() -> None:
    def task(event: Any) -> Steps:
        yield 1
        assert event["x"] == 2
        machine.world.clock.begin(answering(event["token"]))

    def answering(token: str) -> Steps:
        yield 100
        assert machine.world.answer(token)
        assert not machine.world.answer(token), "once"

    machine = Machine()
    ran = Ran(waiting(), {"a": task}, {"x": 2}, machine)
    assert (ran.output, ran.seconds) == ({"x": 2}, 101)
    assert ran.tally.events == 2 + 2 + 3 + 1


def test_a_task_whose_token_is_lost_waits_again_if_its_catcher_says_so() -> None:
    asked = []

    def task(event: Any) -> Steps:
        yield 1
        asked.append(event["token"])
        if len(asked) == 3:
            machine.world.answer(event["token"])

    machine = Machine()
    again = [{"ErrorEquals": ["States.Timeout"], "ResultPath": None, "Next": "Only"}]
    ran = Ran(waiting(TimeoutSeconds=60, Catch=again), {"a": task}, {"x": 2}, machine)
    assert (ran.seconds, len(set(asked)), ran.error) == (121, 3, "")


def test_an_execution_whose_history_is_full_fails() -> None:
    states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}
    assert Ran({"StartAt": "A", "States": states}, {}).error == "States.HistoryLimitExceeded"


def test_transitions_are_the_start_the_states_and_the_retries() -> None:
    retry = [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 2}]
    ran = Ran(single({"Type": "Task", "Resource": "a", "Retry": retry}), {"a": failing(2)})
    assert (ran.tally.transitions, ran.tally.events) == (1 + 1 + 2, 2 + 2 + 3 * 3)
    assert ran.seconds == 3 * 1 + 2 + 6


def test_an_error_after_the_last_retry_ends_the_execution() -> None:
    retry = [
        {"ErrorEquals": ["Throttled"], "MaxAttempts": 1},
        {"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 9},
    ]
    ran = Ran(single({"Type": "Task", "Resource": "a", "Retry": retry}), {"a": failing(2)})
    assert (ran.error, ran.tally.transitions) == ("Throttled", 3)


def test_an_error_that_is_caught_goes_on_where_the_catcher_says_with_what_was_there() -> None:
    caught = {"ErrorEquals": ["TakenOver"], "ResultPath": None, "Next": "Again"}
    states = {
        "Only": {"Type": "Task", "Resource": "a", "Catch": [caught], "End": True},
        "Again": {"Type": "Task", "Resource": "b", "End": True},
    }
    tasks = {"a": failing(1, "TakenOver"), "b": failing(0)}
    assert Ran({"StartAt": "Only", "States": states}, tasks, {"x": 1}).output == {"given": {"x": 1}}
    tasks["a"] = failing(1, "JobFailed")
    failed = Ran({"StartAt": "Only", "States": states}, tasks)
    assert (failed.error, failed.cause) == ("JobFailed", "JobFailed")


def test_a_task_gets_what_its_paths_select_and_puts_its_result_where_its_path_says() -> None:
    parameters = {"batch.$": "$.batch.id", "name.$": "$$.Execution.Name", "fixed": 1}
    state = {"Type": "Task", "Resource": "a", "Parameters": parameters, "ResultPath": "$.job"}
    ran = Ran(single(state), {"a": failing(0)}, {"batch": {"id": "b"}})
    assert ran.output == {"batch": {"id": "b"}, "job": {"given": {"batch": "b", "name": "x", "fixed": 1}}}


def distributed(most: int) -> dict[str, Any]:
    return single(
        {
            "Type": "Map",
            "ItemReader": {"Parameters": {"Key": "items"}},
            "MaxConcurrency": most,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED"},
                **single({"Type": "Task", "Resource": "a"}),
            },
        }
    )


def test_a_map_has_so_many_items_at_work_as_it_may_and_its_children_count_as_executions() -> None:
    ran = Ran(distributed(2), {"a": failing(0)}, items=[1, 2, 3, 4, 5])
    assert ran.seconds == 3
    assert ran.tally.transitions == 2 + 5 * 2
    assert ran.output == [{"given": item} for item in (1, 2, 3, 4, 5)]


def test_the_first_child_that_fails_stops_the_others_and_fails_the_map() -> None:
    begun = []

    def task(event: int) -> Steps:
        begun.append(event)
        yield event
        if event == 2:
            raise TaskError("Broken")
        begun.append(-event)

    ran = Ran(distributed(2), {"a": task}, items=[2, 3, 4])
    assert (ran.error, ran.cause, begun) == (EXCEEDED, "Broken", [2, 3])


def test_a_part_of_a_scope_ends_where_it_would_go_on() -> None:
    states = DEFINITION["States"]["TranscribeMedia"]["ItemProcessor"]
    part = states_named(states, ("WaitForTranscription", "PollTranscription", "TranscriptionFinished?"))
    assert part["StartAt"] == "WaitForTranscription"
    assert {name for name, state in part["States"].items() if state["Type"] == "Succeed"} == {
        "TranscriptionFinished",
        "StartTranscription",
    }


def test_a_redrive_continues_at_the_failed_state_with_its_input_and_all_its_retries() -> None:
    definition = {
        "StartAt": "First",
        "States": {
            "First": {"Type": "Task", "Resource": "first", "ResultPath": "$.first", "Next": "Second"},
            "Second": {
                "Type": "Task",
                "Resource": "second",
                "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}],
                "End": True,
            },
        },
    }
    asked: list[Any] = []
    second = failing(5)

    def once(event: Any) -> Steps:
        asked.append(event)
        return "done"
        yield 0.0

    tasks: dict[str, Task] = {"first": once, "second": second}
    record = Record()
    assert Ran(definition, tasks, {"given": 1}, record=record).error == "Throttled"
    redriven = Ran(definition, tasks, {"given": 1}, record=record, redrives=1)
    assert (redriven.error, redriven.output) == ("", {"given": {"given": 1, "first": "done"}})
    assert asked == [{"given": 1}]


def test_a_redrive_of_a_map_begins_only_what_is_not_done_and_reads_its_items_once() -> None:
    begun: list[tuple[Any, int]] = []
    bad = {2}

    def one(event: Any) -> Steps:
        begun.append((event["item"], event["redrives"]))
        yield 1.0
        if event["item"] in bad:
            raise TaskError("Bad")
        return event["item"] * 10

    definition = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemReader": {"Parameters": {"Key": "items"}},
                "ItemSelector": {"item.$": "$$.Map.Item.Value"},
                "MaxConcurrency": 2,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "One",
                    "States": {
                        "One": {
                            "Type": "Task",
                            "Resource": "one",
                            "Parameters": {"item.$": "$.item", "redrives.$": "$$.Execution.RedriveCount"},
                            "End": True,
                        }
                    },
                },
                "End": True,
            }
        },
    }
    record = Record()
    failed = Ran(definition, {"one": one}, record=record, items=[1, 2, 3, 4])
    assert (failed.error, failed.cause, failed.states) == (EXCEEDED, "Bad", ("Each", "One"))
    assert begun == [(1, 0), (2, 0)]
    bad.clear()
    # What is there to be read by now doesn't count. A child that begins with the redrive has none itself.
    redriven = Ran(definition, {"one": one}, record=record, redrives=1, items=[5])
    assert redriven.output == [10, 20, 30, 40]
    assert begun[2:] == [(2, 1), (3, 0), (4, 0)]
