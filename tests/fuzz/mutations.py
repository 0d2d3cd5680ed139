"""Recordings of the corpus, damaged as transfers, programs and attackers do it; a seed makes the same one each time."""

from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import NamedTuple

from bench.hostile_recordings import Tiled
from samples.make_encodings import ENCODINGS

_EXTREMES = [b"\0", b"\xff", b"\x7f\xff", b"\x80\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1", b"\xff" * 8]
# Where headers and indexes are, so where damage is worth most.
_EDGE = 3000
_MOST_DAMAGES = 4
_LONGEST_PART = 64
_MOST_REPEATED = 100_000
_LONGEST_GROWN = 2 << 30


class SourceError(Exception):
    """The source's own, as S3's client has them."""


class Failing(Tiled):
    """Fails at one of its reads."""

    def __init__(self, data: bytes, failing_read: int) -> None:
        super().__init__(data, b"\0", len(data))
        self._failing_read = failing_read

    def read(self, offset: int, length: int) -> bytes:
        if self.reads == self._failing_read:
            raise SourceError
        return super().read(offset, length)


class Case(NamedTuple):
    seed: int
    what: str
    source: Tiled

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.what}"


@cache
def _corpus() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(ENCODINGS.iterdir())}


def case(seed: int) -> Case:
    """The damaged recording of this seed; now and then it's said to be longer than it is, or its source fails."""
    chosen = Random(seed)
    name = chosen.choice(list(_corpus()))
    data, damages = _corpus()[name], []
    for _ in range(chosen.randint(1, _MOST_DAMAGES)):
        damage = chosen.choice(_DAMAGES)
        data = damage(chosen, data)
        damages.append(damage.__name__)
    what = f"{name}: {', '.join(damages)}"
    match chosen.randrange(12):
        case 0:
            size = chosen.randint(len(data), _LONGEST_GROWN)
            return Case(seed, what + ", grown", Tiled(data, _part(chosen, data), size))
        case 1:
            return Case(seed, what + ", source fails", Failing(data, chosen.randrange(4)))
    return Case(seed, what, Tiled(data, b"\0", len(data)))


def _place(chosen: Random, data: bytes) -> int:
    """Mostly in the first kilobytes, often in the last."""
    begin, end = chosen.choice([(0, _EDGE), (0, _EDGE), (len(data) - _EDGE, len(data)), (0, len(data))])
    return chosen.randint(max(begin, 0), min(end, len(data)))


def _part(chosen: Random, data: bytes) -> bytes:
    at = _place(chosen, data)
    return data[at : at + chosen.randint(1, _LONGEST_PART)] or b"\0"


def flip(chosen: Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(chosen.randint(1, 8) if data else 0):
        damaged[_place(chosen, data) - 1] ^= 1 << chosen.randrange(8)
    return bytes(damaged)


def truncate(chosen: Random, data: bytes) -> bytes:
    return data[: _place(chosen, data)]


def behead(chosen: Random, data: bytes) -> bytes:
    return data[_place(chosen, data) :]


def write_extreme(chosen: Random, data: bytes) -> bytes:
    at, extreme = _place(chosen, data), chosen.choice(_EXTREMES)
    return data[:at] + extreme + data[at + len(extreme) :]


def splice(chosen: Random, data: bytes) -> bytes:
    """A part of another recording in, with or without room being made for it."""
    at, other = _place(chosen, data), _corpus()[chosen.choice(list(_corpus()))]
    begin = _place(chosen, other)
    part = other[begin : begin + chosen.choice([8, 100, 2000])]
    return data[:at] + part + data[at + chosen.choice([0, len(part)]) :]


def repeat(chosen: Random, data: bytes) -> bytes:
    at, part = _place(chosen, data), _part(chosen, data)
    return data[:at] + part * (chosen.choice([100, 5000, _MOST_REPEATED]) // len(part)) + data[at:]


def leave_out(chosen: Random, data: bytes) -> bytes:
    at = _place(chosen, data)
    return data[:at] + data[at + chosen.choice([1, 4, 100]) :]


def move(chosen: Random, data: bytes) -> bytes:
    first, second, third = sorted(_place(chosen, data) for _ in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


_DAMAGES: list[Callable[[Random, bytes], bytes]] = [
    flip,
    truncate,
    behead,
    write_extreme,
    write_extreme,
    splice,
    repeat,
    leave_out,
    move,
]
