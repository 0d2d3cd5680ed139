"""The advice of the command line and the console is that of docs/reruns.md."""

from datetime import UTC, datetime
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType

from infra.definition import read_definition
from lambdas.shared import errors
from operations.advice import _BY_ERROR, advice
from operations.executions import Execution, Failure
from tests.docs.pages import sections

BEGAN = datetime(2026, 11, 26, tzinfo=UTC)
ROWS = sections("reruns.md")[""]
# Names of Step Functions that this definition can't end with: it has no Parallel, heartbeat, intrinsic function,
# JSONata or ResultWriter, each Choice has a default, and States.ALL is a retrier's.
OF_OTHERS = {"ALL", "BranchFailed", "HeartbeatTimeout", "IntrinsicFailure", "NoChoiceMatched", "QueryEvaluationError"}
OF_OTHERS |= {"ResultWriterFailed"}


def our_errors() -> set[str]:
    ours = {name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)}
    # Caught by the definition, so that no execution ends with it.
    return ours - {"TakenOver"}


def errors_of_the_definition() -> set[str]:
    """The errors that its retriers name."""

    def found(item: Any) -> set[str]:
        if isinstance(item, dict):
            return ({*item.get("ErrorEquals", ())} - {"TakenOver"}) | found(list(item.values()))
        return set().union(*map(found, item)) if isinstance(item, list) else set()

    return found(read_definition())


def errors_of_step_functions() -> set[str]:
    return {name.to_name() for name in StatesErrorNameType} - {f"States.{name}" for name in OF_OTHERS}


def failed(error: str, status: str = "FAILED", *, redrivable: bool = True) -> Execution:
    failures = [Failure("CollectEntities", error, "The reason.")]
    return Execution("arn", "drop-1", status, redrivable, BEGAN, BEGAN, 0, [], {}, {}, None, None, failures)


def buttons(text: str) -> set[str]:
    return {button for button in ("redrive", "new execution", '"reprocess"') if button in text.lower()}


def told(execution: Execution) -> str:
    return str(advice(execution, redrive="redrive", again="start a new execution"))


@pytest.mark.parametrize(
    "error", sorted(our_errors() | errors_of_the_definition() | errors_of_step_functions() | set(_BY_ERROR))
)
def test_an_error_has_a_row_and_is_answered_with_its_button(error: str) -> None:
    rows = [row for row in ROWS if f"`{error}`" in row[1]]
    assert rows, f"docs/reruns.md says nothing of {error}"
    status = "TIMED_OUT" if error == "States.Timeout" else "FAILED"
    for row in rows:
        assert buttons(row[2]) == buttons(told(failed(error, status))), row


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_an_end_without_an_error_of_its_own_has_a_row_too(status: str) -> None:
    (row,) = [row for row in ROWS if f"`{status}`" in row[1]]
    assert buttons(row[2]) == buttons(told(failed(status, status))) == {"redrive"}


@pytest.mark.parametrize("error", sorted(our_errors()))
def test_an_error_of_ours_has_a_remedy_of_its_own(error: str) -> None:
    assert error in _BY_ERROR


def test_where_no_redrive_is_possible_none_is_advised() -> None:
    said = str(advice(failed("JobFailed", redrivable=False)))
    assert "again drop-1" in said
    assert "redrive drop-1" not in said
