"""Whether logs, metrics and traces arrive, each within `Observed.arrival_seconds`.

Sources: API references of CloudWatch Logs (FilterLogEvents), CloudWatch (GetMetricData) and X-Ray (GetTraceSummaries);
Step Functions guide, "Logging using CloudWatch Logs".
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.verify.checks import Check, Seen, holds, not_seen, refuted
from operations.verify.observed import Observed

# The members with the data of an execution in a log event (Step Functions guide, log event format).
_DATA = ("input", "output", "inputDetails", "outputDetails")
_BAD_SIGNS = ('"level":"ERROR"', '"errorType"', "[ERROR]", "Task timed out")
_MOST_EVENTS = 1000


def _events_in(observed: Observed, group: str, phrase: str = "") -> list[dict[str, Any]]:
    """Events of a log group since the rehearsal began; with a phrase, only the events that contain it."""
    options: dict[str, Any] = {"filterPattern": f'"{phrase}"'} if phrase else {}
    logs = observed.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int(observed.began.timestamp() * 1000),
        PaginationConfig={"MaxItems": _MOST_EVENTS},
        **options,
    )
    try:
        return [event for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def _machine_log(observed: Observed) -> Seen:
    if observed.worked is None:
        return not_seen("No execution has run.")
    group, name = f"/aws/vendedlogs/states/{observed.prefix}-pipeline", observed.worked.name
    events = observed.wait_for(lambda: _events_in(observed, group, name))
    if not events:
        return refuted(f"{group} has no event of {name} after {observed.arrival_seconds:.0f} s")
    kinds = set()
    for event in events:
        message = json.loads(event["message"])
        kinds.add(message["type"])
        if data := sorted(set(_DATA) & set(message.get("details", {}))):
            return refuted(f"{group} holds the data of an execution: {message['type']} has {', '.join(data)}")
    return holds(f"{group} has {len(events)} events of {name}, of {len(kinds)} types, without data")


def _function_log(observed: Observed) -> Seen:
    if observed.worked is None:
        return not_seen("No execution has run.")
    if observed.failure_in("PlanBatch"):
        return not_seen("PlanBatch has failed, perhaps before it logged its execution.")
    group, name = f"/aws/lambda/{observed.prefix}-plan_batch", observed.worked.name
    events = observed.wait_for(lambda: _events_in(observed, group, name))
    if not events:
        return refuted(f"{group} has no line of {name} after {observed.arrival_seconds:.0f} s")
    return holds(f"{group} has {len(events)} lines of {name}")


def _job_sharing(observed: Observed) -> Seen:
    group = f"/aws/lambda/{observed.prefix}-share_jobs"
    events = observed.wait_for(lambda: _events_in(observed, group))
    if not events:
        return refuted(f"{group} has no line since {observed.began.isoformat(timespec='seconds')}")
    if bad := [event for event in events if any(sign in event["message"] for sign in _BAD_SIGNS)]:
        return refuted(f"{group} has {len(bad)} errors, the last in {bad[-1]['logStreamName']}")
    return holds(f"{group} has {len(events)} lines and no error")


def _metrics(observed: Observed) -> Seen:
    if not observed.succeeded:
        return not_seen("No batch has finished.")
    more = observed.wait_for(lambda: max(0, observed.finished_batches() - observed.batches_before))
    evidence = f"ClinicalMedia BatchesFinished of {observed.prefix} has grown by {more or 0:g}"
    return holds(evidence) if more else refuted(f"{evidence} after {observed.arrival_seconds:.0f} s")


def _traces(observed: Observed) -> Seen:
    if observed.worked is None:
        return not_seen("No execution has run.")
    function = f"{observed.prefix}-plan_batch"

    def summaries() -> list[dict[str, Any]]:
        pages = (
            observed.client("xray")
            .get_paginator("get_trace_summaries")
            .paginate(
                StartTime=observed.began,
                EndTime=datetime.now(UTC) + timedelta(seconds=1),
                FilterExpression=f'service("{function}")',
            )
        )
        return [summary for page in pages for summary in page["TraceSummaries"]]

    found = observed.wait_for(summaries)
    if not found:
        return refuted(f"There is no trace of {function} after {observed.arrival_seconds:.0f} s")
    return holds(f"{len(found)} traces of {function}, the first is {found[0]['Id']}")


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "machine-log",
        "The state machine's log is delivered, and holds no data of executions.",
        "Compare the state machine's logging configuration and the key's policy with the template; send us this "
        "report.",
        _machine_log,
    ),
    Check(
        "function-log",
        "The functions' logs are written.",
        "Compare the log groups, and the key's policy for CloudWatch Logs, with the template.",
        _function_log,
    ),
    Check(
        "job-sharing",
        "share_jobs divides the transcription jobs once a minute without an error.",
        "Look at the log of share_jobs (docs/runbook.md, job-sharing-failed) and send us this report.",
        _job_sharing,
    ),
    Check(
        "metrics",
        "The functions' metrics arrive in CloudWatch.",
        "Look for lines with CloudWatchMetrics in the functions' logs; without metrics no alarm is raised.",
        _metrics,
    ),
    Check(
        "traces",
        "The functions' traces arrive in X-Ray.",
        "Compare the roles' policy for X-Ray with the template; only the traces depend on it.",
        _traces,
    ),
)
