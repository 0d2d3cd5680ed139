import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas import claims
from lambdas.claims import Claims, keep
from lambdas.shared import storage
from lambdas.takeovers import takeover_of

CLINICAL = "clinical-bucket"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:pipeline:"


def claim(execution: str, transcript_id: str = "t") -> str:
    return claims_of(execution, transcript_id)[transcript_id]


def claims_of(execution: str, *transcript_ids: str) -> dict[str, str]:
    with ThreadPoolExecutor(1) as pool:
        return Claims(CLINICAL, f"{EXECUTION}{execution}").claim(pool, transcript_ids)


@pytest.fixture
def stepfunctions(s3: Any, stubbed: Callable[[Any], Stubber]) -> Stubber:
    return stubbed(claims.stepfunctions)


def expect_status(stepfunctions: Stubber, execution: str, status: str) -> None:
    arn = f"{EXECUTION}{execution}"
    answer = {"executionArn": arn, "stateMachineArn": "m", "status": status, "startDate": 0}
    stepfunctions.add_response("describe_execution", answer, {"executionArn": arn, "includedData": "METADATA_ONLY"})


def test_a_recording_that_nobody_works_on_is_taken(stepfunctions: Stubber) -> None:
    assert claim("e-1") == "e-1"
    assert keep(CLINICAL, "t", "e-2") == "e-1"


def test_a_claim_that_names_nobody_holds_nothing(stepfunctions: Stubber, s3: Any) -> None:
    for take in (claim, partial(keep, CLINICAL, "t")):
        s3.put_object(Bucket=CLINICAL, Key="claims/t", Body=b"copied, and its metadata were not")
        assert take("e-1") == "e-1"
        assert s3.head_object(Bucket=CLINICAL, Key="claims/t")["Metadata"] == {"execution": "e-1"}


def test_taking_it_again_asks_nobody(stepfunctions: Stubber) -> None:
    assert [claim("e-1"), claim("e-1")] == ["e-1", "e-1"]


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_a_recording_that_another_execution_works_on_is_left_to_it(stepfunctions: Stubber, status: str) -> None:
    claim("e-1")
    expect_status(stepfunctions, "e-1", status)
    assert claim("e-2") == "e-1"
    assert keep(CLINICAL, "t", "e-2") == "e-1"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_what_a_failed_execution_left_is_taken_over_and_it_is_told(
    stepfunctions: Stubber, s3: Any, status: str
) -> None:
    claim("e-1")
    expect_status(stepfunctions, "e-1", status)
    expect_status(stepfunctions, "e-1", status)
    assert claim("e-2") == "e-2"
    told = json.loads(s3.get_object(Bucket=CLINICAL, Key="batches/e-1/taken-over.json")["Body"].read())
    assert told["taken_over_by"] == "e-2"


def test_what_a_finished_execution_could_not_use_may_be_tried_again(stepfunctions: Stubber, s3: Any) -> None:
    claim("e-1")
    expect_status(stepfunctions, "e-1", "SUCCEEDED")
    assert claim("e-2") == "e-2"
    assert storage.find_head(CLINICAL, "batches/e-1/taken-over.json") is None


def test_an_execution_that_step_functions_has_forgotten_has_ended(stepfunctions: Stubber) -> None:
    claim("e-1")
    stepfunctions.add_client_error("describe_execution", "ExecutionDoesNotExist")
    assert claim("e-2") == "e-2"


