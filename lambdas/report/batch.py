"""The page of a batch: its outcomes, rejections, stages, findings, audiences and cost."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from lambdas.report.labels import escape, kind_of
from lambdas.report.page import page
from lambdas.report.summary import Cost, Counts, Outcome, SummarizedAudience, Summary
from lambdas.report.timeline import timeline_html
from lambdas.shared.layout import recording_report_key
from lambdas.shared.state import (
    AllParameters,
    EntityCounts,
    LeftRecording,
    PlannedRecording,
    Rejection,
    Suppression,
    UnreadableRecords,
)
from lambdas.shared.uris import parse_uri

OUTCOMES: Mapping[Outcome, str] = {
    "received": "received",
    "transcribed": "transcribed",
    "reused": "reused: finished before",
    "elsewhere": "left to other executions",
    "rejected": "rejected",
}
BAD = ' class="bad"'


def batch_page(summary: Summary, planned: Sequence[PlannedRecording], documented: Collection[str]) -> str:
    """The page as HTML, for `batches/<execution>/report.html`, to which its links to recordings are relative.

    `planned` are the plan's recordings; `documented` are the media ids of recordings with documents. These recordings
    and the reused ones have a page.
    """
    sections = {
        "Recordings": tiles(summary["recordings"]),
        "Rejected": rejected_html(summary["rejected"]),
        "Left to other executions": elsewhere_html(summary["elsewhere"]),
        "Stages": timeline_html(summary["stages"], summary["finished_at"]),
        "Findings": findings_html(summary["entities"]),
        "Audiences": audiences_html(summary),
        "Cost": cost_html(summary["cost_usd"]),
        "Transcripts": transcripts_html(summary, planned, documented),
        "Parameters": parameters_html(summary["parameters"]),
    }
    present = [(f"s{number}", name, html) for number, (name, html) in enumerate(sections.items()) if html]
    links = "".join(f'<li><a href="#{anchor}">{name}</a></li>' for anchor, name, _ in present)
    contents = "\n".join(section(*each) for each in present)
    body = f"""<header>
