"""The speaker of each word, for `Settings.ShowSpeakerLabels`: voices are distinguished by their mel cepstra.

Stretches of speech that one Gaussian describes nearly as well as two are the same voice (the Bayesian information
criterion of Chen and Gopalakrishnan, 1998). No voice is known beforehand, and only one person speaks at a time.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from local.engines.media import SAMPLE_RATE
from local.engines.speech import Word
from local.engines.speech_cepstra import CEPSTRA, mel_cepstra

_Floats = NDArray[np.float64]
_Moments = tuple[_Floats, _Floats, _Floats]
"""Per voice: the number of frames, their sum, and the sum of their outer products."""

_TURN_PAUSE_SECONDS = 0.25
_SENTENCE_ENDS = (".", "?", "!")
# A shorter stretch depends more on its sounds than on its voice, so it joins the nearest voice.
_SHORTEST_FOUNDING_FRAMES = 80
_LEAST_VARIANCE = 0.05
# 1 by the book, for independent frames; ours overlap, and are alike for as long as a sound lasts. Chosen on
# conversations put together from the samples: lower makes two people of one who speaks for a minute, higher makes one
# person of two who speak for three seconds each.
_PENALTY_WEIGHT = 2.5


def speakers_of(samples: NDArray[np.int16], words: Sequence[Word], most: int) -> list[int]:
    """The speaker of each word of mono 16 kHz samples, numbered from 0 in order of appearance, below ``most``.

    The speaker never changes within a sentence without a pause.
    """
    stretches = list(_stretches(words))
    if not stretches:
        return []
    cepstra = [mel_cepstra(_sound(samples, words[first].start, words[last - 1].end)) for first, last in stretches]
    voices = _voices(cepstra, most)
    order = list(dict.fromkeys(voices))
    return [
        order.index(voice) for voice, (first, last) in zip(voices, stretches, strict=True) for _ in range(first, last)
    ]


def _stretches(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """First word and word after the last of stretches with one speaker: up to a pause or the end of a sentence."""
    first = 0
    for position in range(1, len(words)):
        before, word = words[position - 1], words[position]
        if word.start - before.end > _TURN_PAUSE_SECONDS or before.punctuation in _SENTENCE_ENDS:
            yield first, position
            first = position
    if words:
        yield first, len(words)


def _sound(samples: NDArray[np.int16], start: float, end: float) -> NDArray[np.int16]:
    return samples[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]


def _voices(cepstra: Sequence[_Floats], most: int) -> list[int]:
    """A number for each stretch, the same for the same voice, at most ``most`` different ones."""
    everything = np.concatenate(cepstra)
    center, scale = everything.mean(axis=0), everything.std(axis=0) + 1e-6
    scaled = [(frames - center) / scale for frames in cepstra]
    counts = np.array([float(len(frames)) for frames in scaled])
    moments = (
        counts,
        np.array([frames.sum(axis=0) for frames in scaled]),
        np.array([frames.T @ frames for frames in scaled]),
    )
    founding = counts >= min(_SHORTEST_FOUNDING_FRAMES, counts.max())
    parameters = CEPSTRA + CEPSTRA * (CEPSTRA + 1) / 2
    penalty = _PENALTY_WEIGHT / 2 * parameters * np.log(len(everything))
    belongs, founded = _merged(_chosen(moments, founding), penalty, most)
    positions = np.cumsum(founding) - 1
    return [
        int(belongs[positions[stretch]]) if founding[stretch] else int(_losses(moments, stretch, founded).argmin())
        for stretch in range(len(counts))
    ]


def _merged(moments: _Moments, penalty: float, most: int) -> tuple[NDArray[np.int64], _Moments]:
    """Join the two most similar stretches, again and again, while they count as one voice or there are too many.

    Returns the voice of each stretch, and the voices.
    """
    counts, sums, products = (part.copy() for part in moments)
    number = len(counts)
    belongs = np.arange(number)
    losses = np.array([_losses(moments, stretch, moments) for stretch in range(number)])
    np.fill_diagonal(losses, np.inf)
    for left in range(number, 1, -1):
        kept, joined = sorted(map(int, np.unravel_index(losses.argmin(), losses.shape)))
        if losses[kept, joined] > penalty and left <= most:
            break
        belongs[belongs == joined] = kept
        for part in (counts, sums, products):
            part[kept] += part[joined]
        losses[joined], losses[:, joined] = np.inf, np.inf
        others = np.setdiff1d(belongs, [kept])
        current = (counts, sums, products)
        losses[kept, others] = losses[others, kept] = _losses(current, kept, _chosen(current, others))
    voices, numbered = np.unique(belongs, return_inverse=True)
    return numbered, _chosen((counts, sums, products), voices)


def _losses(moments: _Moments, position: int, others: _Moments) -> _Floats:
    """The loss of log likelihood if one Gaussian describes the voice and each of ``others``."""
    one = _chosen(moments, np.array([position]))
    counts, sums, products = (mine + theirs for mine, theirs in zip(one, others, strict=True))
    return _spread((counts, sums, products)) - _spread(one) - _spread(others)


def _spread(moments: _Moments) -> _Floats:
    """Minus each voice's log likelihood under its own Gaussian, except a constant per frame."""
    counts, sums, products = moments
    means = sums / counts[:, np.newaxis]
    covariances = products / counts[:, np.newaxis, np.newaxis] - means[:, :, np.newaxis] * means[:, np.newaxis, :]
    return np.asarray(counts / 2 * np.linalg.slogdet(covariances + _LEAST_VARIANCE * np.eye(CEPSTRA))[1])


def _chosen(moments: _Moments, which: NDArray[np.int64] | NDArray[np.bool_]) -> _Moments:
    counts, sums, products = moments
    return counts[which], sums[which], products[which]
