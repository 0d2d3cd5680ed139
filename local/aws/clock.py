"""The scale of time in the local AWS: real seconds per AWS second.

Waits and retries of Step Functions, windows of event source mappings and durations of the services' jobs are scaled.
Computation is not: Lambda functions and their timeouts run in real time.
"""

import math

_scale = 1.0
_longest = math.inf


def set_scale(scale: float, longest: float = math.inf) -> None:
    """Make one AWS second last `scale` real seconds: 1 is real time, 0.02 makes a minute 1.2 s, 0 skips all waiting.

    No wait lasts more than `longest` real seconds, so that waits for an hour's job and for a minute's both stay short
    without the latter becoming a busy loop.
    Raises ValueError if `scale` is negative or not a finite number, or `longest` is negative.
    """
    if not (math.isfinite(scale) and scale >= 0):
        raise ValueError(f"the time scale must be a number of real seconds per AWS second, 0 or more, not {scale}")
    if not longest >= 0:
        raise ValueError(f"the longest wait must be a number of real seconds, 0 or more, not {longest}")
    global _scale, _longest
    _scale, _longest = float(scale), float(longest)


def scale() -> float:
    """Real seconds per AWS second."""
    return _scale


def scaled(seconds: float) -> float:
    """The real seconds that `seconds` of AWS time last; a negative duration lasts 0."""
    return min(max(0.0, seconds) * _scale, _longest)
