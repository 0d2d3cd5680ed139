"""What people do in a history: a list of deeds, drawn from the seed, each of which can be left out."""

import random
from collections.abc import Callable
from typing import NamedTuple

from tests.interleavings.executions import FUNCTIONS
from tests.simulation.jobs import CORRUPT
from tests.storms.faults import chance

# Seconds over which a history's deeds are spread: a busy quarter of an hour, a shift, a week.
SPANS = (900, 7200, 7200, 28_800, 604_800)
SERVICES = ("s3", "dynamodb", "transcribe", "comprehendmedical", "cleanroomsml", "stepfunctions")
UPLOAD, DELETE, TAKE_BACK, SUPPRESS, FORGET = "upload", "delete", "take back", "suppress", "forget"
START, REDRIVE, NEW, BOTH, STOP = "start", "redrive", "start anew", "redrive and start anew", "stop"
STOP_JOB, COHORTS, SETTINGS, CODE = "stop a job", "deploy cohorts", "deploy settings", "deploy code"
DENY, CROWD, MOVE_BACK = "deny", "crowd", "move dead letters back"
ARCHIVE, SPOIL, CEILING, VANISH = "archive", "spoil the suppression list", "lower a ceiling", "a job is gone"
# Much of what people do they do when something has just happened.
FAILURE = "Failure"
BUSY = ("PlanBatch", "PrepareDocuments", "StartEntityDetection", "CollectEntities", "IndexRecords", "SelectSeeds")
STEPS = (*FUNCTIONS, "Ingest", "ShareJobs", *3 * BUSY)
DELAYS = (0.0, 0.0, 0.01, 0.1, 1.0, 20.0)
PATIENCE = (0.0, 1.0, 20.0, 300.0)
NUMBERS = (1, 1, 1, 2, 2, 3, 5)
# How often each is drawn.
WEIGHTS = {
    UPLOAD: 6,
    DELETE: 1,
    TAKE_BACK: 1,
    SUPPRESS: 1,
    FORGET: 1,
    START: 2,
    REDRIVE: 4,
    NEW: 2,
    BOTH: 2,
    STOP: 2,
    STOP_JOB: 1,
    COHORTS: 1,
    SETTINGS: 1,
    CODE: 1,
    DENY: 2,
    CROWD: 1,
    MOVE_BACK: 1,
    ARCHIVE: 1,
    SPOIL: 0.5,
    CEILING: 1,
    VANISH: 0.5,
}


RIVALS = {START: 4, UPLOAD: 3, BOTH: 3, NEW: 2, REDRIVE: 2, STOP: 2, COHORTS: 2}
RIVALS |= {TAKE_BACK: 1, FORGET: 1, SETTINGS: 1, SUPPRESS: 1}
FAILING = ("PlanBatch", "PrepareDocuments", "StartEntityDetection", "PollEntityDetection", "CollectEntities")
STORES = ("dynamodb", "dynamodb", "s3", "comprehendmedical")


class Deed(NamedTuple):
    """`what` of whom, and how; `at` is in seconds from the beginning, or from then on `when` something happens.

    That is the beginning of a function, or the failure of an execution, by its number: "PlanBatch 2", "Failure 1".
    """

    at: float
    what: str
    whom: str = ""
    how: str = ""
    rank: int = 0
    when: str = ""

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.what, self.whom, self.how) if part)

    def __str__(self) -> str:
        if self.when:
            return f"{self.at:g} s after {self.when}: {self.text}"
        hours, seconds = divmod(int(self.at), 3600)
        return f"{hours}:{seconds // 60:02}:{seconds % 60:02} {self.text}"


def story(seed: int) -> list[Deed]:
    """A week, or a duel: few recordings, and much at the moment at which one execution is at one step."""
    drawn = chance(seed, "story")
    return sorted(_duel(drawn) if drawn.random() < 0.4 else _week(drawn))


