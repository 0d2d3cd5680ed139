"""The list of a recording's findings, as HTML. The script shows its entries beside the text, too."""

from collections.abc import Iterator, Sequence

from lambdas.report.labels import CONTEXTS, clock, escape, kind_of, percent, plain, speaker_name
from lambdas.report.transcript import seek_button
from lambdas.shared.entity_record import Attribute, EntityRecord
from lambdas.transcript.deidentify import TRANSCRIBE_MEDICAL


def findings_html(records: Sequence[EntityRecord], in_text: set[int]) -> str:
    """One entry per record, with the id `f<number>`; entries whose number is in `in_text` link to the text."""
    return "".join(finding_html(number, record, number in in_text) for number, record in enumerate(records))


def finding_html(number: int, record: EntityRecord, is_in_text: bool) -> str:
    kind = kind_of(record.category)
    label = kind.label if kind.name != "other" else plain(record.category)
    badges = "".join(
        f'<span class="badge{" negated" if name == "NEGATION" else ""}">{escape(CONTEXTS[name])}</span> '
        for name in dict.fromkeys(trait.name for trait in record.traits)
        if name in CONTEXTS
    )
    place = f'<a class="there" href="#t{number}">Show in the text</a>' if is_in_text else ""
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{html}</dd></div>" for name, html in rows_of(record))
    return (
        f'<li id="f{number}" class="finding {kind.name}" data-kind="{kind.name}">'
        f"<h3>{escape(record.text)} {badges}</h3>"
        f'<p class="kind">{escape(label)} <span class="type">{escape(plain(record.type))}</span></p>'
        f"<dl>{rows}</dl>{place}</li>\n"
    )


def rows_of(record: EntityRecord) -> Iterator[tuple[str, str]]:
    """(Name, value as HTML) of each known fact about the finding."""
    if record.traits:
        yield "Traits", "<br>".join(scored(plain(trait.name), trait.score) for trait in record.traits)
    for attribute in record.attributes:
        yield capitalised(attribute.type), attribute_html(attribute)
    if record.attribute_of:
        yield "Belongs to", f"a {escape(kind_of(record.attribute_of).label.lower())} that was not found"
    if record.start_seconds is not None:
        end = record.end_seconds
        until = "" if end is None or clock(end) == clock(record.start_seconds) else f" – {clock(end)}"
        yield "Said at", seek_button(record.start_seconds) + until
    if record.speaker or record.channel:
        yield (
            "Said by",
            escape(", ".join(speaker_name(label) for label in (record.speaker, record.channel) if label)),
        )
    service = "Transcribe Medical" if record.source == TRANSCRIBE_MEDICAL else "Comprehend Medical"
    yield "Found by", scored(service, record.score)
    if record.confidence is not None:
        yield "Words", f"{percent(record.confidence)} sure"
    if record.alternatives:
        yield "May have been", "<br>".join(f"<q>{escape(text)}</q>" for text in record.alternatives)


def attribute_html(attribute: Attribute) -> str:
    traits = "".join(f"; {escape(plain(trait.name))}" for trait in attribute.traits)
    return scored(attribute.text, attribute.score) + traits


def scored(text: str, score: float | None) -> str:
    return escape(text) if score is None else f"{escape(text)} <small>{percent(score)}</small>"


def capitalised(name: str) -> str:
    text = plain(name)
    return text[:1].upper() + text[1:]
