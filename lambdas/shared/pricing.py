"""The services' prices in USD: us-east-1, first tier, read from the public price pages on 2026-11-22."""

import math

TRANSCRIBE_MEDICAL_PER_SECOND = 0.00125
COMPREHEND_MEDICAL_PER_UNIT = 0.01
COMPREHEND_MEDICAL_UNIT_CHARACTERS = 100


def entity_detection_units(characters: int) -> int:
    """The units that one document of `characters` costs: one per 100 characters begun, at least one."""
    return max(1, math.ceil(characters / COMPREHEND_MEDICAL_UNIT_CHARACTERS))
