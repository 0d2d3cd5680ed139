"""What is wrong at a step of a history is seen there."""

import json
from collections.abc import Iterator

import pytest

from lambdas.shared.layout import seed_key
from tests.interleavings.scenarios import key, media
from tests.simulation.aws import AUDIENCE
from tests.storms.functions import Invocation
from tests.storms.watch import CANARY, CROWDED, LEAKED, MOST_STATE_BYTES, TAKEN, TOO_LARGE
from tests.storms.world import World, new_world


@pytest.fixture
def world() -> Iterator[World]:
    with new_world(1) as world:
        world.calm()
        yield world


def kinds(world: World) -> list[str]:
    return [violation.kind for violation in world.watch.found]


def test_a_function_that_returns_what_was_said_leaks(world: World) -> None:
    world.put(key("a"))
    text = world.buckets.versions("media-bucket", key("a"))[0].body.decode()
    assert CANARY in text
    Invocation(world, "E1 Step 1", lambda: {"words": text}, 60.0, None)
    world.run()
    assert kinds(world) == [LEAKED]


def test_an_error_that_quotes_what_was_said_leaks(world: World) -> None:
    def work() -> None:
        raise ValueError(f"a-1-0-{CANARY}")

    Invocation(world, "E1 Step 1", work, 60.0, None)
    world.run()
    assert kinds(world) == [LEAKED]


def test_a_state_that_is_too_large_is_seen(world: World) -> None:
    world.watch.state("y" * MOST_STATE_BYTES)
    assert kinds(world) == []
    world.watch.state("y" * (MOST_STATE_BYTES + 1))
    assert kinds(world) == [TOO_LARGE]


def test_a_log_that_has_what_was_said_leaks(world: World) -> None:
    world.watch.log("a plain sentence")
    assert kinds(world) == []
    world.watch.log(f"it said {CANARY}")
    assert kinds(world) == [LEAKED]


def test_more_jobs_than_the_environment_may_run_are_seen(world: World) -> None:
    for number in range(world.concurrent_jobs + 1):
        world.put(f"media/p-a/{number}.wav")
        assert kinds(world) == []
        world.transcribe.start_medical_transcription_job(
            MedicalTranscriptionJobName=f"job-{number}",
            Media={"MediaFileUri": f"s3://media-bucket/media/p-a/{number}.wav"},
            OutputKey=f"transcripts/{number}.json",
            Type="DICTATION",
        )
    assert kinds(world) == [CROWDED]


def seed_of(world: World, *user_ids: str) -> None:
    """A function writes a seed."""
    body = "".join(json.dumps({"user_id": user_id}) + "\n" for user_id in user_ids).encode()
    Invocation(
        world, "E1 SelectSeeds 1", lambda: void(world.buckets.put(AUDIENCE, seed_key("c", "s"), body, {})), 60.0, None
    )
    world.run()


def void(_: object) -> None:
    """A function that returns nothing."""


def test_a_seed_with_somebody_who_was_suppressed_before_is_seen(world: World) -> None:
    seed_of(world, "p-a", "p-b")
    assert kinds(world) == []
    world.suppress("p-a")
    world.run(until=world.clock.now + 1)
    seed_of(world, "p-b")
    assert kinds(world) == []
    seed_of(world, "p-a", "p-b")
    assert kinds(world) == [TAKEN]


def test_somebody_who_withdraws_is_not_taken_until_there_is_consent_again(world: World) -> None:
    world.put(key("a"))
    execution = world.start("E1", media("a"))
    world.watch.planned(execution, world.watch.versions())
    world.run()
    seed_of(world, "p-a")
    assert kinds(world) == [TAKEN]
    world.put(key("a"), consent=True)
    seed_of(world, "p-a")
    assert kinds(world) == [TAKEN]
