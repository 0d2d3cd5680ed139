"""How a history comes to rest: faults end, and an operator does what docs/reruns.md says until all is green."""

from functools import cache

from tests.docs.pages import sections
from tests.interleavings.scenarios import key, media
from tests.simulation.aws import MEDIA
from tests.simulation.rest import LAST, unfinished
from tests.storms.executions import ABORTED
from tests.storms.faults import chance
from tests.storms.people import People
from tests.storms.world import World

MOST_PRESSES = 12
REDRIVE, NEW, REPROCESS = "redrive", "new execution", '"reprocess": true'
# Another is suppressed before the last execution starts: else the seed might be the old one.
CONSENTS = {"yes": True, "no": False}


@cache
def buttons(error: str) -> tuple[str, ...]:
    """What the rows of docs/reruns.md say to press when an execution is red with the error, the first thing of each.

    The first row is for every error that no other names.
    """
    rows = sections("reruns.md")[""]
    found = [row for row in rows if f"`{error}`" in row[1]] or rows[:1]
    return tuple(dict.fromkeys(button for row in found if (button := _button(row[2]))))


def _button(press: str) -> str:
    at = {button: press.find(button) for button in (REDRIVE, REPROCESS, NEW) if button in press}
    if REPROCESS in at and NEW in at and at[REPROCESS] - at[NEW] < 30:
        return REPROCESS if at[NEW] == 0 else min(at, key=at.__getitem__)
    return min(at, key=at.__getitem__) if at else ""


def settle(world: World, people: People) -> list[str]:
    """Press until nothing is red, forget who has to be, start a last execution; a sentence for what stays red."""
    people.rest()
    world.calm()
    people.repair()
    world.run()
    left = _press(world, people)
    if not left and (keys := unfinished(world)):
        # Rejected for a passing reason: their rows say to start them again.
        people.start_again([f"s3://{MEDIA}/{key}" for key in keys])
        left = _press(world, people)
    if left:
        return left
    for user_id in sorted(world.departed):
        people.begin_to_forget(user_id)
        world.run()
    if world.has_cohorts:
        _start_last(world)
    return [
        *_press(world, people),
        *(f"{user_id} can't be forgotten" for user_id in sorted(world.departed - world.forgotten)),
        *(f"{key} is never finished" for key in unfinished(world)),
    ]


def _press(world: World, people: People) -> list[str]:
    """Until nothing is red; or what is after so many presses."""
    drawn = chance(world.seed, "operator")
    while True:
        world.queue.move_dead_letters_back()
        world.run()
        red = [item for item in world.executions.values() if item.is_red and item.name not in people.replaced]
        if not red:
            return []
        if people.presses_in_calm >= MOST_PRESSES:
            return [f"{item.name} is {item.status} after {MOST_PRESSES} presses ({item.cause})" for item in red]
        execution = drawn.choice(red)
        button = drawn.choice(buttons(ABORTED if execution.status == ABORTED else execution.cause))
        if button == REDRIVE:
            people.press_redrive(execution)
        elif execution.cause == "InvalidInput":
            # There is no right input: its recordings were deleted, or never there.
            people.replaced.add(execution.name)
        else:
            people.press_new(execution, **({"reprocess": True} if button == REPROCESS else {}))


def _start_last(world: World) -> None:
    world.suppress("p-a")
    for name, consents in CONSENTS.items():
        world.put(key(name), consent=consents)
    world.start(LAST, media(*CONSENTS))
    world.run()
