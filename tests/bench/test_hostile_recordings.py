import pytest

from bench.hostile_recordings import Tiled


def test_a_tiled_source_is_its_head_its_tiles_and_its_tail_wherever_it_is_read() -> None:
    whole = b"head" + b"abc" * 40_000 + b"ab" + b"tail"
    source = Tiled(b"head", b"abc", len(whole), b"tail")
    for offset in (0, 1, 3, 4, 5, 65_537, len(whole) - 7, len(whole) - 4, len(whole) - 1):
        for length in (1, 2, 5, 70_000, len(whole)):
            length = min(length, len(whole) - offset)
            assert source.read(offset, length) == whole[offset : offset + length]
    assert source.reads == 45
    with pytest.raises(ValueError, match="were asked for"):
        source.read(len(whole) - 1, 2)
