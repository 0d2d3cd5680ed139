"""Edits a file's bytes to make encodings that no program here writes: one of these edits, then a file and the new file.

    python -m samples.encoding_edits bytes OFFSET HEX | id3 | brands MAJOR COMPATIBLE,... | explicit-sbr |
                                     explicit-frequency | webm-duration NUMBER

`id3` puts a tag before the file. `brands` sets those of an MP4 file, like a phone. `explicit-sbr` signals band
replication at the beginning of AAC's configuration, not at its end; `explicit-frequency` writes the frequency as a
number. `webm-duration` corrects a browser's recording as some libraries do.
"""

import struct
import sys
from collections.abc import Callable
from pathlib import Path

_FREQUENCIES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_SBR, _PS, _SBR_SYNC, _PS_SYNC = 5, 29, 0x2B7, 0x548
_ID3 = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
_CONFIG_TAG, _WEBM_DURATION = b"\x05\x80\x80\x80", b"\x44\x89\x88"


def put(data: bytes, offset: str, digits: str) -> bytes:
    new, at = bytes.fromhex(digits), int(offset)
    return data[:at] + new + data[at + len(new) :]


def tag(data: bytes) -> bytes:
    return _ID3 + data


def brands(data: bytes, major: str, compatible: str) -> bytes:
    """Replace the brands within the old box, so that no offset changes; the last one is repeated to fill it."""
    (size,) = struct.unpack_from(">I", data)
    room = (size - 16) // 4
    listed = compatible.split(",")[:room]
    listed += listed[-1:] * (room - len(listed))
    return data[:8] + major.encode() + data[12:16] + "".join(listed).encode() + data[size:]


def explicit_sbr(data: bytes) -> bytes:
    """Convert AAC-LC, its half frequency, and the extension behind it (0x2B7, 5, 1, the output's frequency)."""
    at, bits = _config(data)
    frequency, channels, output = bits[5:9], bits[9:13], bits[33:37]
    assert (int(bits[16:27], 2), int(bits[27:32], 2), bits[32]) == (_SBR_SYNC, _SBR, "1")
    with_stereo = bits[37:48] == f"{_PS_SYNC:011b}"
    new = f"{_PS if with_stereo else _SBR:05b}" + frequency + channels + output + "00010" + "000"
    return _with_config(data, at, len(bits), new)


def explicit_frequency(data: bytes) -> bytes:
    """Write the frequency out; its three more bytes replace the extension behind the configuration."""
    at, bits = _config(data)
    new = bits[:5] + "1111" + f"{_FREQUENCIES[int(bits[5:9], 2)]:024b}" + bits[9:13] + "000"
    return _with_config(data, at, len(bits), new)


def webm_duration(data: bytes, number: str) -> bytes:
    at = data.index(_WEBM_DURATION) + len(_WEBM_DURATION)
    return data[:at] + struct.pack(">d", float(number)) + data[at + 8 :]


def _config(data: bytes) -> tuple[int, str]:
    """The offset of AAC's configuration, and its bits."""
    at = data.index(_CONFIG_TAG, data.index(b"esds")) + len(_CONFIG_TAG)
    return at + 1, "".join(f"{byte:08b}" for byte in data[at + 1 : at + 1 + data[at]])


def _with_config(data: bytes, at: int, length: int, new: str) -> bytes:
    if len(new) > length:
        raise ValueError(f"the new configuration needs {len(new)} bits, and the file has room for {length}")
    return data[:at] + int(new.ljust(length, "0"), 2).to_bytes(length // 8, "big") + data[at + length // 8 :]


EDITS: dict[str, Callable[..., bytes]] = {
    "bytes": put,
    "id3": tag,
    "brands": brands,
    "explicit-sbr": explicit_sbr,
    "explicit-frequency": explicit_frequency,
    "webm-duration": webm_duration,
}


def main() -> None:
    if len(sys.argv) < 4 or sys.argv[1] not in EDITS:
        sys.exit(__doc__)
    name, *values, source, target = sys.argv[1:]
    Path(target).write_bytes(EDITS[name](Path(source).read_bytes(), *values))


if __name__ == "__main__":
    main()
