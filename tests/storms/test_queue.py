"""The queue in virtual time: what becomes of an event about a version."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.storms.faults import Faults
from tests.storms.queue import (
    BATCH,
    LATE,
    RECEIVES_BEFORE_DEAD_LETTER,
    STEP,
    TWICE,
    VISIBLE_AGAIN_SECONDS,
    WINDOW_SECONDS,
)
from tests.storms.world import HANDLERS, World, new_world


class OfEvents(Faults):
    """Nothing goes wrong but with events, all of them."""

    def __init__(self, kind: str) -> None:
        super().__init__(1)
        self.are_over = True
        self._kind = kind

    def befalls(self, kind: str, event: str) -> bool:
        return kind == self._kind


class Ingest:
    """In the place of the function: `received` has the time and the keys of each batch."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.received: list[tuple[float, list[str]]] = []
        self.refuses: set[str] = set()
        self.breaks = False

    def handler(self, event: Any, context: Any) -> Any:
        keys = {item["messageId"]: json.loads(item["body"])["detail"]["object"]["key"] for item in event["Records"]}
        self.received.append((self._world.clock.now, [*keys.values()]))
        if self.breaks:
            raise ValueError
        return {"batchItemFailures": [{"itemIdentifier": item} for item, key in keys.items() if key in self.refuses]}


@pytest.fixture
def world() -> Iterator[World]:
    with new_world(1) as world:
        world.calm()
        yield world


@pytest.fixture
def ingest(world: World) -> Ingest:
    ingest = Ingest(world)
    world.patch.setitem(HANDLERS, STEP, ingest.handler)
    return ingest


def test_events_within_a_window_are_one_batch(world: World, ingest: Ingest) -> None:
    for number in range(3):
        world.queue.created(f"r{number}", f"media/p/{number}.wav", "v1", "e")
    world.run()
    assert [sorted(keys) for _, keys in ingest.received] == [[f"media/p/{number}.wav" for number in range(3)]]


def test_more_than_a_batch_takes_are_several(world: World, ingest: Ingest) -> None:
    for number in range(BATCH + 1):
        world.queue.created(f"r{number}", f"media/p/{number}.wav", "v1", "e")
    world.run()
    assert sorted(len(keys) for _, keys in ingest.received) == [1, BATCH]


def test_a_message_that_is_returned_comes_again_alone_and_at_last_is_a_dead_letter(
    world: World, ingest: Ingest
) -> None:
    ingest.refuses = {"media/p/1.wav"}
    for number in range(2):
        world.queue.created(f"r{number}", f"media/p/{number}.wav", "v1", "e")
    world.run()
    first, *again = ingest.received
    assert len(first[1]) == 2
    assert [keys for _, keys in again] == [["media/p/1.wav"]] * (RECEIVES_BEFORE_DEAD_LETTER - 1)
    waits = [after - before for (before, _), (after, _) in zip(ingest.received, again, strict=False)]
    assert all(wait >= VISIBLE_AGAIN_SECONDS for wait in waits)
    assert [message.name for message in world.queue.dead_letters] == ["event of r1 v1"]


def test_the_messages_of_a_function_that_fails_all_come_again(world: World, ingest: Ingest) -> None:
    ingest.breaks = True
    for number in range(2):
        world.queue.created(f"r{number}", f"media/p/{number}.wav", "v1", "e")
    world.run()
    assert len(world.queue.dead_letters) == 2


def test_dead_letters_that_are_moved_back_are_received_as_if_for_the_first_time(world: World, ingest: Ingest) -> None:
    ingest.breaks = True
    world.queue.created("r", "media/p/r.wav", "v1", "e")
    world.run()
    ingest.received.clear()
    world.queue.move_dead_letters_back()
    assert world.queue.dead_letters == []
    world.run()
    assert len(ingest.received) == RECEIVES_BEFORE_DEAD_LETTER


def test_an_event_may_come_twice(world: World, ingest: Ingest) -> None:
    world.faults = OfEvents(TWICE)
    world.queue.created("r", "media/p/r.wav", "v1", "e")
    world.run()
    assert [name for _, keys in ingest.received for name in keys] == ["media/p/r.wav"] * 2


def test_an_event_may_come_so_late_that_later_ones_overtake_it(world: World, ingest: Ingest) -> None:
    world.faults = OfEvents(LATE)
    world.queue.created("first", "media/p/first.wav", "v1", "e")
    world.faults = OfEvents("")
    world.queue.created("second", "media/p/second.wav", "v1", "e")
    begun = world.clock.now
    world.run()
    assert [keys for _, keys in ingest.received] == [["media/p/second.wav"], ["media/p/first.wav"]]
    assert ingest.received[1][0] - begun > 2 * WINDOW_SECONDS
