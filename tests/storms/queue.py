"""From an uploaded recording to the ingest function: S3's events, late, twice and out of order, and the queue."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from bench.simulation.clock import Clock, Steps
from tests.simulation.aws import MEDIA
from tests.storms.faults import Faults, chance
from tests.storms.functions import Lambda

# A batch is whole after this time, or with so many events (infra/ingest.py has an environment's own).
WINDOW_SECONDS = 60.0
BATCH = 10
VISIBLE_AGAIN_SECONDS = 420.0
# Fewer than infra/ingest.py has, so that a history of hours has dead letters.
RECEIVES_BEFORE_DEAD_LETTER = 4
LATE, TWICE = "late", "delivered twice"
# S3 promises no time: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
LATEST_SECONDS = 7200.0
STEP = "Ingest"


class World(Protocol):
    seed: int
    clock: Clock
    faults: Faults
    functions: Lambda

    def note(self, text: str) -> None: ...


class Message(NamedTuple):
    """An event about a version, and how often it was received."""

    name: str
    body: str
    receives: int = 0


class Queue:
    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: list[Message] = []
        self._is_polling = False
        self._sent = 0
        self.dead_letters: list[Message] = []

    def created(self, name: str, key: str, version_id: str, etag: str) -> None:
        """S3's event about a new version."""
        detail = {"bucket": {"name": MEDIA}, "object": {"key": key, "version-id": version_id, "etag": etag}}
        time = datetime.fromtimestamp(self._world.clock.now, UTC).isoformat()
        message = Message(f"event of {name} {version_id}", json.dumps({"time": time, "detail": detail}))
        drawn = chance(self._world.seed, message.name)
        times = 2 if self._world.faults.befalls(TWICE, message.name) else 1
        for number in range(times):
            late = self._world.faults.befalls(LATE, f"{message.name} {number}")
            self.send_after(drawn.uniform(0.5, LATEST_SECONDS if late else 5.0), message)

    def send_after(self, seconds: float, message: Message) -> None:
        self._world.clock.begin(self._send(message), after=seconds)

    def move_dead_letters_back(self) -> None:
        """As StartMessageMoveTask does."""
        letters, self.dead_letters[:] = [*self.dead_letters], []
        for message in letters:
            self._world.note(f"-- {message.name} is moved back")
            self.send_after(1.0, message._replace(receives=0))

    def _send(self, message: Message) -> Steps:
        self._waiting.append(message)
        if not self._is_polling:
            self._is_polling = True
            self._world.clock.begin(self._poll(), after=WINDOW_SECONDS)
        return
        yield 0.0

    def _poll(self) -> Steps:
        """Batches, one invocation each, until nothing waits."""
        while self._waiting:
            batch = [message._replace(receives=message.receives + 1) for message in self._waiting[:BATCH]]
            del self._waiting[:BATCH]
            self._world.clock.begin(self._deliver(batch))
        self._is_polling = False
        return
        yield 0.0

    def _deliver(self, batch: list[Message]) -> Steps:
        self._sent += 1
        records = [
            {"messageId": f"{self._sent}-{number}", "body": message.body} for number, message in enumerate(batch)
        ]
        invocation = self._world.functions.begin(
            STEP, f"queue {' '.join(item.name for item in batch)}", {"Records": records}
        )
        yield invocation.ended
        returned: Iterable[Any]
        if invocation.failure:
            returned = range(len(batch))
        else:
            answer = json.loads(invocation.returned)
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            returned = [number for number in range(len(batch)) if records[number]["messageId"] in failed]
        for number in returned:
            message = batch[number]
            if message.receives >= RECEIVES_BEFORE_DEAD_LETTER:
                self._world.note(f"   {message.name} is a dead letter")
                self.dead_letters.append(message)
            else:
                self.send_after(VISIBLE_AGAIN_SECONDS, message)
