"""What the services' names are called on a page, and how moments and numbers are written there."""

from html import escape as escape_html
from typing import NamedTuple


class Kind(NamedTuple):
    """A category as a page shows it. `name` is its CSS class, and never comes from data."""

    name: str
    label: str


# Category of EntityDetection, API reference of DetectEntitiesV2; the last is of our own records.
KINDS = {
    "MEDICAL_CONDITION": Kind("condition", "Medical condition"),
    "MEDICATION": Kind("medication", "Medication"),
    "TEST_TREATMENT_PROCEDURE": Kind("procedure", "Test, treatment, procedure"),
    "ANATOMY": Kind("anatomy", "Anatomy"),
    "BEHAVIORAL_ENVIRONMENTAL_SOCIAL": Kind("social", "Behaviour, environment, social"),
    "TIME_EXPRESSION": Kind("time", "Time"),
    "PROTECTED_HEALTH_INFORMATION": Kind("phi", "Protected health information"),
    "UNMAPPED_ATTRIBUTE": Kind("unmapped", "Unassigned detail"),
}
# A category that the service adds some day is shown all the same.
OTHER = Kind("other", "Other")

# Traits (API reference, Trait) that change what a finding means; a reader has to see them in the text itself.
CONTEXTS = {
    "NEGATION": "negated",
    "PERTAINS_TO_FAMILY": "family",
    "PAST_HISTORY": "past",
    "HYPOTHETICAL": "hypothetical",
    "FUTURE": "future",
    "LOW_CONFIDENCE": "uncertain",
}


def kind_of(category: str) -> Kind:
    return KINDS.get(category, OTHER)


def plain(name: str) -> str:
    """`GENERIC_NAME` as a person writes it: `generic name`. What isn't a constant of a service stays as it is."""
    return name.replace("_", " ").lower() if name.isupper() else name


def speaker_name(label: str) -> str:
    """`spk_0` of the service is a reader's first speaker, `ch_0` the first channel."""
    word, _, number = label.partition("_")
    known = {"spk": "Speaker", "ch": "Channel"}.get(word)
    return f"{known} {int(number) + 1}" if known and number.isdecimal() else label


def clock(seconds: float) -> str:
    """A moment of the recording: `4:05`, `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def percent(score: float) -> str:
    return f"{score * 100:.0f} %"


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def escape(text: str) -> str:
    """Text that can stand anywhere in a page, between tags or in quotes, and still has as many characters.

    A parser makes a carriage return a line feed, or drops it before one: it is written as a reference.
    """
    return escape_html(text).replace("\r", "&#13;")