def test_of_two_that_take_over_at_the_same_moment_one_gets_it(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = {"e-1": "FAILED", "e-3": "RUNNING"}
    monkeypatch.setattr(Claims, "_describe", lambda self, execution: statuses[execution])
    claim("e-1")
    find_head = storage.find_head

    def overtaken(bucket: str, key: str) -> Any:
        head = find_head(bucket, key)
        monkeypatch.setattr("lambdas.claims.find_head", find_head)
        assert claim("e-3") == "e-3"
        return head

    monkeypatch.setattr("lambdas.claims.find_head", overtaken)
    assert claim("e-2") == "e-3"


def test_a_recording_stays_with_an_execution_that_is_redriven_before_it_is_told(stepfunctions: Stubber) -> None:
    claim("e-1")
    expect_status(stepfunctions, "e-1", "FAILED")
    expect_status(stepfunctions, "e-1", "RUNNING")
    assert claim("e-2") == "e-1"


def test_a_recording_stays_with_an_execution_that_is_redriven_and_keeps_it_while_another_comes_for_it(
    stepfunctions: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim("e-1")
    for status in ("FAILED", "FAILED", "RUNNING"):
        expect_status(stepfunctions, "e-1", status)
    write = claims._write

    def kept_first(bucket: str, execution: str, transcript_id: str, head: Any) -> bool:
        if head:
            monkeypatch.setattr(claims, "_write", write)
            assert keep(bucket, "t", "e-1") == "e-1"
        return write(bucket, execution, transcript_id, head)

    monkeypatch.setattr(claims, "_write", kept_first)
    assert claim("e-2") == "e-1"


def test_what_was_taken_over_is_not_kept(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Claims, "_describe", lambda self, execution: "FAILED")
    claim("e-1")
    write = claims._write

    def taken_first(bucket: str, execution: str, transcript_id: str, head: Any) -> bool:
        monkeypatch.setattr(claims, "_write", write)
        assert claim("e-2") == "e-2"
        return write(bucket, execution, transcript_id, head)

    monkeypatch.setattr(claims, "_write", taken_first)
    assert keep(CLINICAL, "t", "e-1") == "e-2"


def test_a_claim_that_has_expired_is_made_again(s3: Any) -> None:
    assert keep(CLINICAL, "t", "e-1") == "e-1"
    assert keep(CLINICAL, "t", "e-2") == "e-1"


def test_an_execution_is_asked_for_no_more_often_however_many_recordings_it_left(stepfunctions: Stubber) -> None:
    claim("e-1", "t1")
    claim("e-1", "t2")
    expect_status(stepfunctions, "e-1", "FAILED")
    expect_status(stepfunctions, "e-1", "FAILED")
    assert claims_of("e-2", "t1", "t2") == {"t1": "e-2", "t2": "e-2"}


def test_a_status_that_is_older_than_the_claim_is_not_believed(
    s3: Any, stepfunctions: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An execution is redriven and keeps its recordings while another, which has seen it failed, takes them over."""
    ids = ("t1", "t2", "t3")
    for transcript_id in ids:
        claim("e-1", transcript_id)
    for status in ("FAILED", "FAILED", "RUNNING"):
        expect_status(stepfunctions, "e-1", status)
    write, taken = claims._write, list[str]()

    def redriven_in_between(bucket: str, execution: str, transcript_id: str, head: Any) -> bool:
        if head and execution == "e-2":
            taken.append(transcript_id)
            if len(taken) == 2:
                assert [keep(bucket, one, "e-1") for one in ids] == ["e-2", "e-1", "e-1"]
        return write(bucket, execution, transcript_id, head)

    monkeypatch.setattr(claims, "_write", redriven_in_between)
    assert claims_of("e-2", *ids) == {"t1": "e-2", "t2": "e-1", "t3": "e-1"}


def test_what_is_told_of_a_takeover_is_different_each_time(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Claims, "_describe", lambda self, execution: "FAILED")
    told = set()
    for transcript_id in ("t1", "t2"):
        claim("e-1", transcript_id)
        claim("e-2", transcript_id)
        told.add(takeover_of(CLINICAL, "e-1"))
    assert len(told) == 2


def test_a_missing_permission_is_not_taken_for_a_lost_race(stubbed: Callable[[Any], Stubber]) -> None:
    stubbed(storage.s3).add_client_error("put_object", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        claim("e-1")
