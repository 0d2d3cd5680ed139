"""What read_header promises of any bytes, held against one damaged recording."""

import math

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from tests.fuzz.mutations import Case, Failing, SourceError

FORMATS = {"wav", "mp3", "mp4", "flac", "ogg", "amr", "webm", "m4a"}
MOST_READS = 64
MOST_BYTES = 12 << 20


def broken(case: Case) -> str | None:
    """What was promised and not held, None if all was."""
    header, problem = None, None
    try:
        header = read_header(case.source)
    except SourceError:
        if not isinstance(case.source, Failing):
            problem = "raises what its source doesn't"
    except Exception as error:
        problem = f"raises {type(error).__name__}: {error}"
    if problem is None and case.source.reads > MOST_READS:
        problem = f"was read {case.source.reads} times"
    if problem is None and case.source.bytes > MOST_BYTES:
        problem = f"{case.source.bytes} bytes of it were read"
    if problem is None and header:
        problem = _implausible(header)
    return f"{case}: {problem}" if problem else None


def _implausible(header: Header) -> str | None:
    if header.format not in FORMATS:
        return f"has the format {header.format!r}"
    # Any comparison with NaN is false.
    if not (0 <= header.shortest <= header.longest and header.shortest < math.inf):
        return f"lasts {header.shortest} to {header.longest} s"
    if header.seconds is not None and not header.shortest <= header.seconds <= header.longest:
        return f"lasts {header.seconds} s, which isn't within {header.shortest} to {header.longest}"
    if header.sample_rate is not None and header.sample_rate <= 0:
        return f"has {header.sample_rate} Hz"
    if header.channels is not None and header.channels <= 0:
        return f"has {header.channels} channels"
    return None
