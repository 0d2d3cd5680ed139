"""One actor at a time: who goes on is decided at every call on a shared place, and when an actor is done.

An actor is a greenlet, so the real functions stop in the middle of a call and know nothing of it. A move is what a
person does or what happens by itself (an upload, a button); it takes no time.
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple

import greenlet  # type: ignore[import-untyped]

from tests.interleavings.decisions import SWITCH, Decisions
from tests.interleavings.sharing import Call

# A schedule that is longer than any of ours goes round in circles.
MOST_TURNS = 5000


class Move(NamedTuple):
    what: str
    do: Callable[[], None]
    possible: Callable[[], bool] = lambda: True


def _nothing() -> bool:
    return True


class Actor:
    """`step` is what it is doing, `calls` how many calls that has made; `name` is that of whom it acts for.

    It is its turn only once what it waits for is so.
    """

    def __init__(self, name: str, work: Callable[[], None], parent: greenlet.greenlet) -> None:
        self.name, self.step, self.calls = name, "", 0
        self.done = False
        self.waits_for = _nothing
        self._failure: BaseException | None = None
        self._greenlet = greenlet.greenlet(lambda: self._work(work), parent)

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        except greenlet.GreenletExit:
            pass
        except BaseException as failure:
            self._failure = failure
        self.done = True

    def go_on(self) -> None:
        """Until it switches back. Raises what its work raised, which is a fault of the harness."""
        self._greenlet.switch()
        if self._failure:
            raise self._failure

    def kill(self) -> None:
        self._greenlet.throw(greenlet.GreenletExit)


class Scheduler:
    """`preemptions` says how often an actor that could go on may yet be made to wait."""

    def __init__(self, decisions: Decisions, note: Callable[[str], None]) -> None:
        self._decisions, self._note = decisions, note
        self._main = greenlet.getcurrent()
        self.actors: list[Actor] = []
        self.moves: list[deque[Move]] = []
        self.current: Actor | None = None
        self._last: Actor | None = None
        self.preemptions = self.preempted = 0
        self.tick = 0
        self.until: Callable[[Call], bool] | None = None
        self._held: Actor | None = None

    def begin(self, name: str, work: Callable[[], None]) -> Actor:
        actor = Actor(name, work, self._main)
        self.actors.append(actor)
        return actor

    def reach(self, call: Call, *, shared: bool) -> None:
        """The current actor is about to make the call, and makes it when it is its turn."""
        if self.until and self.until(call):
            self._held = self.current
            self._main.switch()
        elif shared:
            self._main.switch()
        self.tick += 1

    def wait(self, until: Callable[[], bool]) -> None:
        """For what others do; outside of a run, they all go on."""
        actor = self.current
        if actor is None:
            self.run()
            return
        actor.waits_for = until
        self._main.switch()
        actor.waits_for = _nothing

    def run(self, until: Callable[[Call], bool] | None = None, hold: Collection[Actor] = ()) -> Actor | None:
        """Until nothing is left to do but by those on `hold`, or a call is met that `until` waits for: its actor.

        Raises:
            TimeoutError: it goes round in circles.
        """
        self.until, self._held, self._last = until, None, None
        for _ in range(MOST_TURNS):
            if self._held:
                return self._held
            self.actors = [actor for actor in self.actors if not actor.done]
            ready = [actor for actor in self.actors if actor not in hold and actor.waits_for()]
            moves = [queue for queue in self.moves if queue and queue[0].possible()]
            if not (turn := self._next(ready, moves)):
                return None
            if isinstance(turn, Actor):
                self._last = self.current = turn
                try:
                    turn.go_on()
                finally:
                    self.current = None
                self.tick += turn.done
            else:
                move = turn.popleft()
                # Whoever was made to wait for it may wait for what it begins, too.
                self._last = None
                self.tick += 1
                self._note(f"-- {move.what}")
                move.do()
        raise TimeoutError("nothing comes to an end")

    def _next(self, ready: list[Actor], moves: list[deque[Move]]) -> Actor | deque[Move] | None:
        options: list[Actor | deque[Move]]
        going_on = self._last if self._last in ready else None
        if going_on:
            others = [*(actor for actor in ready if actor is not going_on), *moves]
            options = [going_on, *(others if self.preemptions > 0 else ())]
        else:
            options = [*ready, *moves]
        if not options:
            return None
        chosen = self._decisions.decide(self.tick, SWITCH, len(options))
        if going_on and chosen:
            self.preemptions -= 1
            self.preempted += 1
        return options[chosen]

    def end(self) -> None:
        """Nobody goes on any more."""
        for actor in self.actors:
            if not actor.done:
                actor.kill()
