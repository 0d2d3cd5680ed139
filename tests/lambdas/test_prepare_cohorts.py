import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdas import prepare_cohorts
from lambdas.cohorts.cohort_rules import Cohort
from lambdas.cohorts.indexes import read_indexes
from lambdas.shared.state import Batch, PreparedCohorts, Rebuild
from tests.lambdas.rebuilding import FEVER

CLINICAL = "clinical-bucket"
ARN = "arn:aws:states:us-east-1:123456789012:execution:pipeline"
COUGH: Cohort = {**FEVER, "name": "cough", "terms": ["cough"]}


@pytest.fixture(autouse=True)
def statuses(s3: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The executions that run; all others have ended."""
    running: dict[str, str] = {}
    monkeypatch.setattr(prepare_cohorts, "works", lambda arn: arn.rpartition(":")[2] in running)
    return running


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(*cohorts: Cohort) -> None:
        monkeypatch.setenv("COHORTS", json.dumps(cohorts))

    use(FEVER)
    return use


def prepare(execution: str) -> PreparedCohorts:
    return prepare_cohorts.prepare({"execution_arn": f"{ARN}:{execution}"}, None)


def finish(execution: str, prepared: PreparedCohorts) -> Rebuild:
    batch: Batch = {"batch_id": execution, "bucket": CLINICAL}  # type: ignore[typeddict-item]
    return prepare_cohorts.finish({"batch": batch, "indexes": prepared["indexes"]}, None)


def states() -> dict[str, str]:
    return {index["cohort"]: index["state"] for index in read_indexes().listed}


@pytest.mark.usefixtures("configure")
def test_the_first_execution_rebuilds_and_every_later_one_selects_at_once() -> None:
    first = prepare("e-1")
    assert (first["status"], first["records_prefix"]) == ("REBUILD", "records/")
    assert [index["name"] for index in read_indexes().listed] == first["indexes"]
    assert finish("e-1", first) == {"unreadable_records": {"count": 0, "first": []}}
    for execution in ("e-1", "e-2"):
        assert prepare(execution)["status"] == "READY"
    assert read_indexes().version == 2


def test_without_cohorts_nothing_is_written() -> None:
    assert prepare("e-1")["status"] == "READY"
    assert read_indexes().version == 0


@pytest.mark.usefixtures("configure")
def test_an_execution_waits_for_the_one_that_rebuilds_and_takes_over_once_that_has_ended(
    statuses: dict[str, str],
) -> None:
    first = prepare("e-1")
    statuses["e-1"] = "RUNNING"
    assert (prepare("e-2")["status"], prepare("e-2")["indexes"]) == ("WAIT", [])
    del statuses["e-1"]
    second = prepare("e-2")
    assert (second["status"], second["indexes"]) == ("REBUILD", first["indexes"])
    finish("e-2", second)
    assert prepare("e-3")["status"] == "READY"
    # A redrive of the first one finishes the same index.
    finish("e-1", first)
    assert states() == {"fever": "ready"}


def test_an_execution_whose_cohorts_have_changed_meanwhile_rebuilds_again(
    configure: Callable[..., None], statuses: dict[str, str]
) -> None:
    first = prepare("e-1")
    statuses["e-1"] = "RUNNING"
    configure(FEVER, COUGH)
    second = prepare("e-2")
    assert second["status"] == "REBUILD"
    assert not {*second["indexes"]} & {*first["indexes"]}
    finish("e-2", second)
    assert states() == {"fever": "building", "cough": "ready"}
    assert prepare("e-2")["status"] == "WAIT"
    finish("e-1", first)
    assert prepare("e-2")["status"] == prepare("e-1")["status"] == "READY"


def test_an_index_that_is_not_needed_any_more_is_emptied_and_then_forgotten(
    configure: Callable[..., None], statuses: dict[str, str]
) -> None:
    finish("e-1", prepare("e-1"))
    configure(COUGH)
    second = prepare("e-2")
    assert states() == {"fever": "retired", "cough": "building"}
    assert len(second["indexes"]) == 2
    finish("e-2", second)
    assert states() == {"cough": "ready"}


def test_nobody_waits_while_another_empties_an_index(configure: Callable[..., None], statuses: dict[str, str]) -> None:
    finish("e-1", prepare("e-1"))
    configure()
    assert prepare("e-2")["status"] == "REBUILD"
    statuses["e-2"] = "RUNNING"
    assert prepare("e-3")["status"] == "READY"


@pytest.mark.usefixtures("configure")
def test_a_list_that_changes_each_time_fails_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare("e-1")
    monkeypatch.setattr(prepare_cohorts, "write_indexes", lambda *given: False)
    message = r"^indexes#current changed 10 times while execution e-1 tried to write it"
    with pytest.raises(RuntimeError, match=message):
        finish("e-1", first)
    monkeypatch.setenv("COHORTS", "[]")
    with pytest.raises(RuntimeError, match=message):
        prepare("e-1")
