"""Labels on a page for the services' names, and the formats of times and numbers."""

from html import escape as escape_html
from typing import NamedTuple


class Kind(NamedTuple):
    """A category on a page. `name` is its CSS class, which never comes from data."""

    name: str
    label: str


# Category of Entity (API reference of DetectEntitiesV2); the last is our own.
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
# For a category that the service adds later.
OTHER = Kind("other", "Other")

# Traits (API reference, Trait) that change a finding's meaning; the reader must see them in the text itself.
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
    """`generic name` for a service's constant `GENERIC_NAME`; any other text unchanged."""
    return name.replace("_", " ").lower() if name.isupper() else name


def speaker_name(label: str) -> str:
    """`Speaker 1` for the service's `spk_0`, `Channel 1` for `ch_0`; any other label unchanged."""
    word, _, number = label.partition("_")
    known = {"spk": "Speaker", "ch": "Channel"}.get(word)
    return f"{known} {int(number) + 1}" if known and number.isdecimal() else label


def clock(seconds: float) -> str:
    """A time in the recording: `4:05`, `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def percent(score: float) -> str:
    return f"{score * 100:.0f} %"


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def escape(text: str) -> str:
    """The text escaped for tags and quoted attributes; a parser reads as many characters as `text` has.

    A carriage return is escaped, too, because a parser turns it into a line feed, or drops it before one.
    """
    return escape_html(text).replace("\r", "&#13;")
