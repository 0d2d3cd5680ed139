"""A few cases of the fault matrix, those that most pipelines lose or double something in; `make faults` runs all."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.functions import PIPELINE_STEPS, pascal_case
from local.aws.faults import Kind, SeenCall
from tests.docs.test_architecture import documented_calls
from tests.faults.job_failures import job_failures, run_job_failure
from tests.faults.matrix import STATE_MACHINE, Case, Remedy, calls_made, cases_of, run_case
from tests.faults.object_faults import (
    CALLS,
    FRAGMENTS,
    SERVICE,
    Call,
    ObjectCase,
    ObjectFault,
    object_cases,
    run_object_case,
)
from tests.faults.takeovers import Takeover, run_takeover
from tests.faults.world import World, world

# The call, what happens to it, what the operator does, and how it ends.
CASES: list[tuple[str, str, str, Kind, Remedy, str]] = [
    ("ingest", "stepfunctions", "StartExecution", "kill_after", "redrive", "survived alone"),
    ("start_transcription", "transcribe", "StartMedicalTranscriptionJob", "kill_after", "redrive", "survived alone"),
    ("start_entity_detection", "comprehendmedical", "StartEntitiesDetectionV2Job", "drop_after", "redrive",
     "survived alone"),
    ("collect_entities", "s3", "PutObject", "kms_disabled", "redrive", "after redrive"),
    ("poll_entity_detection", "comprehendmedical", "DescribeEntitiesDetectionV2Job", "access_denied", "new execution",
     "after new execution"),
    ("start_audience_generation", "cleanroomsml", "StartAudienceGenerationJob", "kill_after", "redrive",
     "survived alone"),
]  # fmt: skip

OBJECT_CASES: list[tuple[Call, ObjectFault]] = [
    (Call("plan_batch", "s3", "HeadObject"), "under a customer's key"),
    (Call("start_transcription", "s3", "GetObject"), "under another key"),
    (Call(SERVICE, "s3", "GetObject"), "archived in a tier"),
    (Call("prepare_documents", "s3", "GetObject", "transcript"), "archived"),
    (Call("collect_entities", "s3", "GetObject", "output"), "cut short"),
    (Call("index_records", "s3", "GetObject", "records"), "not UTF-8"),
    (Call("summarize_batch", "s3", "GetObject", "rejection"), "deleted"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with world() as running:
        yield running


@pytest.fixture(scope="module")
def calls(running: World) -> list[SeenCall]:
    return calls_made(running)


@pytest.mark.parametrize(("caller", "service", "operation", "kind", "remedy", "outcome"), CASES)
def test_nothing_is_lost_and_nothing_done_twice(
    running: World, caller: str, service: str, operation: str, kind: Kind, remedy: Remedy, outcome: str
) -> None:
    verdict = run_case(running, Case(caller, service, operation, kind, remedy))
    assert (verdict.outcome, verdict.problems) == (outcome, [])


@pytest.mark.parametrize(("call", "fault"), OBJECT_CASES)
def test_what_happens_to_one_recording_s_file_stops_no_other(running: World, call: Call, fault: ObjectFault) -> None:
    verdict = run_object_case(running, ObjectCase(call, fault))
    assert (verdict.outcome, verdict.problems) == ("survived alone", [])


def test_a_job_that_fails_for_our_side_s_sake_is_started_again_by_a_redrive(running: World) -> None:
    (case,) = [
        case for case in job_failures() if str(case).startswith("comprehendmedical") and case.remedy == "redrive"
    ]
    verdict = run_job_failure(running, case)
    assert (verdict.outcome, verdict.problems) == ("after redrive", [])


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("conflict", "after redrive"), ("kill_after", "after redrive"), ("access_denied", "after redrive")],
)
def test_what_goes_wrong_while_recordings_are_taken_over_loses_and_doubles_nothing(
    running: World, kind: Kind, outcome: str
) -> None:
    """The drop's own execution lies failed, and is redriven in the end."""
    verdict = run_takeover(running, Takeover("dynamodb", "TransactWriteItems", kind, "redrive"))
    assert (verdict.outcome, verdict.problems) == (outcome, [])


def test_the_matrix_has_every_function_and_every_service(calls: list[SeenCall]) -> None:
    cases = list(cases_of(calls))
    # A schedule calls share_jobs and the compaction, apart from any drop.
    called = {"ingest", *PIPELINE_STEPS, STATE_MACHINE}
    assert {case.caller for case in cases} == called
    assert {case.service for case in cases} >= {
        "s3",
        "dynamodb",
        "transcribe",
        "comprehendmedical",
        "cleanroomsml",
        "stepfunctions",
    }
    assert {case.call for case in object_cases()} == set(CALLS)


def test_the_architecture_says_of_every_call_what_its_failure_is_about(calls: list[SeenCall]) -> None:
    made = {(pascal_case(call.caller), call.operation) for call in calls}
    told = documented_calls()
    assert {call for call in made if call not in told and ("every step", call[1]) not in told} == set()


def test_every_call_about_one_recording_is_asked_of_a_spoiled_one(
    running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {file: re.compile(place.format(key=r"media/[^/]+/", media_id="[0-9a-f]{32}", object_id="[0-9a-f]{32}"))
              for file, place in FRAGMENTS.items()}  # fmt: skip
    asking = ("GetObject", "HeadObject", "StartMedicalTranscriptionJob")
    faults, found = running.run.pipeline.aws.faults, set()
    meet = faults.meet

    def noting(call: SeenCall, text: Callable[[], str]) -> Any:
        if call.caller.startswith("clinical-media-local-") and call.operation in asking:
            about = text().splitlines()[0] if call.service == "s3" else text()
            for file, place in places.items():
                if place.search(about):
                    found.add(
                        Call(call.caller.removeprefix("clinical-media-local-"), call.service, call.operation, file)
                    )
        return meet(call, text)

    monkeypatch.setattr(faults, "meet", noting)
    monkeypatch.setattr(faults, "recording", True)
    running.settled(running.drop())
    faults.clear()
    nothing_there = {
        Call("plan_batch", "s3", "HeadObject", "records"),
        Call("start_transcription", "s3", "HeadObject", "transcript"),
        Call("collect_entities", "s3", "HeadObject", "records"),
        Call("start_transcription", "transcribe", "StartMedicalTranscriptionJob", "transcript"),
    }
    rejected_only = {call for call in CALLS if call.file == "rejection"}
    assert found - nothing_there == {call for call in CALLS if call.caller != SERVICE} - rejected_only
