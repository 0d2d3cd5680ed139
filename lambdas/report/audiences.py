"""The audiences of a batch on its page: sizes, quality and export, cohorts without an audience, and suppression."""

from collections.abc import Sequence
from typing import Any

from lambdas.report.labels import escape
from lambdas.report.summary import SummarizedAudience, Summary
from lambdas.report.tables import number, table
from lambdas.shared.state import Suppression, UnreadableRecords


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
