"""Starts backfills, and reads how far they are.

Sources: Step Functions API reference, StartExecution, ListExecutions, DescribeExecution, ListMapRuns, DescribeMapRun.
"""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lambdas.shared.uris import uri_of
from operations.causes import plain
from operations.deployed import Deployed
from operations.executions import ENDED_BADLY, missing, started_since

# Between a backfill's name and the number of its redrive, in the name of the execution that repeats its failed batches.
_AGAIN = "-again-"


class Backfill(NamedTuple):
    """A backfill and its batches: `batches` are those that were listed so far, `done` those that have ended well.

    `failed` batches have failed and have not succeeded since. `recordings` counts objects, with folders.
    """

    arn: str
    name: str
    status: str
    redrivable: bool
    prefix: str
    started_at: datetime
    stopped_at: datetime | None
    redrives: int
    batches: int
    done: int
    running: int
    waiting: int
    failed: int
    recordings: int
    cause: str | None


def start(deployed: Deployed, key: str) -> str:
    """Start a backfill of what is below `key`, and return its ARN.

    Its name begins the names of its batches' executions. Step Functions takes 80 characters, of which 40 are its own.
    """
    started: str = deployed.client("stepfunctions").start_execution(
        stateMachineArn=deployed.backfill_arn,
        name=f"backfill-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        input=json.dumps({"bucket": deployed.media, "prefix": key}),
    )["executionArn"]
    return started


def running(deployed: Deployed) -> list[Backfill]:
    """The backfills that are running, the latest first."""
    if "BackfillStateMachineArn" not in deployed.outputs:
        return []  # the environment was deployed before there were backfills
    found = _listed(deployed, statusFilter="RUNNING")
    return [read(deployed, item["executionArn"]) for item in found if _AGAIN not in item["name"]]


def is_backfill(deployed: Deployed, arn: str) -> bool:
    return "BackfillStateMachineArn" in deployed.outputs and arn.startswith(_executions(deployed))


def find(deployed: Deployed, name: str) -> str | None:
    """The ARN of the backfill of this name or ARN; None if there is none."""
    if "BackfillStateMachineArn" not in deployed.outputs:
        return None
    if name.startswith("arn:"):
        return name if is_backfill(deployed, name) else None
    arn = _executions(deployed) + name
    stepfunctions = deployed.client("stepfunctions")
    try:
        stepfunctions.describe_execution(executionArn=arn)
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        return None
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidArn":
            raise
        return None
    return arn


def read(deployed: Deployed, arn: str) -> Backfill:
    """Everything about one backfill.

    Raises:
        OperationError: there is no execution of that ARN.
    """
    stepfunctions = deployed.client("stepfunctions")
    try:
        described = stepfunctions.describe_execution(executionArn=arn)
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        raise missing(arn) from None
    batches, recordings = _map_run(stepfunctions, arn)
    status = described["status"]
    failed = _failed(deployed, described) if status != "SUCCEEDED" else 0
    given = json.loads(described.get("input") or "{}")
    return Backfill(
        arn,
        described["name"],
        status,
        described.get("redriveStatus") == "REDRIVABLE",
        uri_of(given["bucket"], given["prefix"]) if "prefix" in given else "the failed batches of another backfill",
        described["startDate"],
        described.get("stopDate"),
        described.get("redriveCount", 0),
        batches.get("total", 0),
        max(0, batches.get("succeeded", 0) - failed),
        batches.get("running", 0),
        batches.get("pending", 0) + batches.get("pendingRedrive", 0),
        failed,
        recordings.get("total", 0),
        plain(described.get("cause")) if status in ENDED_BADLY else None,
    )


def _map_run(stepfunctions: Any, arn: str) -> tuple[dict[str, int], dict[str, int]]:
    """The children of the Map by status, and their items."""
    runs = stepfunctions.list_map_runs(executionArn=arn)["mapRuns"]
    if not runs:
        return {}, {}
    # A Map Run that failed before its first child is followed by another one.
    latest = max(runs, key=lambda run: run["startDate"])
    described = stepfunctions.describe_map_run(mapRunArn=latest["mapRunArn"])
    return described["executionCounts"], described["itemCounts"]


def _failed(deployed: Deployed, described: dict[str, Any]) -> int:
    """The batches that have failed and have not succeeded since.

    A child of the backfill succeeds even if its batch fails (statemachine/backfill.asl.yaml), so the pipeline's
    executions are counted. Their names are those of backfill and child and the number of the child's redrive.
    """
    name, stepfunctions = described["name"], deployed.client("stepfunctions")
    latest: dict[str, tuple[int, dict[str, Any]]] = {}
    for item in started_since(deployed, described["startDate"], page_size=1000):
        if item["name"].startswith(f"{name}-"):
            child, _, redrives = item["name"].rpartition("-")
            latest[child] = max((int(redrives), item), latest.get(child, (-1, {})), key=lambda entry: entry[0])
    executions = [item for _, item in latest.values()]
    again = [item for item in _listed(deployed) if item["name"].startswith(name + _AGAIN)]
    if again:
        newest = max(again, key=lambda item: item["startDate"])
        total: int = _map_run(stepfunctions, newest["executionArn"])[0].get("total", 0)
        if total:
            since = [item for item in executions if item["startDate"] >= newest["startDate"]]
            return total - len([item for item in since if item["status"] == "SUCCEEDED"])
    return sum(item["status"] in ENDED_BADLY for item in executions)


def _listed(deployed: Deployed, **status: str) -> Iterator[dict[str, Any]]:
    pages = deployed.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=deployed.backfill_arn, **status):
        yield from page["executions"]


def _executions(deployed: Deployed) -> str:
    return deployed.backfill_arn.replace(":stateMachine:", ":execution:") + ":"
