"""How a schedule comes to rest: somebody presses what docs/reruns.md says until nothing is red."""

from tests.interleavings.decisions import BUTTON
from tests.interleavings.executions import UNFINISHED, Execution
from tests.interleavings.people import work
from tests.interleavings.world import World
from tests.simulation.aws import MEDIA
from tests.simulation.invariants import violations
from tests.simulation.rest import LAST, LOST, RED, Violation, unfinished

MOST_PRESSES = 12
# New executions instead of redrives, in one schedule.
MOST_NEW = 2
# Who is suppressed before the last execution starts: else the seed might be the old one.
SUPPRESSED = "p-a"
# The one that is asked for what others have rejected.
AGAIN = "again"


def settle(world: World) -> list[str]:
    """Press, forget, and start a last execution; the executions that stay red, a sentence each."""
    world.calm()
    replaced: set[str] = set()
    for _ in range(MOST_PRESSES):
        red = [item for item in world.executions.values() if item.status in UNFINISHED and item.name not in replaced]
        if not red:
            break
        press(world, red[world.decisions.decide(world.scheduler.tick, BUTTON, len(red))], red, replaced)
        world.run()
    else:
        return [f"{item.name} is {item.status} for good ({item.error})" for item in red]
    for user_id in sorted(world.departed):
        work(world, user_id)
    if world.has_cohorts:
        world.suppress(SUPPRESSED)
        consents = {"p-yes": True, "p-no": False}
        uris = [world.upload(f"media/{who}/{who[2:]}.wav", consent=yes) for who, yes in consents.items()]
        world.start(LAST, {"media": uris})
        world.run()
    return []


def start_again(world: World, keys: list[str]) -> list[str]:
    """Start a new execution with recordings; a sentence if it fails."""
    execution = world.start(AGAIN, {"media": [f"s3://{MEDIA}/{key}" for key in keys]})
    world.run()
    return [f"{AGAIN} is {execution.status} ({execution.error})"] if execution.status in UNFINISHED else []


def press(world: World, execution: Execution, red: list[Execution], replaced: set[str]) -> None:
    """Redrive, or start a new one with the same input; one that was taken over is to be the last."""
    if execution.error == "TakenOver":
        if others := [other for other in red if other.error != "TakenOver"]:
            world.redrive(others[0].name)
            return
    elif len(replaced) >= MOST_NEW or not world.decisions.decide(world.scheduler.tick, BUTTON, 2):
        world.redrive(execution.name)
        return
    replaced.add(execution.name)
    world.start(f"N{len(replaced)}", execution.request)


def broken_promises(world: World) -> list[Violation]:
    """Bring the schedule to rest and say what is wrong with it.

    What was rejected for a passing reason is started again then, as its reason says, and has to be finished after that.
    """
    found = [Violation(RED, what) for what in settle(world)] or violations(world)
    if not found and (rejected := unfinished(world)):
        found = [Violation(RED, what) for what in start_again(world, rejected)] or violations(world)
        found += [Violation(LOST, f"{key} is never finished") for key in unfinished(world)]
    return found
