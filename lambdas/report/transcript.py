"""The transcript as HTML: paragraphs of speakers, with marked findings and the times of words."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from lambdas.report.labels import CONTEXTS, clock, escape, kind_of, percent, speaker_name
from lambdas.report.marks import Mark, marks_of, places_of
from lambdas.shared.entity_record import EntityRecord
from lambdas.transcript.paragraphs import Paragraph, paragraphs
from lambdas.transcript.transcribed_words import Word
from lambdas.transcript.words import Words

# Words of which Transcribe Medical is less sure are marked. Its guides name no threshold.
UNSURE_BELOW = 0.6
# The number of styles for voices; further voices reuse them, and every voice has a name.
VOICES = 6


def transcript_html(words: Words, records: Sequence[EntityRecord]) -> str:
    """The paragraphs. The marks of finding `n` of `records` have `n` in `data-findings`; the first has the id `t<n>`.

    `data-words` of a paragraph has `<place>:<hundredths of a second>` for each of its words. The place counts UTF-16
    units from the paragraph's beginning, as scripts do, without hidden notes (class `note`).
    """
    parts = list(paragraphs(words))
    voices: dict[tuple[str | None, str | None], int] = {}
    marks = marks_of(places_of(records, len(words.text)), (part.end for part in parts))
    begins = [mark.begin for mark in marks]
    seen: set[int] = set()
    html: list[str] = []
    before: tuple[str | None, str | None] | None = None
    for part in parts:
        said_by = part.speaker, part.channel
        voice = voices.setdefault(said_by, len(voices))
        own = marks[bisect_left(begins, part.begin) : bisect_left(begins, part.end)]
        html.append(f'<div class="turn voice-{voice % VOICES}{" again" if said_by == before else ""}">')
        html.append(f'<div class="who">{who(part, said_by != before)}</div>')
        html.append(f'<p data-words="{word_times(words.text, part)}">')
        html += paragraph_html(words, part, own, records, seen)
        html.append("</p></div>\n")
        before = said_by
    return "".join(html)


def who(part: Paragraph, named: bool) -> str:
    """The speaker, if `named`, and the time of the first word."""
    names = [speaker_name(label) for label in (part.speaker, part.channel) if label]
    name = f'<span class="name">{escape(", ".join(names))}</span> ' if names and named else ""
    if not part.words:
        return name
    return name + seek_button(part.words[0].start_seconds)


def seek_button(seconds: float) -> str:
    """A button that plays from this time. It is disabled, and looks like text, until the page has a recording."""
    return (
        f'<button type="button" class="seek" data-seconds="{seconds:.2f}" disabled>'
        f'<span class="hidden">Play from </span>{clock(seconds)}</button>'
    )


def word_times(text: str, part: Paragraph) -> str:
    units = utf16_units(text[part.begin : part.end])
    return " ".join(f"{units[word.begin - part.begin]}:{round(word.start_seconds * 100)}" for word in part.words)


def utf16_units(text: str) -> Sequence[int]:
    """The number of UTF-16 units before each character, and before the end."""
    if text.isascii() or max(text) <= "\uffff":
        return range(len(text) + 1)
    return list(accumulate((1 + (character > "\uffff") for character in text), initial=0))


def paragraph_html(
    words: Words, part: Paragraph, marks: Sequence[Mark], records: Sequence[EntityRecord], seen: set[int]
) -> Iterator[str]:
    unsure = [word for word in part.words if word.confidence is not None and word.confidence < UNSURE_BELOW]
    position = part.begin
    for mark in marks:
        yield text_html(words.text, position, mark.begin, unsure)
        yield mark_html(words.text, mark, unsure, records, seen)
        position = mark.end
    yield text_html(words.text, position, part.end, unsure)


def mark_html(text: str, mark: Mark, unsure: Sequence[Word], records: Sequence[EntityRecord], seen: set[int]) -> str:
    first = mark.places[0]
    kinds = list(dict.fromkeys(kind_of(records[number].category) for number in mark.numbers))
    context = contexts(first.is_attribute, records[first.number])
    new = [number for number in mark.numbers if number not in seen]
    seen.update(new)
    classes = ["mark", kinds[0].name]
    if first.is_attribute:
        classes.append("attribute")
    if "negated" in context:
        classes.append("negated")
    anchors = "".join(f'<span id="t{number}"></span>' for number in new)
    note = "; ".join([*context, *(kind.label for kind in kinds)])
    more = len(mark.numbers) - 1
    shown = (f' data-context="{" · ".join(context)}"' if context else "") + (f' data-more="+{more}"' if more else "")
    return (
        f'{anchors}<span class="{" ".join(classes)}" role="button" tabindex="0" aria-controls="details" '
        f'data-findings="{" ".join(map(str, mark.numbers))}" '
        f'data-kinds="{" ".join(kind.name for kind in kinds)}"{shown}>'
        f'{text_html(text, mark.begin, mark.end, unsure)}<span class="note"> ({escape(note)})</span></span>'
    )


def contexts(is_attribute: bool, record: EntityRecord) -> list[str]:
    """The labels of the finding's traits that change its meaning; empty for an attribute."""
    if is_attribute:
        return []
    names = {trait.name for trait in record.traits}
    return [label for name, label in CONTEXTS.items() if name in names]


def text_html(text: str, begin: int, end: int, unsure: Sequence[Word]) -> str:
    """The part `[begin, end)` of the text, with the `unsure` words, which are sorted, marked."""
    html: list[str] = []
    position = begin
    first = bisect_right(unsure, begin, key=lambda word: word.end)
    for word in unsure[first : bisect_left(unsure, end, key=lambda word: word.begin)]:
        start, stop = max(word.begin, begin), min(word.end, end)
        html.append(escape(text[position:start]))
        html.append(
            f'<span class="unsure" title="Transcribe Medical is {percent(word.confidence or 0)} sure">'
            f'{escape(text[start:stop])}<span class="note"> (unsure)</span></span>'
        )
        position = stop
    html.append(escape(text[position:end]))
    return "".join(html)
