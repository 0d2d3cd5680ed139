"""A few cases of the fault matrix, those that most pipelines lose or double something in; `make faults` runs all."""

from collections.abc import Iterator

import pytest

from local.aws.faults import Kind
from tests.faults.job_failures import job_failures, run_job_failure
from tests.faults.matrix import Case, Remedy, calls_made, cases_of, run_case
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


def test_a_job_that_fails_for_our_side_s_sake_is_started_again_by_a_redrive(running: World) -> None:
    (case,) = [
        case for case in job_failures() if str(case).startswith("comprehendmedical") and case.remedy == "redrive"
    ]
    verdict = run_job_failure(running, case)
    assert (verdict.outcome, verdict.problems) == ("after redrive", [])


def test_the_matrix_has_every_function_and_every_service(running: World) -> None:
    cases = list(cases_of(calls_made(running)))
    assert len({case.caller for case in cases}) == 15  # the functions, and the state machine itself
    assert {case.service for case in cases} >= {
        "s3",
        "transcribe",
        "comprehendmedical",
        "cleanroomsml",
        "stepfunctions",
    }
    assert len(cases) > 300
