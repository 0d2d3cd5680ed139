"""The stages of a batch as a table with a bar for each, in SVG, because the page's policy forbids inline styles."""

from collections.abc import Sequence
from datetime import datetime

from lambdas.report.labels import clock, counted, escape
from lambdas.report.summary import Stage
from lambdas.shared import stages

_LABELS = {stage.name: stage.label for stage in stages.STAGES}
# The least width of a bar, in percent of the whole time.
NARROWEST = 0.6


def timeline_html(found: Sequence[Stage], finished_at: str) -> str:
    """A table of the stages, with the summary, which ends at `finished_at`, as the last one."""
    rows: list[Stage] = [
        *found,
        {"stage": stages.SUMMARY.name, "jobs": None, "began_at": None, "ended_at": finished_at},
    ]
    spans = [(moment(row["began_at"] or row["ended_at"]), moment(row["ended_at"])) for row in rows]
    first, last = min(begin for begin, _ in spans), max(end for _, end in spans)
    whole = max((last - first).total_seconds(), 1.0)
    body = "".join(
        row_html(row, begin, end, (begin - first).total_seconds() / whole, (end - first).total_seconds() / whole)
        for row, (begin, end) in zip(rows, spans, strict=True)
    )
    return (
        '<div class="scroll"><table><thead><tr><th scope="col">Stage</th><th scope="col" class="number">Jobs</th>'
        '<th scope="col">From (UTC)</th><th scope="col">To</th><th scope="col" class="number">Took</th>'
        f'<td class="bar" aria-hidden="true"></td></tr></thead><tbody>{body}</tbody></table></div>'
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def row_html(row: Stage, begin: datetime, end: datetime, left: float, right: float) -> str:
    took = clock((end - begin).total_seconds()) if row["began_at"] else ""
    from_ = time_html(begin) if row["began_at"] else ""
    width = max((right - left) * 100, NARROWEST)
    x = min(left * 100, 100 - width)
    jobs = "" if row["jobs"] is None else counted(row["jobs"], "job", "jobs")
    return (
        f'<tr><th scope="row">{escape(_LABELS[row["stage"]])}</th>'
        f'<td class="number">{jobs}</td><td>{from_}</td><td>{time_html(end)}</td>'
        f'<td class="number">{took}</td><td class="bar" aria-hidden="true"><svg>'
        f'<rect class="track" y="35%" width="100%" height="30%" rx="3"/>'
        f'<rect class="span" x="{x:.2f}%" y="15%" width="{width:.2f}%" height="70%" rx="3"/></svg></td></tr>\n'
    )


def time_html(when: datetime) -> str:
    return f'<time datetime="{when.isoformat()}">{when:%Y-%m-%d %H:%M:%S}</time>'
