"""Whether a file's bytes bear out how long its times say it is.

Times go on over a gap, as in parts that were joined or a recorder that stopped in between; bytes don't.
"""

from collections.abc import Callable

from lambdas.planning.media_headers.reader import Reader

# A shorter recording isn't worth the reads: nobody refuses it for its length.
_LONG_SECONDS = 3 * 3600
_PLACES, _WINDOW = 4, 64 * 1024
# Above what the most silent place allows for.
_TOLERANCE = 1.25


def borne_out(
    reader: Reader, begin: int, seconds: float, measure: Callable[[int, bytes], tuple[int, float] | None]
) -> bool:
    """Whether the sound after `begin` can be as long as that, by what is in four places of it.

    `measure` gives the bytes and the seconds of the sound in a piece that was read at some offset, None if it finds
    none. The seconds are those of the packets, whatever their times are.
    """
    if seconds < _LONG_SECONDS:
        return True
    length = reader.size - begin
    offsets = [begin + length * (2 * place + 1) // (2 * _PLACES) for place in range(_PLACES)]
    measured = [measure(offset, reader.read(offset, _WINDOW)) for offset in offsets]
    bytes_per_second = [found[0] / found[1] for found in measured if found and found[1] > 0]
    return bool(bytes_per_second) and seconds * min(bytes_per_second) <= length * _TOLERANCE
