"""The cost of recordings before their first job, from the formats and sizes of their files: an estimate and a bound.

Only a file's name and size are known before its header is read. `estimate` takes the usual bit rate of the format, and
the usual number of words. A recording with another bit rate is off by their ratio: WAV with one channel at 16 kHz costs
twice its estimate, WAV with two at 48 kHz a third. `bound` takes the lowest bit rate of the format, at most the longest
recording that Transcribe Medical accepts, and quick speech. media_headers/bit_rates.py has the rates and their sources,
preflight.py the length and its source, shared/pricing.py the prices and the number of words.

A recording counts with its whole cost, even if an earlier execution has paid for its transcript: whether the transcript
is still there is known only when its transcription begins. So after a failure the estimate of a new execution is too
high; a redrive keeps the plan and estimates nothing again.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lambdas.planning.media_headers.bit_rates import longest_seconds, usual_seconds
from lambdas.planning.preflight import MAXIMUM_SECONDS
from lambdas.shared.pricing import MOST_WORDS_PER_MINUTE, Cost, cost_of_speech, total


class ExpectedCost(NamedTuple):
    """The cost that is likely, and the most that it can be."""

    estimate: Cost
    bound: Cost


def expected_cost(media_format: str, size: int) -> ExpectedCost:
    """The cost of one recording: a file of `size` bytes whose name ends in `media_format`."""
    longest = min(longest_seconds(media_format, size), MAXIMUM_SECONDS)
    usual = min(usual_seconds(media_format, size), longest)
    return ExpectedCost(cost_of_speech(usual), cost_of_speech(longest, MOST_WORDS_PER_MINUTE))


def together(costs: Iterable[ExpectedCost]) -> ExpectedCost:
    found = list(costs)
    return ExpectedCost(total(cost.estimate for cost in found), total(cost.bound for cost in found))
