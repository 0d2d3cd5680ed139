"""Compare the length by a file's times with the number of its bytes.

Times continue over a gap, as in joined parts or after a recorder's pause; bytes don't.
"""

from collections.abc import Callable

from lambdas.planning.media_headers.reader import Reader

# A shorter recording isn't refused for its length, so it isn't worth the reads.
_LONG_SECONDS = 3 * 3600
_PLACES, _WINDOW = 4, 64 * 1024
# The size predicted from the most silent place may exceed the real size by this factor.
_TOLERANCE = 1.25


def borne_out(
    reader: Reader, begin: int, seconds: float, measure: Callable[[int, bytes], tuple[int, float] | None]
) -> bool:
    """Whether the sound after `begin` can last `seconds`, by samples at four places.

    `measure` takes an offset and the bytes there. It returns the bytes and the seconds of the sound in them, None for
    no sound. The seconds are the packets' own, without gaps between their times.
    """
    if seconds < _LONG_SECONDS:
        return True
    length = reader.size - begin
    offsets = [begin + length * (2 * place + 1) // (2 * _PLACES) for place in range(_PLACES)]
    measured = [measure(offset, reader.read(offset, _WINDOW)) for offset in offsets]
    bytes_per_second = [found[0] / found[1] for found in measured if found and found[1] > 0]
    return bool(bytes_per_second) and seconds * min(bytes_per_second) <= length * _TOLERANCE
