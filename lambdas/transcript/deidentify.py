"""De-identify a transcript: replace each finding of PHI by its category.

Only the services' findings are masked. Neither service promises to find all PHI (their guides ask for a human review).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypedDict

from lambdas.transcript.phi_labels import WORD, PhiLabel
from lambdas.transcript.transcribed_words import Word
from lambdas.transcript.words import Said, Span, Words

TRANSCRIBE_MEDICAL, COMPREHEND_MEDICAL = "transcribe_medical", "comprehend_medical"


class Finding(NamedTuple):
    """A place to mask. `span` is None if only the seconds are known, not the place in the text."""

    category: str
    source: str
    span: Span | None
    start_seconds: float | None = None
    end_seconds: float | None = None


class Masked(TypedDict):
    """A mask, with offsets in the masked text; they are None if only the seconds are known."""

    category: str
    begin_offset: int | None
    end_offset: int | None
    start_seconds: float | None
    end_seconds: float | None
    source: str


class SpokenWord(TypedDict):
    """A spoken word, or the mask in place of some words."""

    text: str
    start_seconds: float | None
    end_seconds: float | None
    speaker: str | None
    channel: str | None


class Deidentified(TypedDict):
    """`deidentified/<transcript_id>.json`. It isn't `complete` if entity detection did not see the whole text."""

    transcript_id: str
    complete: bool
    text: str
    words: list[SpokenWord]
    masked: list[Masked]


class Mask(NamedTuple):
    """A part `[begin, end)` of the text, in whole words, and the finding whose category replaces it."""

    begin: int
    end: int
    finding: Finding

    @property
    def text(self) -> str:
        return f"[{self.finding.category}]"


def label_findings(labels: Iterable[PhiLabel]) -> Iterator[Finding]:
    """The findings of Transcribe Medical's labels. A label without a word in the text gives one without a span."""
    for label in labels:
        for span in label.places:
            yield Finding(label.category, TRANSCRIBE_MEDICAL, span, label.start_seconds, label.end_seconds)
        for span in label.suspected:
            yield Finding(label.category, TRANSCRIBE_MEDICAL, span)
        if not label.places and not label.suspected:
            yield Finding(label.category, TRANSCRIBE_MEDICAL, None, label.start_seconds, label.end_seconds)


def deidentified(transcript_id: str, words: Words, findings: Iterable[Finding], complete: bool) -> Deidentified:
    """The transcript with masks in place of the findings.

    A word without a place in the text is omitted, because it may be PHI.
    """
    findings = list(findings)
    masks = masks_of(words, findings)
    pieces: list[str] = []
    masked: list[Masked] = []
    position = length = 0
    for mask in masks:
        pieces += [words.text[position : mask.begin], mask.text]
        begin = length + mask.begin - position
        position, length = mask.end, begin + len(mask.text)
        spoken = words.at((mask.begin, mask.end))
        masked.append(
            {
                "category": mask.finding.category,
                "begin_offset": begin,
                "end_offset": length,
                # A label may last longer than its words; muting the recording needs the longer time.
                "start_seconds": first(spoken.start_seconds, mask.finding.start_seconds),
                "end_seconds": last(spoken.end_seconds, mask.finding.end_seconds),
                "source": mask.finding.source,
            }
        )
    pieces.append(words.text[position:])
    masked += [
        {
            "category": finding.category,
            "begin_offset": None,
            "end_offset": None,
            "start_seconds": finding.start_seconds,
            "end_seconds": finding.end_seconds,
            "source": finding.source,
        }
        for finding in findings
        if finding.span is None
    ]
    return {
        "transcript_id": transcript_id,
        "complete": complete,
        "text": "".join(pieces),
        "words": list(masked_words(words, masks)),
        "masked": masked,
    }


def masks_of(words: Words, findings: Iterable[Finding]) -> list[Mask]:
    """The findings' places extended to whole words and merged if they overlap or touch, in the order of the text."""
    tokens = [match.span() for match in WORD.finditer(words.text)]
    begins, ends = [begin for begin, _ in tokens], [end for _, end in tokens]
    wide = []
    for finding in findings:
        if finding.span is None:
            continue
        begin, end = max(finding.span[0], 0), min(finding.span[1], len(words.text))
        if begin < end:
            for word in words.overlapping(begin, end):
                begin, end = min(begin, word.begin), max(end, word.end)
            touched = tokens[bisect_right(ends, begin) : bisect_left(begins, end)]
            if touched:
                begin, end = min(begin, touched[0][0]), max(end, touched[-1][1])
            wide.append(Mask(begin, end, finding))
    masks: list[Mask] = []
    for mask in sorted(wide, key=lambda mask: (mask.begin, mask.end)):
        if masks and mask.begin <= masks[-1].end:
            masks[-1] = merged(masks[-1], mask)
        else:
            masks.append(mask)
    return masks


def merged(one: Mask, other: Mask) -> Mask:
    """One mask for both, with Comprehend Medical's category if there is one ("NAME" says more than "PHI")."""
    chosen = other if telling(other) > telling(one) else one
    finding = chosen.finding._replace(
        start_seconds=first(one.finding.start_seconds, other.finding.start_seconds),
        end_seconds=last(one.finding.end_seconds, other.finding.end_seconds),
    )
    return Mask(one.begin, max(one.end, other.end), finding)


def telling(mask: Mask) -> tuple[bool, int]:
    return mask.finding.source == COMPREHEND_MEDICAL, mask.end - mask.begin


def first(*seconds: float | None) -> float | None:
    return min((value for value in seconds if value is not None), default=None)


def last(*seconds: float | None) -> float | None:
    return max((value for value in seconds if value is not None), default=None)


def masked_words(words: Words, masks: Sequence[Mask]) -> Iterator[SpokenWord]:
    """The words in the order of the text, with one entry in place of all words under a mask."""
    ends = [mask.end for mask in masks]
    last_mask = -1
    for word in words.words:
        number = bisect_right(ends, word.begin)
        if number == len(masks) or masks[number].begin >= word.end:
            yield entry(word.text, word)
        elif number > last_mask:
            last_mask = number
            yield entry(masks[number].text, words.at((masks[number].begin, masks[number].end)))


def entry(text: str, spoken: Word | Said) -> SpokenWord:
    return {
        "text": text,
        "start_seconds": spoken.start_seconds,
        "end_seconds": spoken.end_seconds,
        "speaker": spoken.speaker,
        "channel": spoken.channel,
    }
