"""A few cases of the fault matrix, those that most pipelines lose or double something in; `make faults` runs all."""

from collections.abc import Iterator

import pytest

from local.aws.faults import Kind
from tests.faults.job_failures import job_failures, run_job_failure
from tests.faults.matrix import Case, Remedy, calls_made, cases_of, run_case
from tests.faults.object_faults import CALLS, SERVICE, ObjectCase, ObjectFault, object_cases, run_object_case
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

OBJECT_CASES: list[tuple[str, str, ObjectFault]] = [
    ("plan_batch", "HeadObject", "under a customer's key"),
    ("start_transcription", "GetObject", "under another key"),
    (SERVICE, "GetObject", "archived in a tier"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with world(cases=20) as running:
        yield running


@pytest.mark.parametrize(("caller", "service", "operation", "kind", "remedy", "outcome"), CASES)
def test_nothing_is_lost_and_nothing_done_twice(
    running: World, caller: str, service: str, operation: str, kind: Kind, remedy: Remedy, outcome: str
) -> None:
    verdict = run_case(running, Case(caller, service, operation, kind, remedy))
    assert (verdict.outcome, verdict.problems) == (outcome, [])


@pytest.mark.parametrize(("caller", "operation", "fault"), OBJECT_CASES)
def test_what_happens_to_one_recording_s_object_stops_no_other(
    running: World, caller: str, operation: str, fault: ObjectFault
) -> None:
    verdict = run_object_case(running, ObjectCase(caller, "s3", operation, fault))
    assert (verdict.outcome, verdict.problems) == ("survived alone", [])


def test_a_job_that_fails_for_our_side_s_sake_is_started_again_by_a_redrive(running: World) -> None:
    (case,) = [
        case for case in job_failures() if str(case).startswith("comprehendmedical") and case.remedy == "redrive"
    ]
    verdict = run_job_failure(running, case)
    assert (verdict.outcome, verdict.problems) == ("after redrive", [])


def test_the_matrix_has_every_function_and_every_service(running: World) -> None:
    calls = calls_made(running)
    cases = list(cases_of(calls))
    assert len({case.caller for case in cases}) == 15  # the functions, and the state machine itself
    assert {case.service for case in cases} >= {
        "s3",
        "transcribe",
        "comprehendmedical",
        "cleanroomsml",
        "stepfunctions",
    }
    assert len(cases) > 300
    # Whatever is asked about one recording before its job is asked of a spoiled one, too.
    who, what = ("plan_batch", "start_transcription"), ("HeadObject", "GetObject", "StartMedicalTranscriptionJob")
    about_one = {(call.caller, call.service, call.operation) for call in calls if call.operation in what}
    assert {call for call in about_one if call[0] in who} == {call for call in CALLS if call[0] != SERVICE}
    assert len(list(object_cases())) == 28
