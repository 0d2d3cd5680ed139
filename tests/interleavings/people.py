"""What people and queues do by commands of ours: a message is delivered, a patient is forgotten."""

import json

from lambdas import ingest
from tests.interleavings.scheduler import Move
from tests.interleavings.world import World
from tests.simulation import forgetting
from tests.simulation.aws import MEDIA


def deliver(world: World, *names: str) -> Move:
    """The queue's message about each recording, as it may come once more."""

    def ask() -> None:
        records = [
            {
                "messageId": name,
                "body": json.dumps({"detail": {"bucket": {"name": MEDIA}, "object": described(world, name)}}),
            }
            for name in names
        ]
        world.act("queue", lambda: void(ingest.handler({"Records": records}, None)))

    return Move(f"deliver {' '.join(names)}", ask)


def described(world: World, name: str) -> dict[str, str]:
    key = f"media/p-{name}/{name}.wav"
    version = world.buckets.current(MEDIA, key)
    assert version is not None
    return {"key": key, "version-id": version.version_id, "etag": version.etag}


def forget(world: World, user_id: str) -> Move:
    """Until it says that nothing is left, or that somebody has to wait."""

    def ask() -> None:
        world.departed.add(user_id)
        world.act("forget", lambda: work(world, user_id))

    return Move(f"forget {user_id}", ask)


def work(world: World, user_id: str) -> None:
    world.forgotten.discard(user_id)
    if forgetting.forget(
        world.patch, user_id, lambda seconds: world.scheduler.wait(lambda: not left_behind(world)), world.note
    ):
        world.forgotten.add(user_id)


def left_behind(world: World) -> bool:
    return any(execution.left_behind for execution in world.executions.values())


def void(_: object) -> None:
    """For a function whose answer nobody reads."""
