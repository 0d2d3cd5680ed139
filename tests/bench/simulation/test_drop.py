import copy
from dataclasses import replace

import pytest

from bench.simulation.alternatives import Design, DesignedServices
from bench.simulation.assumptions import QUOTAS
from bench.simulation.drop import DEFINITION, ENVIRONMENT, Drop, measures, peer, pipeline
from infra.environment import Environment, Transcription

FEW = 600


def environment(batch_size: int, concurrent_jobs: int) -> Environment:
    return replace(ENVIRONMENT, batch_size=batch_size, transcription=Transcription(concurrent_jobs))


@pytest.fixture(scope="module")
def ours() -> Drop:
    return pipeline(FEW, environment=environment(300, 100))


def test_a_drop_becomes_as_many_executions_as_it_fills_batches(ours: Drop) -> None:
    assert (ours.executions, ours.entity_detection_jobs) == (2, 2)


def test_every_recording_of_a_drop_that_fits_the_quota_is_transcribed_and_looked_at(ours: Drop) -> None:
    assert (ours.failed, ours.failed_executions) == (0, 0)
    assert ours.entity_detection_end > ours.transcription_end > ours.limit


def test_executions_share_the_jobs_and_try_again_and_again_if_they_do_not() -> None:
    small = environment(100, 250)
    assert measures(pipeline(FEW, environment=small)).attempts < 1.05
    alone = Design(shared=False, batch_size=100)
    crowded = pipeline(FEW, environment=small, services_of=lambda drop, most: DesignedServices(drop, most, alone))
    assert measures(crowded).attempts > 1.2
    assert crowded.failed == 0


def test_what_is_not_retried_long_enough_fails_its_batch() -> None:
    impatient = copy.deepcopy(DEFINITION)
    child = impatient["States"]["TranscribeMedia"]["ItemProcessor"]["States"]["StartTranscription"]
    for retrier in child["Retry"]:
        retrier["MaxAttempts"] = min(retrier["MaxAttempts"], 1)
    alone = Design(shared=False, batch_size=100)
    crowd = environment(100, 100)
    found = pipeline(FEW, impatient, crowd, lambda drop, most: DesignedServices(drop, most, alone))
    assert found.failed > 0
    assert found.failed_executions > 0


def test_an_execution_per_recording_loses_most_of_a_drop_and_one_map_none() -> None:
    assert peer(FEW, as_one_map=False).failed > 0
    assert peer(FEW, as_one_map=True).failed == 0


def test_the_worst_second_of_a_quota_is_told_with_its_name(ours: Drop) -> None:
    found = measures(ours)
    assert found.worst == max(ours.most.values())
    assert found.worst_quota in QUOTAS
