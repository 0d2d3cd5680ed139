import copy
from dataclasses import replace
from typing import Any

import pytest

from bench.simulation.alternatives import DESIGNS, Design, DesignedServices, definition_of, simulate
from bench.simulation.assumptions import QUOTAS
from bench.simulation.clock import Steps
from bench.simulation.drop import DEFINITION, ENVIRONMENT, Drop, Services, measures, peer, pipeline
from infra.environment import Environment, Transcription
from infra.ingest import RETENTION
from lambdas.planning.turns import TURNS

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
    # More than in a larger drop: at first all recordings are long, and the few places above the jobs are refused.
    assert measures(pipeline(FEW, environment=small)).attempts < 1.1
    alone = Design(shared=False, turns=False, batch_size=100)
    crowded = pipeline(FEW, definition_of(alone), small, lambda drop, most: DesignedServices(drop, most, alone))
    assert measures(crowded).attempts > 1.2
    assert crowded.failed == 0


def test_what_is_not_retried_long_enough_fails_its_batch() -> None:
    alone = Design(shared=False, turns=False, batch_size=100)
    impatient = copy.deepcopy(definition_of(alone))
    child = impatient["States"]["TranscribeMedia"]["ItemProcessor"]["States"]["StartTranscription"]
    for retrier in child["Retry"]:
        retrier["MaxAttempts"] = min(retrier["MaxAttempts"], 1)
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


MANY = environment(20, 100)


def test_no_more_executions_transcribe_at_a_time_than_have_a_useful_share() -> None:
    most = []

    class Watched(Services):
        def divide(self, *arguments: Any) -> Steps:
            most.append(len(self.world.map_runs))
            yield from super().divide(*arguments)

    crowd = pipeline(4000, environment=MANY, services_of=Watched)
    assert (crowd.failed, crowd.executions) == (0, 200)
    assert 10 < max(most) <= TURNS
    assert measures(crowd).attempts < 1.05
    without = Design(turns=False, batch_size=20)
    before = pipeline(4000, definition_of(without), MANY, lambda drop, jobs: DesignedServices(drop, jobs, without))
    assert measures(before).attempts > 1.5, "the first shares alone exceed the jobs"


def test_an_execution_that_waits_too_long_times_out_and_its_recordings_fail() -> None:
    hasty = {**DEFINITION, "TimeoutSeconds": 3600}
    found = pipeline(4000, hasty, MANY)
    assert found.timed_out_executions == found.failed_executions > 0
    assert 0 < found.failed < 4000


def test_a_wait_for_a_turn_writes_few_events_an_hour() -> None:
    found = pipeline(4000, environment=MANY)
    hours = found.transcription_end / 3600
    assert found.longest_history < 260 + 7 * hours


def test_a_backfill_has_so_many_executions_at_a_time_and_ends_as_a_drop_does() -> None:
    most = []

    class Watched(Services):
        def plan(self, event: Any) -> Steps:
            most.append(len(self.executions))
            return super().plan(event)

    found = pipeline(2000, environment=MANY, services_of=Watched, backfill=5)
    assert (found.failed, found.executions, max(most)) == (0, 100, 5)
    assert found.queue_end == 0


def test_events_are_taken_long_before_the_queue_forgets_them(ours: Drop) -> None:
    assert ours.queue_end / FEW * 1_000_000 < RETENTION.to_seconds() / 10


def test_the_design_without_turns_still_runs() -> None:
    assert simulate(600, DESIGNS["without turns"]).failed == 0
