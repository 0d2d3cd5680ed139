"""Personal health information in a transcript, as ContentIdentificationType=PHI asks for."""

from collections.abc import Sequence
from typing import Any

from local.engines.entities.phi import protected_health_information
from local.engines.speech import Word

from .transcript import text_of

CATEGORY = "PHI"
"""Every entity's category. Unverified: the documentation's examples of this string are garbled."""


def identify_phi(words: Sequence[Word]) -> list[dict[str, Any]]:
    """``results.entities``: text, begin and end in seconds, and the pattern's confidence."""
    text = text_of(words)
    begins: list[int] = []
    at = 0
    for word in words:
        begins.append(at)
        at += len(word.text) + len(word.punctuation) + 1
    entities = []
    for span in protected_health_information(text):
        matched = [
            word
            for word, begin in zip(words, begins, strict=True)
            if begin < span.end and span.begin < begin + len(word.text)
        ]
        entities.append(
            {
                "content": text[span.begin : span.end],
                "category": CATEGORY,
                "startTime": round(matched[0].start, 2),
                "endTime": round(matched[-1].end, 2),
                "confidence": span.term.score,
            }
        )
    return entities
