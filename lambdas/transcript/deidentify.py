"""A transcript for uses that must not see who was spoken of: what was labelled as PHI is replaced by its category.

Only what the services label is masked. Neither promises to find everything (their guides ask for a human's review).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypedDict

from lambdas.transcript.phi_labels import WORD, PhiLabel
from lambdas.transcript.transcribed_words import Word
from lambdas.transcript.words import Said, Span, Words

TRANSCRIBE_MEDICAL, COMPREHEND_MEDICAL = "transcribe_medical", "comprehend_medical"


class Finding(NamedTuple):
    """A place that is to be masked, and why. `span` is None where it is known when, but not where in the text."""

    category: str
    source: str
    span: Span | None
    start_seconds: float | None = None
    end_seconds: float | None = None


class Masked(TypedDict):
    """What was masked: offsets in the masked text, None where only the seconds are known."""

    category: str
    begin_offset: int | None
    end_offset: int | None
    start_seconds: float | None
    end_seconds: float | None
    source: str


class SpokenWord(TypedDict):
    """A word as it was said, or the mask in place of some."""

    text: str
    start_seconds: float | None
    end_seconds: float | None
    speaker: str | None
    channel: str | None


class Deidentified(TypedDict):
    """`deidentified/<transcript_id>.json`. It isn't `complete` where entity detection did not see the whole text."""

    transcript_id: str
    complete: bool
    text: str
    words: list[SpokenWord]
    masked: list[Masked]


class Mask(NamedTuple):
    """A part of the text, of whole words, and what stands in its place."""

    begin: int
    end: int
    finding: Finding

    @property
    def text(self) -> str:
        return f"[{self.finding.category}]"


def label_findings(labels: Iterable[PhiLabel]) -> Iterator[Finding]:
    """What Transcribe Medical labelled. A label of which no word is in the text stays, without a place."""
    for label in labels:
        for span in label.places:
            yield Finding(label.category, TRANSCRIBE_MEDICAL, span, label.start_seconds, label.end_seconds)
        for span in label.suspected:
            yield Finding(label.category, TRANSCRIBE_MEDICAL, span)
        if not label.places and not label.suspected:
            yield Finding(label.category, TRANSCRIBE_MEDICAL, None, label.start_seconds, label.end_seconds)


def deidentified(transcript_id: str, words: Words, findings: Iterable[Finding], complete: bool) -> Deidentified:
    """The transcript with masks in place of the findings.

    A word that the text doesn't have is left out, since nothing says whether it is to be masked.
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
        said = words.at((mask.begin, mask.end))
        masked.append(
            {
                "category": mask.finding.category,
                "begin_offset": begin,
                "end_offset": length,
                # A label may last longer than its words; whoever mutes the recording needs both.
                "start_seconds": first(said.start_seconds, mask.finding.start_seconds),
                "end_seconds": last(said.end_seconds, mask.finding.end_seconds),
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
    """The findings' places in whole words, those that overlap or touch made one, in the order of the text."""
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
    """One mask for both. Comprehend Medical's category is kept, which says more ("NAME") than Transcribe's ("PHI")."""
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
    """The words in the text's order, one in place of all those that a mask covers."""
    ends = [mask.end for mask in masks]
    told = -1
    for word in words.words:
        number = bisect_right(ends, word.begin)
        if number == len(masks) or masks[number].begin >= word.end:
            yield entry(word.text, word)
        elif number > told:
            told = number
            yield entry(masks[number].text, words.at((masks[number].begin, masks[number].end)))


def entry(text: str, said: Word | Said) -> SpokenWord:
    return {
        "text": text,
        "start_seconds": said.start_seconds,
        "end_seconds": said.end_seconds,
        "speaker": said.speaker,
        "channel": said.channel,
    }
