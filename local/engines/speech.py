"""Speech to text: Moonshine recognizes the words, pocketsphinx finds the time of each.

A stand-in for Amazon Transcribe Medical on a developer's machine. The recognizer is a small general one; about a
hundred clinical terms are corrected afterwards. It serves to test the pipeline, not to judge transcripts.
"""

import math
import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from moonshine_voice import ModelArch, Transcriber, get_assets_path  # type: ignore[import-untyped]
from numpy.typing import NDArray

from local.engines.media import SAMPLE_RATE
from local.engines.speech_alignment import Aligner, Alignment
from local.engines.speech_segments import speech_segments
from local.engines.speech_vocabulary import TERMS_FILE, Suggestion, Vocabulary

_PADDING = np.zeros(SAMPLE_RATE // 2, np.int16)
_TOKENS = re.compile(r"(?P<word>[^\W_]+(?:[-'’./,][^\W_]+)*%?)|(?P<mark>[.,?!;:])", re.UNICODE)
_MOST_TERMS_A_LINE = 10
# Log score by which a term must beat the words it replaces, at distance 1. Chosen by looking at the replacements
# in the sample recordings: lower lets "as needed" become apnea, higher keeps "as new" from becoming asthma.
_GAIN_NEEDED = 80.0
_CONFIDENCE_SLOPE = 1.5
_HALF_CONFIDENT_FIT = -3.2
_UNALIGNED_CONFIDENCE = 0.3

_Token = tuple[str, str]
"""A word and the punctuation mark after it."""


@dataclass(frozen=True)
class Word:
    """One word of a transcript; ``start`` and ``end`` in seconds of the recording.

    ``punctuation`` is the mark that follows it, "" for none. ``confidence`` (0..1) is a heuristic, not a probability:
    how well the sound fits the word's usual pronunciation, see ``confidence_of``. ``heard`` is the recognizer's
    wording of a corrected clinical term (() for the term's second and later words), else None.
    """

    text: str
    start: float
    end: float
    confidence: float
    punctuation: str = ""
    heard: tuple["Word", ...] | None = None


class _Engines(threading.local):
    """One recognizer and one aligner per thread, because neither is thread-safe."""

    def __init__(self) -> None:
        model = Path(get_assets_path()) / "tiny-en"
        self.recognizer = Transcriber(
            model, ModelArch.TINY, options={"return_audio_data": "false", "vad_threshold": "0"}
        )
        self.aligner = Aligner()
        self.vocabulary = Vocabulary(TERMS_FILE, self.aligner.phones_of)
        for term, phones in self.vocabulary.terms.items():
            if " " not in term:
                self.aligner.teach(term, phones)


@dataclass(frozen=True)
class _Reading:
    """A possible reading: each token stands for the recognizer's tokens at the positions of its origin."""

    tokens: list[_Token]
    origins: list[range]
    alignment: Alignment


_engines: _Engines | None = None
_creating = threading.Lock()


def warm_up() -> None:
    """Load this thread's models now (about half a second and 200 MB) instead of at its first recording."""
    _engines_of_this_thread()


def transcribe(samples: NDArray[np.int16]) -> list[Word]:
    """The words said in mono 16 kHz samples, in order; an empty list when nobody speaks.

    May be called from several threads at once.
    """
    engines = _engines_of_this_thread()
    words: list[Word] = []
    for first, last in speech_segments(samples):
        words += _words_of(engines, samples[first:last], first / SAMPLE_RATE)
    return words


def confidence_of(fit: float | None) -> float:
    """0..1 from a word's mean log score per frame, by a logistic curve: -1 (usual) gives .96, -3 (poor) .57.

    A word that could not be aligned gets 0.3. Nothing is calibrated: compare words with it, do not multiply it.
    """
    if fit is None:
        return _UNALIGNED_CONFIDENCE
    return 1 / (1 + math.exp(-_CONFIDENCE_SLOPE * (fit - _HALF_CONFIDENT_FIT)))


def _engines_of_this_thread() -> _Engines:
    global _engines
    with _creating:
        if _engines is None:
            _engines = _Engines()
    return _engines


def _words_of(engines: _Engines, sound: NDArray[np.int16], offset: float) -> list[Word]:
    padded = np.concatenate([_PADDING, sound, _PADDING]).astype(np.float32) / 32768
    transcript = engines.recognizer.transcribe_without_streaming(padded.tolist(), SAMPLE_RATE)
    tokens = _tokens(" ".join(line.text for line in transcript.lines))
    aligned = engines.aligner.align(sound, [text for text, _ in tokens])
    heard = _words(tokens, aligned, offset)
    best = _with_clinical_terms(
        engines, sound, _Reading(tokens, [range(at, at + 1) for at in range(len(tokens))], aligned)
    )
    return [
        word if [tokens[at] for at in origin] == [token] else replace(word, heard=tuple(heard[at] for at in origin))
        for word, token, origin in zip(
            _words(best.tokens, best.alignment, offset), best.tokens, best.origins, strict=True
        )
    ]


def _words(tokens: list[_Token], alignment: Alignment, offset: float) -> list[Word]:
    return [
        Word(text, offset + placement.start, offset + placement.end, confidence_of(placement.fit), mark)
        for (text, mark), placement in zip(tokens, alignment.placements, strict=True)
    ]


def _with_clinical_terms(engines: _Engines, sound: NDArray[np.int16], best: _Reading) -> _Reading:
    """Replace words by a clinical term that sounds alike where the recording itself fits the term better."""
    for _ in range(_MOST_TERMS_A_LINE):
        if best.alignment.score is None:
            break
        for suggestion in engines.vocabulary.suggest([text for text, _ in best.tokens]):
            tokens = _replaced(best.tokens, suggestion)
            alignment = engines.aligner.align(sound, [text for text, _ in tokens])
            needed = best.alignment.score + _GAIN_NEEDED * suggestion.distance**2
            if alignment.score is not None and alignment.score > needed:
                best = _Reading(tokens, _origins(best.origins, suggestion), alignment)
                break
        else:
            break
    return best


def _replaced(tokens: list[_Token], suggestion: Suggestion) -> list[_Token]:
    first, last = tokens[suggestion.first], tokens[suggestion.last - 1]
    term = suggestion.term.capitalize() if first[0][0].isupper() else suggestion.term
    parts = term.split()
    marked = [(part, "") for part in parts[:-1]] + [(parts[-1], last[1])]
    return tokens[: suggestion.first] + marked + tokens[suggestion.last :]


def _origins(origins: list[range], suggestion: Suggestion) -> list[range]:
    """A term's first word stands for all words that were recognized there, the others for none."""
    whole = range(origins[suggestion.first].start, origins[suggestion.last - 1].stop)
    nothing = [range(whole.stop, whole.stop)] * (len(suggestion.term.split()) - 1)
    return [*origins[: suggestion.first], whole, *nothing, *origins[suggestion.last :]]


def _tokens(line: str) -> list[_Token]:
    """Words of a line, each with the punctuation mark that follows it."""
    tokens: list[_Token] = []
    for match in _TOKENS.finditer(line):
        if word := match["word"]:
            tokens.append((word, ""))
        elif tokens:
            tokens[-1] = (tokens[-1][0], tokens[-1][1] or match["mark"])
    return tokens
