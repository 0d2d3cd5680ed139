"""A scenario's steps in the simulation, without faults but those of the scenario."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from tests.simulation import aws
from tests.simulation.aws import AUDIENCE, CLINICAL, MEDIA
from tests.storms.executions import ABORTED, Execution
from tests.storms.faults import Faults
from tests.storms.fidelity.outcome import Job, Outcome, Red, Seen, outcome
from tests.storms.fidelity.steps import BODIES, SAYS, key, said
from tests.storms.people import People
from tests.storms.world import World, new_world

SEED = 1
# The local engine wants two people whom it knows.
MINIMUM_SCORE = 0.5
COHORT = {**aws.COHORT, "minimum_score": MINIMUM_SCORE, "minimum_seed_size": 2}


class Fated(Faults):
    """Nothing goes wrong but the jobs that somebody has named."""

    def __init__(self) -> None:
        super().__init__(SEED)
        self.are_over = True
        self.next: list[str] = []

    def befalls(self, kind: str, job: str) -> bool:
        if kind not in self.next:
            return False
        self.next.remove(kind)
        return True


class Simulated:
    def __init__(self, world: World) -> None:
        self._world, self._people = world, People(world)
        self._fated = world.faults = Fated()
        self._numbers = count(1)
        self._recordings: dict[str, list[str]] = {}
        self._reds: list[Red] = []

    def upload(self, name: str, how: str = SAYS, *, consent: bool = False) -> None:
        self.put(name, how, consent=consent)
        self.send_again(name)

    def put(self, name: str, how: str = SAYS, *, consent: bool = False) -> None:
        versions = self._recordings.setdefault(key(name), [])
        body = BODIES.get(how, said(name, len(versions) + 1, how).encode())
        _, version = self._world.put(key(name), consent=consent, body=body)
        versions.append(version.version_id)

    def send_again(self, name: str) -> None:
        version = self._world.buckets.versions(MEDIA, key(name))[-1]
        self._world.queue.created(name, key(name), version.version_id, version.etag.strip('"'))
        self._rest()

    def start(self, *names: str, reprocess: bool = False) -> None:
        self._begin(names, **({"reprocess": True} if reprocess else {}))
        self._rest()

    def start_and_stop(self, *names: str) -> None:
        execution = self._begin(names)
        while len(self._world.transcribe.running) < len(names):
            self._world.run(until=self._world.clock.now + 1)
        execution.stop()
        self._rest()

    def redrive(self) -> None:
        self._red().redrive()
        self._rest()

    def start_anew(self) -> None:
        self._people.press_new(self._red())
        self._rest()

    def fail_next(self, kind: str) -> None:
        self._fated.next.append(kind)

    def deny(self, service: str) -> None:
        self._world.denied.add(service)

    def allow(self, service: str) -> None:
        self._world.denied.discard(service)

    def suppress(self, name: str) -> None:
        self._world.suppress(f"p-{name}")

    def forget(self, name: str) -> None:
        self._people.begin_to_forget(f"p-{name}")
        self._rest()

    def _begin(self, names: tuple[str, ...], **more: Any) -> Execution:
        request = {"media": [f"s3://{MEDIA}/{key(name)}" for name in names], **more}
        return self._world.start(f"by-hand-{next(self._numbers)}", request)

    def _rest(self) -> None:
        self._world.run()
        for execution in self._world.executions.values():
            if execution.is_red and (red := _red(execution)) not in self._reds:
                self._reds.append(red)

    def _red(self) -> Execution:
        return [item for item in self._world.executions.values() if item.is_red][-1]

    def outcome(self) -> Outcome:
        world = self._world
        return outcome(
            Seen(
                *(MEDIA, CLINICAL, AUDIENCE),
                self._recordings,
                {"clinical": self._objects(CLINICAL), "audience": self._objects(AUDIENCE)},
                [(item.name, item.request, item.status) for item in world.executions.values()],
                self._reds,
                [Job(name, name, job.status) for name, job in world.transcribe.jobs.items()],
                [
                    Job(name, job.wanted["InputDataConfig"]["S3Key"], job.status)
                    for name, job in world.comprehend_medical.jobs.items()
                ],
                [
                    Job(name, job.wanted["seedAudience"]["dataSource"]["s3Uri"], job.status)
                    for name, job in world.clean_rooms_ml.jobs.items()
                ],
                list(world.tables.items),
            )
        )

    def _objects(self, bucket: str) -> dict[str, bytes]:
        found = ((name, self._world.buckets.current(bucket, name)) for name in self._world.buckets.keys(bucket))
        return {name: version.body for name, version in found if version}


def _red(execution: Execution) -> Red:
    red = Red(execution.name, execution.status, execution.step)
    if execution.status == ABORTED:
        return red
    return red._replace(error=execution.error, task=execution.failed[-1], cause=execution.cause)


@contextmanager
def simulated() -> Iterator[Simulated]:
    with new_world(SEED) as world:
        world.deploy(cohorts=MINIMUM_SCORE)
        world.patch.setenv("COHORTS", json.dumps([COHORT]))
        yield Simulated(world)
