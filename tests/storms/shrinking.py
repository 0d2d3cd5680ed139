"""A history that violated something becomes a story as short as possible: deeds and faults that don't matter go."""

from tests.storms.history import History, play
from tests.storms.story import Deed

# Each play takes some hundredths of a second.
MOST_PLAYS = 300


class Shrunk:
    """What is left of a history; `violation` is the kind that it must still violate."""

    def __init__(self, history: History, violation: str) -> None:
        self.history, self._kind = history, violation
        self._without: list[str] = []
        self._plays = 0

    @property
    def code(self) -> str:
        """What plays it again, for a test."""
        deeds = "".join(f"    {_code(deed)},\n" for deed in self.history.deeds)
        without = "".join(f"    {fault!r},\n" for fault in self._without)
        return f"play({self.history.seed}, [\n{deeds}], without=[\n{without}])"

    def shrink(self) -> None:
        before = None
        while before != (before := (len(self.history.deeds), len(self._without))):
            for deed in reversed(self.history.deeds):
                self._try([other for other in self.history.deeds if other is not deed], self._without)
            for fault in reversed(list(dict.fromkeys(self.history.faults))):
                self._try(self.history.deeds, [*self._without, fault])

    def _try(self, deeds: list[Deed], without: list[str]) -> None:
        if self._plays >= MOST_PLAYS:
            return
        self._plays += 1
        history = play(self.history.seed, deeds, without)
        if any(violation.kind == self._kind for violation in history.violations):
            self.history, self._without = history, without


def _code(deed: Deed) -> str:
    given = {name: value for name, value in deed._asdict().items() if value != Deed._field_defaults.get(name)}
    return f"Deed({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def shrink(history: History) -> Shrunk:
    shrunk = Shrunk(history, history.violations[0].kind)
    shrunk.shrink()
    return shrunk
