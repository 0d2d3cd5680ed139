"""The services' prices in USD, and what speech of a given length costs.

Prices: us-east-1, first tier, read from the public price pages on 2026-11-22.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

TRANSCRIBE_MEDICAL_PER_SECOND = 0.00125
# The price page's minimum for a job.
TRANSCRIBE_MEDICAL_LEAST_SECONDS = 15
COMPREHEND_MEDICAL_PER_UNIT = 0.01
COMPREHEND_MEDICAL_UNIT_CHARACTERS = 100

# Assumed for an estimate: people speak 150 words a minute without pauses, and a word takes six characters with the
# blank behind it.
WORDS_PER_MINUTE = 150
CHARACTERS_PER_WORD = 6
# Assumed for a bound: twice as many, as when two people talk at once on two channels.
MOST_WORDS_PER_MINUTE = 300


class Cost(NamedTuple):
    """The cost of transcription and of entity detection, in USD."""

    transcribe_medical: float
    comprehend_medical: float

    @property
    def total(self) -> float:
        return self.transcribe_medical + self.comprehend_medical


def billed_seconds(seconds: float) -> int:
    """The seconds that Transcribe Medical charges for a recording of `seconds`."""
    return max(TRANSCRIBE_MEDICAL_LEAST_SECONDS, math.ceil(seconds))


def entity_detection_units(characters: int) -> int:
    """The units that one document of `characters` costs: one per 100 characters begun, at least one."""
    return max(1, math.ceil(characters / COMPREHEND_MEDICAL_UNIT_CHARACTERS))


def cost_of_speech(seconds: float, words_per_minute: int = WORDS_PER_MINUTE) -> Cost:
    """The cost of a recording with `seconds` of speech."""
    characters = math.ceil(seconds / 60 * words_per_minute * CHARACTERS_PER_WORD)
    return Cost(
        billed_seconds(seconds) * TRANSCRIBE_MEDICAL_PER_SECOND,
        entity_detection_units(characters) * COMPREHEND_MEDICAL_PER_UNIT,
    )


def total(costs: Iterable[Cost]) -> Cost:
    found = list(costs)
    return Cost(sum(cost.transcribe_medical for cost in found), sum(cost.comprehend_medical for cost in found))


def cents(usd: float) -> int:
    """Whole cents, rounded up; the tiny error of a sum of floats doesn't count."""
    return math.ceil(round(usd * 100, 6))
