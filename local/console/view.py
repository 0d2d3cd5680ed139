"""The page's data about executions, as JSON, from Step Functions and the batch's summary."""

import json
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from lambdas.shared.layout import MEDIA, rejections_prefix
from lambdas.shared.uris import parse_uri
from operations.advice import advice
from operations.deployed import Deployed
from operations.executions import STAGE_LABELS, Execution, arn_of, read_execution
from operations.executions import listed as newest_first
from operations.rejections import rejected_recordings

MOST_EXECUTIONS = 20
_MOST_NAMED = 3
_MOST_REJECTED = 20


def overview(deployed: Deployed) -> dict[str, Any]:
    """The newest executions, with the status and times that show whether an execution's `details` have changed."""
    found = list(islice(newest_first(deployed), MOST_EXECUTIONS + 1))
    return {
        "endpoint": deployed.connection.endpoint_url,
        "media_bucket": deployed.media,
        "executions": [
            {"name": item["name"], "status": item["status"], "stopped_at": _iso(item.get("stopDate"))}
            for item in found[:MOST_EXECUTIONS]
        ],
        "more": len(found) > MOST_EXECUTIONS,
    }


def details(deployed: Deployed, name: str) -> dict[str, Any]:
    """Everything about one execution.

    Raises:
        operations.errors.OperationError: there is no execution of that name.
    """
    found = read_execution(deployed, arn_of(deployed, name))
    rejected = _rejected(deployed, found)
    return {
        "name": found.name,
        "status": found.status,
        "is_running": found.is_running,
        "started_at": _iso(found.started_at),
        "stopped_at": _iso(found.stopped_at),
        "redrives": found.redrives,
        "can_redrive": found.redrivable,
        "media": _media(deployed, found.arn),
        "stages": stages(found),
        "recordings": recordings(deployed, found),
        "rejected": rejected[:_MOST_REJECTED],
        "more_rejected": max(0, len(rejected) - _MOST_REJECTED),
        "failures": [failure._asdict() for failure in found.failures],
        "advice": advice(found, redrive="Redrive", again="Start again"),
        "report": f"executions/{quote(found.name)}/batches/{quote(found.name)}/report.html"
        if found.report_uri
        else None,
    }


def stages(found: Execution) -> list[dict[str, Any]]:
    """All stages in order; `state` is done, running, failed, next or skipped."""
    entered = {stage.name: stage for stage in found.stages}
    shown = []
    for name in STAGE_LABELS:
        stage = entered.get(name)
        if stage is None:
            state = "next" if found.is_running else "skipped"
        elif stage.ended_at:
            state = "done"
        else:
            state = "running" if found.is_running else "failed"
        began, ended = (stage.began_at, stage.ended_at) if stage else (None, None)
        shown.append({"name": name, "state": state, "began_at": _iso(began), "ended_at": _iso(ended)})
    return shown


def recordings(deployed: Deployed, found: Execution) -> dict[str, int]:
    """State -> number of recordings: the Map's counts while it runs, then the summary's.

    The Map counts a rejected recording as a success, so rejections are counted by their objects.
    """
    if found.counts:
        return {name: number for name, number in found.counts.items() if name == "received" or number}
    if not found.recordings:
        return {}
    rejected = _rejections_so_far(deployed, found.name)
    failed = sum(found.recordings.get(name, 0) for name in ("failed", "timedOut", "aborted"))
    counts = {
        "total": found.recordings.get("total", 0),
        "waiting": found.recordings.get("pending", 0),
        "running": found.recordings.get("running", 0),
        "transcribed": max(0, found.recordings.get("succeeded", 0) - rejected),
        "rejected": rejected,
        "failed": failed,
    }
    return {name: number for name, number in counts.items() if name == "total" or number}


def file_of(uri: str) -> str:
    """`<user_id>/<file>`, which the uploader knows."""
    try:
        _, key = parse_uri(uri)
    except ValueError:  # the input is a user's
        return uri
    return key.removeprefix(MEDIA)


def _media(deployed: Deployed, arn: str) -> dict[str, Any]:
    """The execution's input: the first recordings and their number, or the prefix."""
    described = deployed.client("stepfunctions").describe_execution(executionArn=arn)
    try:
        given = json.loads(described.get("input", "{}"))
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return {}
    listed = given.get("media")
    media = [uri for uri in listed if isinstance(uri, str)] if isinstance(listed, list) else []
    if media:
        return {"files": [file_of(uri) for uri in media[:_MOST_NAMED]], "number": len(media)}
    return {"prefix": given["prefix"]} if isinstance(given.get("prefix"), str) else {}


def _rejections_so_far(deployed: Deployed, name: str) -> int:
    pages = deployed.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=deployed.clinical, Prefix=rejections_prefix(name))
    return sum(page["KeyCount"] for page in found)


def _rejected(deployed: Deployed, found: Execution) -> list[dict[str, str]]:
    if not found.counts.get("rejected"):
        return []
    rejected = rejected_recordings(deployed, found)
    return [{"file": file_of(item["uri"]), "reason": item["reason"]} for item in rejected]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
