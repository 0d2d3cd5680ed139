"""Finds the time of each word of a known text, by pocketsphinx's forced alignment."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder, Segment  # type: ignore[import-untyped]

from local.engines.media import SAMPLE_RATE
from local.engines.speech_pronunciation import pronounce, spoken_words

_FRAMES_PER_SECOND = 100
_SHORTEST_WORD_SECONDS = 0.01


@dataclass(frozen=True)
class Placement:
    """The position of a word, in seconds from the start of the samples.

    ``fit`` is the acoustic model's mean natural-log score per 10 ms frame (0 is best), None when the word could not be
    aligned and its place is only a share of the whole, in proportion to its length.
    """

    start: float
    end: float
    fit: float | None


@dataclass(frozen=True)
class Alignment:
    """One placement per word, in order, and the whole's log score (higher is better), None when it could not be done.

    Scores compare texts for the same samples only.
    """

    placements: list[Placement]
    score: float | None


class Aligner:
    """A forced aligner. Not thread-safe: give each thread its own."""

    def __init__(self) -> None:
        self._decoder = Decoder(lm=None, samprate=SAMPLE_RATE, loglevel="FATAL")

    def phones_of(self, written: str) -> list[str]:
        """CMUdict phones of a written word: from the dictionary, else by letter-to-sound rules."""
        return [
            phone
            for word in spoken_words(written)
            for phone in (self._decoder.lookup_word(word) or pronounce(word)).split()
        ]

    def teach(self, word: str, phones: Sequence[str]) -> None:
        """Add a word with its pronunciation, unless the dictionary has it."""
        if self._decoder.lookup_word(word) is None:
            self._decoder.add_word(word, " ".join(phones), True)

    def align(self, samples: NDArray[np.int16], words: Sequence[str]) -> Alignment:
        """Place ``words`` in 16 kHz mono samples in which exactly these are said."""
        spoken = [spoken_words(word) for word in words]
        text = [each for said in spoken for each in said]
        segments = self._segments(samples, text) if text and samples.size else []
        said_segments = [segment for segment in segments if segment.word[0] not in "<["]
        if len(said_segments) != len(text) or not text:
            return Alignment(_spread(words, len(samples) / SAMPLE_RATE), None)
        placements: list[Placement] = []
        at = 0
        for said in spoken:
            placements.append(_placement(said_segments[at : at + len(said)], placements))
            at += len(said)
        return Alignment(placements, sum(map(_log_score, segments)))

    def _segments(self, samples: NDArray[np.int16], text: list[str]) -> list[Segment]:
        for word in text:
            self.teach(word, pronounce(word).split())
        # Otherwise the loudness of the last recording affects the scores of this one.
        self._decoder.reinit_feat()
        self._decoder.set_align_text(" ".join(text))
        self._decoder.start_utt()
        self._decoder.process_raw(samples.tobytes(), full_utt=True)
        self._decoder.end_utt()
        return [] if self._decoder.hyp() is None else list(self._decoder.seg())


def _placement(segments: Sequence[Segment], before: Sequence[Placement]) -> Placement:
    if not segments:
        now = before[-1].end if before else 0.0
        return Placement(now, now + _SHORTEST_WORD_SECONDS, None)
    frames = sum(segment.end_frame + 1 - segment.start_frame for segment in segments)
    return Placement(
        segments[0].start_frame / _FRAMES_PER_SECOND,
        (segments[-1].end_frame + 1) / _FRAMES_PER_SECOND,
        sum(map(_log_score, segments)) / frames,
    )


def _log_score(segment: Segment) -> float:
    return math.log(max(segment.ascore, sys.float_info.min))


def _spread(words: Sequence[str], seconds: float) -> list[Placement]:
    """Each word's share of the time, by its number of letters."""
    letters = sum(map(len, words))
    ends = [seconds * end / letters for end in accumulate(map(len, words))]
    return [Placement(start, end, None) for start, end in pairwise([0.0, *ends])]
