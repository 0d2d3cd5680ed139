"""What must be true at every step of a history, and is looked at when it happens."""

import json
from collections.abc import Mapping
from typing import Protocol

from bench.simulation.clock import Clock
from lambdas.planning.job_shares import FIRST_SHARE
from lambdas.shared.layout import SEEDS
from tests.interleavings.scenarios import key
from tests.simulation.aws import AUDIENCE, MEDIA
from tests.simulation.buckets import Buckets
from tests.simulation.jobs import Transcribe
from tests.simulation.rest import Violation, covers
from tests.storms.executions import Execution
from tests.storms.functions import Invocation

LEAKED, CROWDED, TOO_LARGE, TAKEN = "leaked", "too many jobs", "too large", "taken without consent"
# Each word that is said has it: nothing of it may be in the state, in a name, in an error or in the log.
CANARY = "x" * 20
# Forgetting somebody writes seeds too, without that person.
SELECTION = "SelectSeeds"
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html ("Maximum input or output size")
MOST_STATE_BYTES = 262_144


class World(Protocol):
    clock: Clock
    buckets: Buckets
    transcribe: Transcribe
    concurrent_jobs: int
    current: Invocation | None

    @property
    def executions(self) -> Mapping[str, Execution]: ...


class Watch:
    """`found` has what was wrong at some step."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.found: list[Violation] = []
        # Since when somebody must not be taken any more, by the user id: for good, or until the next consent.
        self._gone: dict[str, float] = {}
        self._withdrawn: dict[str, float] = {}

    def state(self, text: str) -> None:
        """What the state machine keeps: names, inputs, outputs and causes."""
        if CANARY in text:
            self._wrong(LEAKED, f"the state has what was said: {text[:300]}")
        if len(text) > MOST_STATE_BYTES:
            self._wrong(TOO_LARGE, f"{len(text)} bytes in the state: {text[:300]}")

    def log(self, text: str) -> None:
        if CANARY in text:
            self._wrong(LEAKED, f"the log has what was said: {text[:300]}")

    def job_started(self) -> None:
        """Each execution that begins to transcribe may exceed the jobs by its first share, until a share is lowered.

        The jobs of executions that have ended badly run on.
        """
        executions = self._world.executions.values()
        transcribing = sum(bool(item.map_runs) for item in executions)
        left = sum(item.is_red for item in executions)
        running, jobs = len(self._world.transcribe.running), self._world.concurrent_jobs
        if running > jobs + FIRST_SHARE * max(0, transcribing - 1) + jobs * left:
            self._wrong(CROWDED, f"{running} jobs of {jobs}, by {transcribing} executions and {left} that have ended")

    def gone(self, user_id: str) -> None:
        """Suppressed, or forgotten, which suppresses too."""
        self._gone.setdefault(user_id, self._world.clock.now)

    def planned(self, execution: Execution, before: Mapping[str, str]) -> None:
        """The plan stands, and was made of the versions that were there `before`."""
        for name in "abcd":
            version = self._world.buckets.current(MEDIA, key(name))
            if not version or not covers(execution, key(name)) or before.get(name) != version.version_id:
                continue
            if version.metadata.get("audience-consent") != "true":
                self._withdrawn.setdefault(f"p-{name}", self._world.clock.now)

    def versions(self) -> dict[str, str]:
        there = {name: self._world.buckets.current(MEDIA, key(name)) for name in "abcd"}
        return {name: version.version_id for name, version in there.items() if version}

    def written(self, place: str) -> None:
        """A seed has nobody who had withdrawn, or was forgotten, before the function began that selects it."""
        begin = f"{AUDIENCE}/{SEEDS}"
        function = self._world.current
        if (
            not place.startswith(begin)
            or not place.endswith(".jsonl")
            or not function
            or SELECTION not in function.name
        ):
            return
        version = self._world.buckets.current(AUDIENCE, place.removeprefix(f"{AUDIENCE}/"))
        people = {json.loads(line)["user_id"] for line in version.body.splitlines()} if version else set()
        began = function.began_at
        for user_id in sorted(people):
            if min(self._withdrawn.get(user_id, began), self._gone.get(user_id, began)) < began:
                self._wrong(TAKEN, f"{user_id} is in {place}")

    def consents_again(self, user_id: str) -> None:
        self._withdrawn.pop(user_id, None)

    def _wrong(self, kind: str, what: str) -> None:
        self.found.append(Violation(kind, what))
