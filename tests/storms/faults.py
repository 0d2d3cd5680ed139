"""What goes wrong in a history with its functions, its events and its jobs.

Each fault is drawn from the history's seed and the name of what it strikes, so that one can be left out of a history
while all others stay as they are.
"""

import random
from collections.abc import Collection
from typing import NamedTuple

# A call is refused for longer than the SDK tries, or for want of a permission, which no retrier repeats; or it is done
# and its answer is lost, for good or until the SDK has repeated it; the function is gone in the middle of its work,
# before a call or after it; a call hangs until Lambda ends the function, and may have been carried out.
REFUSED, DENIED, LOST, REPEATED = "refused", "denied", "its answer is lost", "repeated by the SDK"
KILLED, KILLED_AFTER, HUNG, HUNG_AFTER = "killed", "killed after", "hangs", "hangs after"
# DynamoDB's, and S3's for a conditional write while another is at work on the key.
CONFLICT, UNPROCESSED = "conflict", "answered in part"
# Lambda doesn't begin the function, or its result is lost.
UNDELIVERED, UNANSWERED = "not begun", "its result is lost"
OF_FUNCTIONS = (
    *(REFUSED, DENIED, DENIED, DENIED, LOST, REPEATED, KILLED, KILLED_AFTER, HUNG, HUNG_AFTER),
    *(CONFLICT, UNPROCESSED, UNDELIVERED, UNANSWERED),
)
# Calls of a function that a fault may strike.
FIRST_CALLS = 14

TRANSCRIPTION, DETECTION, LAST_DOCUMENT = "transcription", "entity detection", "last document"
GENERATION = "audience generation"
OF_JOBS = (TRANSCRIPTION, DETECTION, LAST_DOCUMENT, GENERATION)


class Fault(NamedTuple):
    """`what` names the function's invocation or the job; `call` is the number of the call that is struck."""

    kind: str
    what: str
    call: int = 0

    def __str__(self) -> str:
        return f"{self.what}: {f'call {self.call} ' if self.call else ''}{self.kind}"


class Faults:
    """The faults of the history `seed`; `without` some of them, which are given as texts.

    `struck` has those that were met.
    """

    def __init__(self, seed: int, without: Collection[str] = ()) -> None:
        self._seed, self._without = seed, frozenset(without)
        self.struck: list[str] = []
        # Most histories have a few faults, some have many, and some none.
        self._chance = chance(seed, "chance").choice((0.0, 0.02, 0.04, 0.08, 0.2))
        self.are_over = False

    def of_function(self, invocation: str) -> Fault | None:
        if self.are_over or not self._chance:
            return None
        drawn = chance(self._seed, f"fault of {invocation}")
        if drawn.random() >= self._chance:
            return None
        return self._kept(Fault(drawn.choice(OF_FUNCTIONS), invocation, 1 + drawn.randrange(FIRST_CALLS)))

    def befalls(self, kind: str, what: str) -> bool:
        """Whether a job is to end so, or an event to come so."""
        if self.are_over or chance(self._seed, f"{kind}/{what}").random() >= self._chance:
            return False
        if fault := self._kept(Fault(kind, what)):
            self.strikes(fault)
        return fault is not None

    def strikes(self, fault: Fault) -> None:
        self.struck.append(str(fault))

    def _kept(self, fault: Fault) -> Fault | None:
        return None if str(fault) in self._without else fault


def chance(seed: int, what: str) -> random.Random:
    """What is drawn for something that is named, whatever else is drawn in the history."""
    return random.Random(f"{seed}/{what}")