def _duel(drawn: random.Random) -> list[Deed]:
    people = drawn.choice(("a", "ab"))
    deeds = [Deed(0, COHORTS, how="0.5")] if drawn.random() < 0.5 else []
    deeds += [Deed(drawn.randrange(5), UPLOAD, who, how(drawn.random() * 0.8)) for who in people]
    begins = drawn.choice((*BUSY, FAILURE, FAILURE, FAILURE, FAILURE))
    if begins == FAILURE or drawn.random() < 0.4:
        # The first execution fails there, at a call of that service.
        step, seconds = drawn.choice(FAILING), drawn.choice(("0.1", "1", "5"))
        deeds.append(Deed(drawn.choice(DELAYS), DENY, drawn.choice(STORES), seconds, when=f"{step} 1"))
    moment = f"{begins} {drawn.choice((1, 1, 1, 2, 3))}"
    for what in drawn.choices(list(RIVALS), list(RIVALS.values()), k=drawn.choice((1, 2, 2, 3, 4))):
        at = drawn.choice(DELAYS) * drawn.random()
        whom = drawn.choice((people, people[0]))
        if what == UPLOAD:
            # S3's event comes a minute too late for a duel.
            deeds.append(Deed(at, UPLOAD, whom[0], how(drawn.random()), when=moment))
            what = START
        deed = _deed(what, 0, people, drawn)._replace(at=at, when=moment)
        deeds.append(deed._replace(whom=whom, how="") if what == START else deed)
    if drawn.random() < 0.5:
        failure = f"{FAILURE} {drawn.choice((1, 2, 2))}"
        deeds.append(Deed(drawn.choice(PATIENCE), drawn.choice((REDRIVE, NEW, BOTH)), when=failure))
    return deeds


def _week(drawn: random.Random) -> list[Deed]:
    people = "abcd"[: drawn.choice((1, 2, 2, 3, 3, 4))]
    span = drawn.choice(SPANS)
    deeds = []
    if drawn.random() < 0.6:
        deeds.append(Deed(0, COHORTS, how="0.5"))
    deeds += [Deed(drawn.randrange(1 + span // 4), UPLOAD, who, how(drawn.random())) for who in people]
    # Several deeds may meet the same moment.
    hot = f"{drawn.choice(STEPS)} {drawn.choice(NUMBERS)}"
    for what in drawn.choices(list(WEIGHTS), list(WEIGHTS.values()), k=drawn.choice((0, 1, 2, 3, 4, 5, 6, 8, 10))):
        deed = _deed(what, drawn.randrange(span), people, drawn)
        if what in (REDRIVE, NEW, BOTH) and drawn.random() < 0.7:
            deed = deed._replace(at=drawn.choice(PATIENCE), when=f"{FAILURE} {drawn.choice(NUMBERS)}")
        elif drawn.random() < 0.6:
            when = hot if drawn.random() < 0.6 else f"{drawn.choice(STEPS)} {drawn.choice(NUMBERS)}"
            deed = deed._replace(at=drawn.choice(DELAYS), when=when)
        deeds.append(deed)
    return deeds


def how(number: float) -> str:
    """How a recording is: most say something, with consent or without."""
    for most, kind in ((0.45, "consenting"), (0.75, ""), (0.85, "long"), (0.9, "empty"), (0.95, "silent")):
        if number < most:
            return kind
    return "corrupt"


BODIES = {"empty": b"", "silent": b" ", "corrupt": CORRUPT}


def _deed(what: str, at: int, people: str, drawn: random.Random) -> Deed:
    whom: Callable[[], str] = lambda: drawn.choice(people)  # noqa: E731
    if what == UPLOAD:
        return Deed(at, what, whom(), how(drawn.random()))
    if what in (DELETE, TAKE_BACK, SUPPRESS, FORGET, ARCHIVE):
        return Deed(at, what, whom())
    if what == START:
        those = "".join(who for who in people if drawn.random() < 0.5)
        return Deed(at, what, those, "again" if drawn.random() < 0.2 else "")
    if what == COHORTS:
        return Deed(at, what, how=drawn.choice(("0.5", "0.6", "0.5", "0")))
    if what == SETTINGS:
        return Deed(at, what, how=drawn.choice(("DICTATION", "CONVERSATION")))
    if what == DENY:
        return Deed(at, what, drawn.choice(SERVICES), str(drawn.choice((60, 600, 5400))))
    if what == CEILING:
        return Deed(at, what, how=drawn.choice(("batch", "batch, cut", "day")))
    if what == VANISH:
        return Deed(at, what, drawn.choice(("transcribe", "comprehend_medical")), rank=drawn.randrange(8))
    if what == CROWD:
        return Deed(at, what, how=str(drawn.choice((600, 5400))))
    return Deed(at, what, rank=drawn.randrange(8))
