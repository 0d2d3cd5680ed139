from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from lambdas.cohorts import cohort_rules
from lambdas.cohorts.cohort_rules import Cohort, Found, FoundTrait
from lambdas.cohorts.indexes import Index, Indexes, read_indexes, reconciled, write_indexes
from lambdas.shared.members import Membership
from tests.lambdas.rebuilding import FEVER

COUGH: Cohort = {**FEVER, "name": "cough", "terms": ["cough"]}
WRITTEN = datetime(2026, 11, 27, tzinfo=UTC)


def reconcile(listed: list[Index], *cohorts: Cohort, execution: str = "e-1") -> list[Index]:
    first = len(listed)
    return reconciled(listed, list(cohorts), execution, (f"i-{number}" for number in count(first)))


def states(listed: list[Index]) -> list[tuple[str, str, str]]:
    return [(index["name"], index["cohort"], index["state"]) for index in listed]


def ready(listed: list[Index]) -> list[Index]:
    return [{**index, "state": "ready"} for index in listed]


def test_each_cohort_gets_an_index_that_has_to_be_built_once() -> None:
    listed = reconcile([], FEVER, COUGH)
    assert states(listed) == [("i-0", "fever", "building"), ("i-1", "cough", "building")]
    assert {index["execution"] for index in listed} == {"e-1"}
    assert reconcile(listed, FEVER, COUGH, execution="e-2") == listed
    assert reconcile(ready(listed), COUGH, FEVER, execution="e-2") == ready(listed)


@pytest.mark.parametrize(
    "change", [{"category": "MEDICATION"}, {"terms": []}, {"minimum_score": 0.6}, {"excluded_traits": ["NEGATION"]}]
)
def test_changed_rules_retire_an_index_and_make_another(change: Any) -> None:
    listed = reconcile(ready(reconcile([], FEVER, COUGH)), {**FEVER, **change}, COUGH, execution="e-2")
    assert states(listed) == [("i-0", "fever", "retired"), ("i-1", "cough", "ready"), ("i-2", "fever", "building")]
    assert [index["execution"] for index in listed] == ["e-2", "e-1", "e-2"]


@pytest.mark.parametrize("change", [{"minimum_seed_size": 500}, {"export": {"type": "ABSOLUTE", "value": 5}}])
def test_the_use_of_the_members_is_no_rule(change: Any) -> None:
    listed = ready(reconcile([], FEVER))
    assert reconcile(listed, {**FEVER, **change}) == listed


def test_rules_that_come_back_get_an_index_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one missed all commits of records between."""
    listed = ready(reconcile([], FEVER))
    listed = reconcile(reconcile(listed, {**FEVER, "terms": []}), FEVER)
    assert states(listed) == [("i-0", "fever", "retired"), ("i-1", "fever", "retired"), ("i-2", "fever", "building")]


def test_a_cohort_that_is_not_configured_any_more_loses_its_index() -> None:
    assert states(reconcile(ready(reconcile([], FEVER)))) == [("i-0", "fever", "retired")]


def test_code_that_judges_otherwise_and_another_lifetime_of_records_make_another_index(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = ready(reconcile([], FEVER))
    monkeypatch.setenv("RESULTS_EXPIRE_AFTER_DAYS", "30")
    assert states(reconcile(listed, FEVER))[1:] == [("i-1", "fever", "building")]
    monkeypatch.setenv("RESULTS_EXPIRE_AFTER_DAYS", "")
    monkeypatch.setattr("lambdas.cohorts.indexes.VERSION", cohort_rules.VERSION + 1)
    assert states(reconcile(listed, FEVER))[1:] == [("i-1", "fever", "building")]


def test_an_index_is_ready_by_the_rules_of_its_cohort_alone() -> None:
    listed = reconcile([], FEVER, COUGH)
    assert Indexes(1, listed).ready(FEVER) is None
    assert Indexes(1, ready(listed)).ready(COUGH) == "i-1"
    assert Indexes(1, ready(listed)).ready({**FEVER, "terms": []}) is None


def found(text: str, **more: Any) -> Found:
    members = {"score": 0.9, "audience_consent": True, "traits": (), **more}
    return Found(user_id="p-1", media_id="m", category="MEDICAL_CONDITION", text=text, **members)


@pytest.mark.parametrize(
    ("record", "members"),
    [
        (found("Fever"), {"i-0"}),
        (found("cough"), {"i-1"}),
        (found("fever", score=0.4), set()),
        (found("fever", score=None), set()),
        (found("fever", audience_consent=False), set()),
        (found("cough", traits=(FoundTrait("NEGATION"),)), {"i-1"}),
    ],
)
def test_an_object_is_a_member_by_its_records_while_an_index_is_built_and_after(
    record: Found, members: set[str]
) -> None:
    listed = reconcile([], FEVER, COUGH)
    for indexes in (listed, ready(listed)):
        membership = Indexes(1, indexes).membership("p-1", [found("rash"), record], WRITTEN)
        assert membership == Membership("p-1", frozenset(members), None)


def test_a_retired_index_gets_no_member() -> None:
    listed = reconcile(reconcile([], FEVER, COUGH), COUGH)
    membership = Indexes(1, listed).membership("p-1", [found("fever"), found("cough")], WRITTEN)
    assert membership == Membership("p-1", frozenset({"i-1"}), None)
    assert Indexes(1, reconcile(listed)).membership("p-1", [found("fever")], WRITTEN) is None


def test_whom_no_line_of_the_suppression_list_could_name_is_a_member_of_nothing() -> None:
    membership = Indexes(1, reconcile([], FEVER)).membership("p\n1", [found("fever")], WRITTEN)
    assert membership == Membership("p\n1", frozenset(), None)


def test_a_membership_expires_with_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESULTS_EXPIRE_AFTER_DAYS", "10")
    membership = Indexes(1, reconcile([], FEVER)).membership("p-1", [], WRITTEN)
    assert membership is not None
    assert membership.expires_at == datetime(2026, 12, 7, tzinfo=UTC).timestamp()


@pytest.mark.usefixtures("s3")
def test_the_list_is_replaced_only_as_it_was_read() -> None:
    nothing = read_indexes()
    assert nothing == Indexes(0, [])
    listed = reconcile([], FEVER)
    assert write_indexes(nothing, listed)
    assert not write_indexes(nothing, [])
    assert read_indexes() == Indexes(1, listed)
    assert write_indexes(read_indexes(), [])
    assert read_indexes() == Indexes(2, [])
