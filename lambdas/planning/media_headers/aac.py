"""AAC's configuration: ISO/IEC 14496-3, 1.6.2.1 (AudioSpecificConfig), within 14496-1's descriptors."""

from typing import NamedTuple

_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_RATE_FOLLOWS = 15
_ES, _DECODER, _SPECIFIC = 3, 4, 5
# Object type indications: MPEG-4 audio, MPEG-2 AAC in its three profiles.
_AAC = {0x40, 0x66, 0x67, 0x68}
# Object types: how the sound is coded.
_BAND_REPLICATION, _BIT_SLICED, _LOW_DELAY, _PARAMETRIC_STEREO, _ENHANCED_LOW_DELAY = 5, 22, 23, 29, 39
_GENERAL = {1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23}
_SCALABLE, _ERROR_RESILIENT = {6, 20}, {17, 19, 20, 23}
_SYNC_BANDS, _SYNC_STEREO = 0x2B7, 0x548
# A decoder doubles rates up to this one if it finds unsignalled band replication in the sound.
_MAY_BE_DOUBLED = 24_000


class Sound(NamedTuple):
    """`rate` and `channels` after decoding, None if uncertain; `frame_seconds` is 0.0 if frames differ in length."""

    rate: int | None
    channels: int | None
    frame_seconds: float


class _Bits:
    """Reads bits; raises IndexError at the end, as a sequence does."""

    def __init__(self, data: bytes) -> None:
        self._number, self.left = int.from_bytes(data, "big"), len(data) * 8

    def take(self, count: int) -> int:
        if count > self.left:
            raise IndexError
        self.left -= count
        return self._number >> self.left & (1 << count) - 1

    def object_type(self) -> int:
        kind = self.take(5)
        return 32 + self.take(6) if kind == 31 else kind

    def rate(self) -> int:
        index = self.take(4)
        return self.take(24) if index == _RATE_FOLLOWS else _RATES[index]


def sound(esds: bytes) -> Sound | None:
    """The sound that the body of an `esds` box describes; None if it isn't AAC or is cut short."""
    try:
        config = _config(esds)
        return _described(_Bits(config)) if config else None
    except IndexError:
        return None


def _config(esds: bytes) -> bytes | None:
    """The AudioSpecificConfig, three descriptors deep."""
    data = _descriptor(esds[4:], _ES)
    flags = data[2]
    at = 3 + (2 if flags & 0x80 else 0)
    at += 1 + data[at] if flags & 0x40 else 0
    decoder = _descriptor(data[at + (2 if flags & 0x20 else 0) :], _DECODER)
    return _descriptor(decoder[13:], _SPECIFIC) if decoder[0] in _AAC else None


def _descriptor(data: bytes, tag: int) -> bytes:
    """A descriptor's content. Its length has seven bits per byte; the highest bit marks a following byte."""
    if data[0] != tag:
        raise IndexError
    length = 0
    for at in range(1, 5):
        length = length << 7 | data[at] & 127
        if data[at] < 128:
            break
    return data[at + 1 : at + 1 + length]


def _described(bits: _Bits) -> Sound:
    kind, rate, layout = bits.object_type(), bits.rate(), bits.take(4)
    # None while it is unknown whether there is band replication or parametric stereo.
    output: int | None = None
    stereo: bool | None = None
    if kind in (_BAND_REPLICATION, _PARAMETRIC_STEREO):
        stereo = True if kind == _PARAMETRIC_STEREO else None
        output = bits.rate()
        kind = bits.object_type()
        if kind == _BIT_SLICED:
            bits.take(4)
    frame = 1024
    if kind in _GENERAL:
        frame = _general(bits, kind, layout)
        # This signal is placed where an old decoder doesn't read it.
        if output is None and layout and bits.left >= 16 and bits.take(11) == _SYNC_BANDS:
            output, stereo = _extension(bits, rate)
        if output is None and (rate > _MAY_BE_DOUBLED or kind == _LOW_DELAY):
            output, stereo = rate, False
    elif kind == _ENHANCED_LOW_DELAY:
        frame = 480 if bits.take(1) else 512
        bits.take(3)
        output, stereo = rate * 2 if bits.take(1) and bits.take(1) else rate, False
    else:
        return Sound(None, None, 0.0)
    channels = None
    if 1 < layout < 7:
        channels = layout
    elif layout == 1 and stereo is not None:
        channels = 2 if stereo else 1
    return Sound(output or None, channels, frame / rate if rate else 0.0)


def _general(bits: _Bits, kind: int, layout: int) -> int:
    """Samples of a frame, from GASpecificConfig; it is read up to its description of channels."""
    short = bits.take(1)
    if bits.take(1):
        bits.take(14)
    extended = bits.take(1)
    if layout:
        if kind in _SCALABLE:
            bits.take(3)
        if extended:
            bits.take({_BIT_SLICED: 16}.get(kind, 3 if kind in _ERROR_RESILIENT else 0))
            bits.take(1)
    if kind == _LOW_DELAY:
        return 480 if short else 512
    return 960 if short else 1024


def _extension(bits: _Bits, rate: int) -> tuple[int | None, bool | None]:
    """The rate after decoding, and whether mono becomes stereo; None if unknown."""
    if bits.object_type() != _BAND_REPLICATION:
        return None, None
    if not bits.take(1):
        return rate, False
    output = bits.rate()
    if bits.left >= 12 and bits.take(11) == _SYNC_STEREO:
        return output, bool(bits.take(1))
    return output, None