<p class="over">Batch report</p>
<h1>{escape(summary["batch_id"])}</h1>
<ul class="facts"><li>Finished {escape(summary["finished_at"].replace("T", " ").replace("+00:00", " UTC"))}</li>
{"<li>Reprocessed: nothing was reused</li>" if summary["reprocess"] else ""}</ul>
<nav aria-label="On this page"><ul>{links}</ul></nav>
</header>
<main class="sheet">
{contents}
</main>
<footer><p>Made by machines: words and findings need a clinician's eye. This page and those it links to are clinical
data; keep them as carefully as the recordings.</p></footer>
"""
    return page(f"Batch {summary['batch_id']}", body)


def section(anchor: str, heading: str, html: str) -> str:
    return f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{heading}</h2>\n{html}</section>'


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], foot: str = "") -> str:
    """A table. Cells are HTML; a column whose name begins with `#` has numbers; a row's first cell is its header."""
    numeric = [name.startswith("#") for name in columns]
    heads = "".join(
        f'<th scope="col"{classed(is_number)}>{name.removeprefix("#")}</th>'
        for name, is_number in zip(columns, numeric, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td{classed(is_number)}>{cell}</td>" for cell, is_number in zip(row[1:], numeric[1:], strict=True))
        + "</tr>\n"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody>{foot}</table></div>'


def classed(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def tiles(counts: Counts) -> str:
    items = "".join(
        f"<li{BAD if name == 'rejected' and counts[name] else ''}><b>{counts[name]:,}</b> {OUTCOMES[name]}</li>"
        for name in OUTCOMES
    )
    return f'<ul class="tiles">{items}</ul>'


def file_of(uri: str) -> str:
    """The recording's key without `media/`, as its uploader knows it."""
    return escape(parse_uri(uri)[1].removeprefix("media/"))


def rejected_html(rejected: Iterable[Rejection]) -> str:
    rows = [(file_of(item["uri"]), escape(item["reason"])) for item in rejected]
    return table(("Recording", "Reason"), rows) if rows else ""


def elsewhere_html(elsewhere: Iterable[LeftRecording]) -> str:
    rows = [(file_of(item["uri"]), f"<code>{escape(item['execution_name'])}</code>") for item in elsewhere]
    return table(("Recording", "Execution"), rows) if rows else ""


def findings_html(entities: EntityCounts) -> str:
    ordered = sorted(entities["by_category"].items(), key=lambda item: -item[1])
    rows = [(escape(kind_of(category).label), f"{number:,}") for category, number in ordered]
    if entities["phi_labels"]:
        rows.append(("Protected health information, as labelled by Transcribe Medical", f"{entities['phi_labels']:,}"))
    missing = ""
    if entities["documents_unprocessed"]:
        missing = (
            f'<p class="notice"><strong>Incomplete.</strong> {entities["documents_unprocessed"]:,} of '
            f"{entities['documents']:,} documents were not processed.</p>"
        )
    return (table(("Category", "#Number"), rows) if rows else "<p>None.</p>") + missing


def audiences_html(summary: Summary) -> str:
    rows = [audience_row(audience) for audience in summary["audiences"]]
    without = [
        (escape(item["cohort"]), number(item.get("eligible")), escape(item["reason"]))
        for item in summary["cohorts_without_audience"]
    ]
    html = ""
    if rows:
        html += table(("Cohort", "#People eligible", "#In the seed", "Relevance", "#Recall", "Export"), rows)
    if without:
        html += "<h3>Cohorts without an audience</h3>" + table(("Cohort", "#People eligible", "Reason"), without)
    notices = unreadable_html(summary["unreadable_records"]) + suppression_html(summary["suppression"])
    return (html or "<p>No cohorts.</p>") + notices


def suppression_html(suppression: Suppression | None) -> str:
    """The numbers of the suppression list's lines that match nobody; the user ids stay in the list."""
    if not suppression or not suppression["unmatched_lines"]:
        return ""
    lines, without = suppression["unmatched_lines"], suppression["listed"] - suppression["matching"]
    html = (
        "<h3>Suppression list</h3>"
        f"<p>Of {suppression['listed']:,} user ids on the suppression list, {without:,} are in no record: forgotten, "
        f"without a finding yet, or spelt otherwise. {lines_of(lines)}{' …' if without > len(lines) else '.'}</p>"
    )
    if similar := suppression["similar_lines"]:
        html += (
            f'<p class="notice"><strong>Look at the suppression list.</strong> {lines_of(similar)}: there is a patient '
            "whose user id differs only by case, or by letters that look alike.</p>"
        )
    return html


def lines_of(numbers: Sequence[int]) -> str:
    return f"{'Line' if len(numbers) == 1 else 'Lines'} {', '.join(map(str, numbers))}"


def unreadable_html(unreadable: UnreadableRecords) -> str:
    if not unreadable["count"]:
        return ""
    rows = [(escape(sentence),) for sentence in unreadable["first"]]
    if more := unreadable["count"] - len(rows):
        rows.append((f"… and {number(more)} more",))
    return "<h3>Records that can't be read: nobody is in a cohort by them</h3>" + table(("File, and what to do",), rows)


def audience_row(audience: SummarizedAudience) -> tuple[str, ...]:
    metrics, hidden = audience["metrics"] or {}, audience["not_visible"]
    relevance = [
        f'<span class="whole">{escape(size_of(metric["audienceSize"]))}: {metric["score"]:.2f}</span>'
        for metric in metrics.get("relevanceMetrics", ())
        if "score" in metric
    ]
    recall = metrics.get("recallMetric")
    export = audience["export_uri"] or audience["export_refused"] or hidden.get("export_uri", "none")
    return (
        escape(audience["cohort"]),
        number(audience["eligible"]),
        number(audience["seed_size"]),
        "<br>".join(relevance) or escape(hidden.get("metrics", "")),
        "" if recall is None else f"{recall:.2f}",
        escape(export),
    )


def size_of(size: dict[str, Any]) -> str:
    return f"{size['value']} %" if size["type"] == "PERCENTAGE" else f"{size['value']:,} people"


def number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def cost_html(cost: Cost) -> str:
    rows = [
        ("Transcribe Medical", f"{cost['transcribe_medical']:,.4f}"),
        ("Comprehend Medical", f"{cost['comprehend_medical']:,.4f}"),
    ]
    foot = f'<tfoot><tr><th scope="row">Together</th><td class="number">{cost["total"]:,.4f}</td></tr></tfoot>'
    return (
        table(("Service", "#USD, estimated"), rows, foot)
        + f"<p><small>Not included: {escape(cost['not_included'])}</small></p>"
    )


def transcripts_html(summary: Summary, planned: Sequence[PlannedRecording], documented: Collection[str]) -> str:
    rejected = {item["media_id"] for item in summary["rejected"]}
    elsewhere = {item["media_id"] for item in summary["elsewhere"]}
    rows = [
        (
            f'<a href="../../{escape(recording_report_key(item["transcript_id"]))}">{file_of(item["uri"])}</a>',
            "reused" if item["reused"] else "incomplete: see above" if item["media_id"] in rejected else "transcribed",
            f"<time>{escape(item['uploaded_at'][:10])}</time>",
            "yes" if item["audience_consent"] else "no",
        )
        for item in sorted(planned, key=lambda item: str(item["uri"]))
        if item["media_id"] not in elsewhere and (item["reused"] or item["media_id"] in documented)
    ]
    return table(("Recording", "Outcome", "Uploaded", "Consent to audiences"), rows) if rows else "<p>None.</p>"


def parameters_html(parameters: AllParameters) -> str:
    text = json.dumps(parameters, ensure_ascii=False, indent=2)
    return f"<details><summary>What the services were asked for</summary><pre>{escape(text)}</pre></details>"
