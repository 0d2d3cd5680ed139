"""What may happen at the same time: executions, buttons, uploads, deployments, a patient who is to be forgotten."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tests.interleavings.people import deliver, forget, void
from tests.interleavings.scheduler import Move
from tests.interleavings.world import World
from tests.simulation.aws import MEDIA
from tests.simulation.jobs import CORRUPT

PREFIX = {"prefix": f"s3://{MEDIA}/media/"}


class Scenario(NamedTuple):
    """`begin` sets the world up; what it starts runs, and fails, alone. Then come the `moves`, in every order."""

    name: str
    begin: Callable[[World], None]
    moves: Callable[[World], Iterable[Iterable[Move]]]


def key(name: str) -> str:
    return f"media/p-{name}/{name}.wav"


def media(*names: str) -> dict[str, list[str]]:
    return {"media": [f"s3://{MEDIA}/{key(name)}" for name in names]}


def start(world: World, name: str, request: Mapping[str, Any], *after: str) -> Move:
    """Once one of the executions `after` has failed, if any are given."""
    return Move(f"start {name}", lambda: void(world.start(name, request)), lambda: not after or bool(world.red(*after)))


def redrive(world: World, *names: str) -> Move:
    return Move(f"redrive {' or '.join(names)}", lambda: world.redrive(*names), lambda: bool(world.red(*names)))


def redrive_any(world: World) -> Move:
    return Move(
        "redrive whatever is red",
        lambda: world.redrive(*world.executions),
        lambda: bool(world.red(*world.executions)),
    )


def stop(world: World, name: str) -> Move:
    return Move(f"stop {name}", lambda: world.stop(name), lambda: is_running(world, name))


def is_running(world: World, name: str) -> bool:
    return name in world.executions and world.executions[name].status == "RUNNING"


def upload(world: World, name: str, *, consent: bool = False, body: bytes | None = None) -> Move:
    return Move(f"upload {name}", lambda: void(world.upload(key(name), consent=consent, body=body)))


def one(world: World) -> None:
    world.upload(key("a"))


def two(world: World) -> None:
    for name in "ab":
        world.upload(key(name))


def two_at_work(world: World) -> None:
    two(world)
    world.start("E1", media("a", "b"))


def consenting(world: World) -> None:
    world.deploy(cohorts=0.5)
    for name in "ab":
        world.upload(key(name), consent=True)


def consenting_at_work(world: World) -> None:
    consenting(world)
    world.start("E1", media("a", "b"))


def one_corrupt(world: World) -> None:
    world.upload(key("a"), body=CORRUPT)
    world.upload(key("b"))
    world.start("E1", media("a", "b"))


def replaced_before(world: World) -> None:
    """Of a, two versions have been through; E1 is at the second one of b."""
    two(world)
    world.start("E0", media("a"))
    world.run()
    world.upload(key("a"))
    world.start("E1", media("a", "b"))


def members_by_other_rules(world: World) -> None:
    """Both are members by the rules of before, and E1 is at the next version of a."""
    consenting(world)
    world.start("E0", media("a", "b"))
    world.run()
    world.upload(key("a"), consent=True)
    world.start("E1", media("a"))


def deploy_rules(world: World, score: float) -> Move:
    return Move(f"deploy a minimum score of {score}", lambda: world.deploy(cohorts=score))


def partly_done(world: World) -> None:
    """Each job leaves its last document out, until that is mended."""
    for name in "ab":
        world.upload(key(name), sentences=2)
    world.doomed.add("last document")
    world.start("E1", media("a", "b"))


def job_failed(world: World) -> None:
    """The job of E1 fails, and E1 with it."""
    two(world)
    world.doomed.add("entity detection")
    world.start("E1", media("a", "b"))


def mended(world: World, move: Move) -> Move:
    """From now on jobs end well."""

    def do() -> None:
        world.doomed.clear()
        move.do()

    return move._replace(do=do)


def stop_job(world: World) -> Move:
    """As somebody may in Comprehend Medical."""
    jobs = world.comprehend_medical
    return Move("stop a job", jobs.stop, lambda: bool(jobs.running))


def restore(world: World, name: str) -> Move:
    """The newest version is deleted: the one before is current again."""
    return Move(f"take back {name}", lambda: world.buckets.remove_newest(MEDIA, key(name)))


SCENARIOS = [
    Scenario(
        "overlap", two, lambda world: [[start(world, "E1", media("a"))], [start(world, "E2", PREFIX)]]
    ),  # a drop, and somebody who starts one over all that there is
    Scenario(
        "buttons",
        two_at_work,
        lambda world: [[redrive(world, "E1")], [start(world, "E2", media("a", "b"), "E1")]],
    ),
    Scenario(
        "buttons again",
        two_at_work,
        lambda world: [[redrive(world, "E1")] * 2, [start(world, "E2", media("a", "b"), "E1")]],
    ),
    Scenario(
        "three",
        two_at_work,
        lambda world: [
            [redrive(world, "E1", "E2"), redrive(world, "E1", "E2", "E3")],
            [start(world, "E2", media("a", "b"), "E1")],
            [start(world, "E3", PREFIX, "E1", "E2")],
        ],
    ),
    Scenario(
        "drops",
        two,
        lambda world: [
            [start(world, "E1", media("a")), redrive(world, "E1")],
            [start(world, "E2", media("b")), redrive(world, "E2")],
            [start(world, "E3", PREFIX, "E1", "E2")],
        ],
    ),
    Scenario(
        "part",
        two_at_work,
        lambda world: [[redrive(world, "E1")], [start(world, "E2", media("a"), "E1")]],
    ),
    Scenario(
        "replaced",
        two_at_work,
        lambda world: [[upload(world, "b"), start(world, "E2", media("b"))], [redrive(world, "E1", "E2")]],
    ),
    Scenario(
        "replaced meanwhile",
        one,
        lambda world: [
            [start(world, "E1", media("a")), redrive(world, "E1", "E2")],
            [upload(world, "a"), start(world, "E2", media("a")), start(world, "E3", media("a"))],
        ],
    ),
    Scenario(
        "stopped",
        two,
        lambda world: [
            [start(world, "E1", media("a", "b")), stop(world, "E1"), redrive(world, "E1")],
            [start(world, "E2", media("a", "b"), "E1")],
        ],
    ),
    Scenario(
        "corrupt",
        one_corrupt,
        lambda world: [[redrive(world, "E1")], [start(world, "E2", media("a", "b"), "E1")]],
    ),
    Scenario(
        "audiences",
        consenting,
        lambda world: [
            [start(world, "E1", media("a")), redrive(world, "E1")],
            [start(world, "E2", media("b")), redrive(world, "E2")],
        ],
    ),
    Scenario(
        "same audience",
        consenting_at_work,
        lambda world: [[redrive(world, "E1")], [start(world, "E2", media("a", "b"), "E1")]],
    ),
    Scenario(
        "reprocess",
        two_at_work,
        lambda world: [[redrive(world, "E1", "E2")], [start(world, "E2", media("a") | {"reprocess": True})]],
    ),
    Scenario(
        "twice", two, lambda world: [[deliver(world, "a", "b")], [deliver(world, "b", "a")], [deliver(world, "a")]]
    ),
    Scenario(
        "deployed",
        two_at_work,
        lambda world: [
            [Move("deploy", lambda: world.deploy(Type="CONVERSATION")), redrive(world, "E1")],
            [start(world, "E2", media("a", "b"), "E1")],
        ],
    ),
    Scenario(
        "restored",
        replaced_before,
        lambda world: [[restore(world, "a"), start(world, "E2", media("a"))], [redrive(world, "E1")]],
    ),
    Scenario(
        "restored meanwhile",
        one,
        lambda world: [
            [start(world, "E1", media("a")), redrive(world, "E1", "E2")],
            [upload(world, "a"), start(world, "E2", media("a")), restore(world, "a"), start(world, "E3", media("a"))],
        ],
    ),
    Scenario(
        "restored twice",
        replaced_before,
        lambda world: [
            [restore(world, "a"), start(world, "E2", media("a")), upload(world, "a"), start(world, "E3", media("a"))],
            [upload(world, "b"), restore(world, "b"), start(world, "E4", media("b")), redrive(world, "E1")],
        ],
    ),
    Scenario(
        "partial success",
        partly_done,
        lambda world: [
            [redrive(world, "E1"), start(world, "E2", media("b"))],
            [mended(world, start(world, "E3", PREFIX)), redrive(world, "E1", "E2", "E3")],
        ],
    ),
    Scenario(
        "failed job",
        job_failed,
        lambda world: [
            [mended(world, start(world, "E2", media("a"), "E1")), redrive(world, "E2")],
            [mended(world, start(world, "E3", PREFIX, "E1")), redrive(world, "E1", "E3")],
        ],
    ),
    Scenario(
        "stopped job",
        two,
        lambda world: [
            [start(world, "E1", media("a", "b")), redrive(world, "E1")],
            [stop_job(world), start(world, "E2", media("a"), "E1")],
            [start(world, "E3", media("a", "b"), "E1")],
        ],
    ),
    Scenario(
        "reprocess twice",
        two_at_work,
        lambda world: [
            [start(world, "E2", media("a") | {"reprocess": True}), redrive(world, "E2", "E1")],
            [start(world, "E3", PREFIX | {"reprocess": True}), redrive(world, "E3")],
        ],
    ),
    Scenario(
        "delivered again",
        two,
        lambda world: [
            [deliver(world, "a", "b"), deliver(world, "a", "b"), redrive_any(world)],
            [upload(world, "a"), deliver(world, "a"), deliver(world, "a")],
        ],
    ),
    Scenario(
        "withdrawn",
        consenting_at_work,
        lambda world: [[upload(world, "b", body=b""), start(world, "E2", media("b"))], [redrive(world, "E1", "E2")]],
    ),
    Scenario(
        "rules",
        consenting,
        lambda world: [
            [start(world, "E1", media("a")), redrive(world, "E1")],
            [deploy_rules(world, 0.6), start(world, "E2", media("b")), redrive(world, "E2")],
        ],
    ),
    Scenario(
        "rules that come back",
        members_by_other_rules,
        lambda world: [
            [deploy_rules(world, 0.6), start(world, "E2", media("b")), deploy_rules(world, 0.5)],
            [upload(world, "b", body=b""), start(world, "E3", media("b")), redrive(world, "E1", "E2", "E3")],
        ],
    ),
    Scenario(
        "forget while rebuilding",
        members_by_other_rules,
        lambda world: [
            [deploy_rules(world, 0.6), start(world, "E2", media("b")), redrive(world, "E1", "E2")],
            [forget(world, "p-b")],
        ],
    ),
    Scenario(
        "forget",
        consenting,
        lambda world: [
            [start(world, "E1", media("a", "b")), stop(world, "E1"), redrive(world, "E1")],
            [forget(world, "p-a")],
        ],
    ),
    Scenario(
        "forget while stopped",
        consenting,
        lambda world: [
            [start(world, "E1", media("a", "b")), stop(world, "E1"), forget(world, "p-a")],
            [start(world, "E2", PREFIX, "E1"), redrive(world, "E1")],
        ],
    ),
]
