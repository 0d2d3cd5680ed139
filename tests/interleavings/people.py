"""What people and queues do by commands of ours: a message is delivered, a patient is forgotten."""

import json
from functools import cache

import boto3

from lambdas import ingest, search_stored
from operations.deployed import Connection, Deployed
from operations.errors import OperationError
from operations.forgetting import at_work, searching
from operations.forgetting import forget as forgetting
from tests.interleavings.scheduler import Move
from tests.interleavings.world import World
from tests.simulation.aws import BUCKETS, LEDGER, MEDIA, MEMBERS, PREFIX, STATE_MACHINE


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
    deployed = environment()
    world.forgotten.discard(user_id)
    world.patch.setattr(at_work, "sleep", lambda seconds: world.scheduler.wait(lambda: not left_behind(world)))
    world.patch.setattr(searching, "_run", lambda deployed, name: search(name))
    try:
        plan = forgetting.plan_removal(deployed, [user_id], report, world.note)
        outcome = forgetting.forget(deployed, plan, report, delete_audiences=False)
    except OperationError as error:
        world.note(f"-- forget: {error}")
        return
    world.note(f"-- forget: {len(outcome.left)} left")
    if not outcome.left:
        world.forgotten.add(user_id)


def search(name: str) -> None:
    """As the state machine of the search does, without its parallel children: they only read."""
    for number in search_stored.divide({"search_id": name}, None)["numbers"]:
        event: search_stored.SearchRangeEvent = {"search_id": name, "number": number, "step": 0}
        while (done := search_stored.search(event, Unhurried()))["more"]:
            event["step"] = done["step"]


class Unhurried:
    """Lambda's context of a function that has time."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def left_behind(world: World) -> bool:
    return any(execution.left_behind for execution in world.executions.values())


def report(what: str, number: int) -> None:
    """Nobody looks."""


def void(_: object) -> None:
    """For a function whose answer nobody reads."""


@cache
def environment() -> Deployed:
    connection = Connection(boto3.Session(region_name="us-east-1"), None)
    return Deployed(connection, PREFIX, BUCKETS, LEDGER, MEMBERS, STATE_MACHINE, {})
