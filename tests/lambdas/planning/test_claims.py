from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.entities.jobs import Documents, write_documents_of
from lambdas.planning import claims, other_executions
from lambdas.planning.claims import Claims
from lambdas.shared import claim_items, ledger
from lambdas.shared.claim_items import Claim, ExecutionItem, advance_generation, answer_for, read_claims
from lambdas.shared.ledger import Change, read_item
from lambdas.shared.ledger_keys import claim_key, execution_key

CLINICAL = "clinical-bucket"
ARN = "arn:aws:states:us-east-1:123456789012:execution:pipeline:"


@pytest.fixture
def stepfunctions(s3: Any, stubbed: Callable[[Any], Stubber]) -> Stubber:
    return stubbed(other_executions.stepfunctions)


@pytest.fixture
def statuses(s3: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What Step Functions says of each execution."""
    known: dict[str, str] = {}
    monkeypatch.setattr(other_executions, "_status", lambda arn: known[arn.removeprefix(ARN)])
    return known


def expect_status(stepfunctions: Stubber, execution: str, status: str) -> None:
    answer = {"executionArn": ARN + execution, "stateMachineArn": "a", "status": status, "startDate": 0}
    asked = {"executionArn": ARN + execution, "includedData": "METADATA_ONLY"}
    stepfunctions.add_response("describe_execution", answer, asked)


def claims_of(execution: str, *transcript_ids: str, planning: int = 0) -> dict[str, str]:
    with ThreadPoolExecutor(2) as pool:
        return Claims(CLINICAL, ARN + execution, planning).claim(pool, transcript_ids)


def claim(execution: str, transcript_id: str = "t", planning: int = 0) -> str:
    return claims_of(execution, transcript_id, planning=planning)[transcript_id]


def test_who_comes_first_has_it_and_keeps_it(stepfunctions: Stubber) -> None:
    assert claim("e-1") == "e-1"
    assert claim("e-1") == "e-1"
    assert read_claims(["t", "other"]) == {"t": Claim("e-1", 0)}


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_what_another_execution_works_on_is_left_to_it(stepfunctions: Stubber, status: str) -> None:
    claim("e-1")
    expect_status(stepfunctions, "e-1", status)
    assert claim("e-2") == "e-1"
    assert "generation" not in read_item(execution_key("e-1"))


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
def test_what_an_execution_that_has_ended_left_is_taken_over(stepfunctions: Stubber, status: str) -> None:
    claim("e-1")
    expect_status(stepfunctions, "e-1", status)
    assert claim("e-2") == "e-2"


def test_an_execution_that_step_functions_has_forgotten_has_ended(stepfunctions: Stubber) -> None:
    claim("e-1")
    stepfunctions.add_client_error("describe_execution", "ExecutionDoesNotExist")
    assert claim("e-2") == "e-2"


def test_an_execution_is_asked_for_once_however_many_recordings_it_left(stepfunctions: Stubber) -> None:
    ids = [f"t{number}" for number in range(205)]
    claims_of("e-1", *ids)
    expect_status(stepfunctions, "e-1", "FAILED")
    assert claims_of("e-2", *ids) == dict.fromkeys(ids, "e-2")


def test_the_jobs_that_cover_a_recording_go_with_it(statuses: dict[str, str]) -> None:
    statuses |= {"e-1": "FAILED", "e-2": "FAILED"}
    claims_of("e-1", "t1", "t2", "t3")
    generation = advance_generation("e-1").generation
    write_documents_of(CLINICAL, "one", Documents(["t1-how-0000.txt", "t1-how-0001.txt", "t2-how-0000.txt"]))
    write_documents_of(CLINICAL, "two", Documents(["t2-how-0001.txt"]))
    assert answer_for("e-1", "one", generation)
    assert answer_for("e-1", "two", generation)
    assert answer_for("e-1", "expired", generation)
    claims_of("e-2", "t1", "t2", "t3")
    assert {one: claim.jobs for one, claim in read_claims(["t1", "t2", "t3"]).items()} == {
        "t1": {"one"},
        "t2": {"one", "two"},
        "t3": set(),
    }
    claims_of("e-3", "t2")
    assert read_claims(["t2"])["t2"] == Claim("e-3", 0, frozenset({"one", "two"}))


def before(monkeypatch: pytest.MonkeyPatch, key: str, what: Callable[[], object]) -> None:
    """Let something happen just before the next change that touches an item."""
    single, together = ledger.write, ledger.write_together

    def happens(keys: list[str]) -> None:
        if key in keys:
            monkeypatch.setattr(claim_items, "write", single)
            monkeypatch.setattr(claims, "write_together", together)
            what()

    def overtaken(change: Change) -> Any:
        happens([change.key])
        return single(change)

    def overtaken_together(changes: list[Change]) -> bool:
        happens([change.key for change in changes])
        return together(changes)

    monkeypatch.setattr(claim_items, "write", overtaken)
    monkeypatch.setattr(claims, "write_together", overtaken_together)


def test_of_two_that_come_at_the_same_moment_one_gets_it(
    statuses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses["e-1"] = "RUNNING"
    before(monkeypatch, claim_key("t"), lambda: claim("e-1"))
    assert claim("e-2") == "e-1"


@pytest.mark.parametrize("key", [execution_key("e-1"), claim_key("t")])
def test_of_two_that_take_over_at_the_same_moment_one_gets_it(
    statuses: dict[str, str], monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    statuses |= {"e-1": "FAILED", "e-3": "RUNNING"}
    claim("e-1")
    before(monkeypatch, key, lambda: claim("e-3"))
    assert claim("e-2") == "e-3"


@pytest.mark.parametrize("key", [execution_key("e-1"), claim_key("t")])
def test_a_recording_stays_with_an_execution_that_is_redriven_and_looks_again_while_another_comes_for_it(
    statuses: dict[str, str], monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    statuses["e-1"] = "FAILED"
    claim("e-1")

    def redriven() -> None:
        statuses["e-1"] = "RUNNING"
        advance_generation("e-1")

    before(monkeypatch, key, redriven)
    assert claim("e-2") == "e-1"


def test_an_execution_that_was_taken_from_answers_for_no_job_that_it_prepared_before(statuses: dict[str, str]) -> None:
    statuses["e-1"] = "FAILED"
    claim("e-1")
    prepared = advance_generation("e-1")
    claim("e-2")
    assert not answer_for("e-1", "job", prepared.generation)
    assert answer_for("e-1", "job", advance_generation("e-1").generation)
    assert advance_generation("e-1") == ExecutionItem(4, 0, frozenset({"job"}))


def test_a_recording_that_keeps_changing_hands_fails_the_step(
    statuses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses["e-1"] = "FAILED"
    claim("e-1")
    monkeypatch.setattr(claims, "write_together", lambda changes: False)
    with pytest.raises(RuntimeError, match="claim#t changed 10 times while execution e-2"):
        claim("e-2")


def test_a_missing_right_is_not_taken_for_a_lost_race(stubbed: Callable[[Any], Stubber], s3: Any) -> None:
    refusing = stubbed(ledger.dynamodb)
    refusing.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": {}})
    refusing.add_response("update_item", {"Attributes": {}})
    refusing.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": {}})
    refusing.add_client_error("transact_write_items", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        claim("e-1")


def test_an_attempt_of_a_plan_that_a_later_one_has_overtaken_claims_nothing_any_more(
    statuses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping an execution doesn't stop its function, whose plan is never written."""
    claim("e-1", "other", planning=1)
    with pytest.raises(RuntimeError, match="A later attempt of PlanBatch has begun for execution e-1"):
        claim("e-1", planning=0)
    before(monkeypatch, claim_key("t"), lambda: claim("e-1", "other", planning=3))
    with pytest.raises(RuntimeError, match="claim#t changed 10 times"):
        claim("e-1", planning=2)
    assert read_claims(["t"]) == {}


def test_what_only_an_overtaken_attempt_has_claimed_may_be_taken_though_its_execution_works(
    stepfunctions: Stubber,
) -> None:
    claims_of("e-1", "t", "kept", planning=0)
    claims_of("e-1", "kept", planning=1)
    expect_status(stepfunctions, "e-1", "RUNNING")
    assert claims_of("e-2", "t", "kept") == {"t": "e-2", "kept": "e-1"}


def test_a_later_attempt_claims_again_what_an_earlier_one_has_claimed(stepfunctions: Stubber) -> None:
    assert claim("e-1", planning=0) == "e-1"
    assert claim("e-1", planning=5) == "e-1"
    assert read_claims(["t"])["t"].planning == 5
