import copy

import pytest

from bench.simulation.alternatives import Design, DesignedServices
from bench.simulation.assumptions import QUOTAS
from bench.simulation.drop import DEFINITION, ENVIRONMENT, Drop, measures, peer, pipeline

FEW = 600


@pytest.fixture(scope="module")
def ours() -> Drop:
    return pipeline(FEW, environment={**ENVIRONMENT, "batch_size": 300, "transcription": {"concurrent_jobs": 100}})


def test_a_drop_becomes_as_many_executions_as_it_fills_batches(ours: Drop) -> None:
    assert (ours.executions, ours.entity_detection_jobs) == (2, 2)


def test_every_recording_of_a_drop_that_fits_the_quota_is_transcribed_and_looked_at(ours: Drop) -> None:
    assert (ours.failed, ours.failed_executions) == (0, 0)
    assert ours.entity_detection_end > ours.transcription_end > ours.limit


def test_executions_share_the_jobs_and_try_again_and_again_if_they_do_not() -> None:
    environment = {**ENVIRONMENT, "batch_size": 100, "transcription": {"concurrent_jobs": 250}}
    assert measures(pipeline(FEW, environment=environment)).attempts < 1.05
    alone = Design(shared=False, batch_size=100)
    crowded = pipeline(FEW, environment=environment, services_of=lambda drop, most: DesignedServices(drop, most, alone))
    assert measures(crowded).attempts > 1.2
    assert crowded.failed == 0


def test_what_is_not_retried_long_enough_fails_its_batch() -> None:
    impatient = copy.deepcopy(DEFINITION)
    child = impatient["States"]["TranscribeMedia"]["ItemProcessor"]["States"]["StartTranscription"]
    for retrier in child["Retry"]:
        retrier["MaxAttempts"] = min(retrier["MaxAttempts"], 1)
    alone = Design(shared=False, batch_size=100)
    environment = {**ENVIRONMENT, "batch_size": 100, "transcription": {"concurrent_jobs": 100}}
    found = pipeline(FEW, impatient, environment, lambda drop, most: DesignedServices(drop, most, alone))
    assert found.failed > 0
    assert found.failed_executions > 0


def test_an_execution_per_recording_loses_most_of_a_drop_and_one_map_none() -> None:
    assert peer(FEW, as_one_map=False).failed > 0
    assert peer(FEW, as_one_map=True).failed == 0


def test_the_worst_second_of_a_quota_is_told_with_its_name(ours: Drop) -> None:
    found = measures(ours)
    assert found.worst == max(ours.most.values())
    assert found.worst_quota in QUOTAS
