"""Suggests clinical terms that sound like the words of a general recognizer: hypertension for "high potension"."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TERMS_FILE = Path(__file__).with_name("speech_terms.txt")
_LONGEST_WINDOW = 5
_LARGEST_DISTANCE = 0.39
"""Share of the sounds that may differ. Generous, because the sound itself decides afterwards."""

_VOWEL_CHANGE = 0.5
_VOWELS = {"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"}


@dataclass(frozen=True)
class Suggestion:
    """Words ``first`` up to, not including, ``last`` may be ``term``; ``distance`` 0 (same sounds) to 1."""

    first: int
    last: int
    term: str
    distance: float


class Vocabulary:
    """Clinical terms by their sounds. ``phones_of`` gives the phones of one written word."""

    def __init__(self, terms_file: Path, phones_of: Callable[[str], list[str]]) -> None:
        self._phones_of = phones_of
        self.terms: dict[str, list[str]] = {}
        for line in terms_file.read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                term, _, phones = line.partition("\t")
                self.terms[term] = phones.split() or [phone for word in term.split() for phone in phones_of(word)]
        self._names = list(self.terms)
        self._phones = sorted({phone for phones in self.terms.values() for phone in phones})
        self._is_vowel = np.array([phone in _VOWELS for phone in self._phones])
        self._counts = np.array([self._count(self.terms[name]) for name in self._names])
        self._lengths = np.array([len(self.terms[name]) for name in self._names])

    def suggest(self, words: Sequence[str]) -> list[Suggestion]:
        """Terms near runs of up to five words, nearest first; none for a run that holds a term already."""
        known = {part for term in self.terms for part in term.split()}
        sounds = [self._phones_of(word) for word in words]
        suggestions = []
        for first in range(len(words)):
            for last in range(first + 1, min(first + _LONGEST_WINDOW, len(words)) + 1):
                if words[last - 1].lower() in known:
                    break
                sound = [phone for word in sounds[first:last] for phone in word]
                suggestions += [Suggestion(first, last, term, distance) for term, distance in self._near(sound)]
        return sorted(suggestions, key=lambda suggestion: suggestion.distance)

    def _near(self, sound: Sequence[str]) -> list[tuple[str, float]]:
        longest = np.maximum(self._lengths, len(sound))
        found = []
        for position in np.flatnonzero(self._least_distances(sound) <= _LARGEST_DISTANCE * longest):
            term = self._names[position]
            distance = _edit_distance(sound, self.terms[term]) / int(longest[position])
            if distance <= _LARGEST_DISTANCE:
                found.append((term, distance))
        return found

    def _least_distances(self, sound: Sequence[str]) -> NDArray[np.float64]:
        """A lower bound of each term's edit distance, from the counts of phones: a cheap first filter."""
        ours = self._count(sound)
        missing, surplus = np.maximum(self._counts - ours, 0), np.maximum(ours - self._counts, 0)
        # Phones that no term has are in no column, but have to be deleted too.
        foreign = len(sound) - ours.sum()
        vowel_pairs = np.minimum(missing[:, self._is_vowel].sum(axis=1), surplus[:, self._is_vowel].sum(axis=1))
        others = np.maximum(missing.sum(axis=1), surplus.sum(axis=1) + foreign) - vowel_pairs
        return np.asarray(others + _VOWEL_CHANGE * vowel_pairs, dtype=np.float64)

    def _count(self, phones: Sequence[str]) -> NDArray[np.int64]:
        return np.array([phones.count(phone) for phone in self._phones])


def _edit_distance(left: Sequence[str], right: Sequence[str]) -> float:
    """Levenshtein distance over phones; one vowel for another costs _VOWEL_CHANGE."""
    previous = [float(column) for column in range(len(right) + 1)]
    for row, ours in enumerate(left, 1):
        current = [float(row)]
        for column, theirs in enumerate(right, 1):
            change = 0.0 if ours == theirs else _VOWEL_CHANGE if ours in _VOWELS and theirs in _VOWELS else 1.0
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + change))
        previous = current
    return previous[-1]
