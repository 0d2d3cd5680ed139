"""The page of a batch: its outcomes, rejections, stages, findings, audiences and cost."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from lambdas.report.audiences import audiences_html
from lambdas.report.labels import escape, kind_of
from lambdas.report.page import page
from lambdas.report.summary import Cost, Counts, Outcome, Summary
from lambdas.report.tables import table
from lambdas.report.timeline import timeline_html
from lambdas.shared.layout import recording_report_key
from lambdas.shared.state import (
    AllParameters,
    EntityCounts,
    LeftRecording,
    PlannedRecording,
    Rejection,
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


def cost_html(cost: Cost) -> str:
    expected = {"Estimated before": cost["estimate"], "At most": cost["bound"]}
    columns = [("Real", cost), *((heading, costs) for heading, costs in expected.items() if costs)]
    rows = [
        ("Transcribe Medical", *(f"{costs['transcribe_medical']:,.4f}" for _, costs in columns)),
        ("Comprehend Medical", *(f"{costs['comprehend_medical']:,.4f}" for _, costs in columns)),
    ]
    sums = "".join(f'<td class="number">{costs["total"]:,.4f}</td>' for _, costs in columns)
    foot = f'<tfoot><tr><th scope="row">Together</th>{sums}</tr></tfoot>'
    return (
        table(("Service", *(f"#{heading}, USD" for heading, _ in columns)), rows, foot)
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
