"""Starts the search of everything that is stored for patients, waits for it, and reads what it found.

The search is a state machine in the account (statemachine/search.asl.yaml), with rights of its own: the person who
forgets a patient needs no right to read all that is stored.

Sources: API references of StartExecution, DescribeExecution and StopExecution.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any, NamedTuple
from uuid import uuid4

from lambdas.searching.files import Part, Scope, request
from lambdas.searching.traces import Traces
from lambdas.searching.versions import Version, list_versions
from lambdas.shared.layout import SEARCHES, search_parts_prefix, search_prefix, search_request_key
from lambdas.shared.parallel import mapped
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.executions import started_status
from operations.following import pause
from operations.forgetting.known import Tick
from operations.forgetting.ledger import LedgerItem
from operations.forgetting.versions import delete


class Found(NamedTuple):
    """The versions and items that name a patient, and the number of versions and items that were looked at."""

    versions: list[Version]
    items: list[LedgerItem]
    looked_at: int

    @property
    def described(self) -> list[str]:
        return [*(version.uri for version in self.versions), *map(str, self.items)]


def search(deployed: Deployed, traces: Traces, scope: Scope, tick: Tick, logs_since: str | None = None) -> Found:
    """Search the environment for the patients; `lambdas/searching/files.py` says what each scope reads.

    The request and what was found name the patients, so both are deleted at the end.

    Raises:
        OperationError: the search failed or was stopped.
        botocore.exceptions.ClientError: a permission is missing.
    """
    s3, name = deployed.client("s3"), f"search-{uuid4()}"
    s3.put_object(
        Bucket=deployed.clinical,
        Key=search_request_key(name),
        Body=json.dumps(request(traces, scope, logs_since)).encode(),
        ContentType="application/json",
    )
    with _deleted_at_the_end(deployed, name):
        _run(deployed, name)
        versions = list(list_versions(s3, deployed.clinical, search_parts_prefix(name)))
        latest = [version for version in versions if version.is_latest and not version.is_marker]
        parts = list(mapped(lambda version: _read(s3, version), latest))
    tick(sum(part["looked_at"] for part in parts))
    return Found(
        [Version(**version) for part in parts for version in part["versions"]],
        [LedgerItem(item["table"], item["key"]) for part in parts for item in part["items"]],
        sum(part["looked_at"] for part in parts),
    )


def delete_ended_searches(deployed: Deployed) -> None:
    """Delete the files that interrupted commands have left behind; a search that runs keeps its own."""
    s3 = deployed.client("s3")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=deployed.clinical, Prefix=SEARCHES, Delimiter="/")
    names = [folder["Prefix"].split("/")[1] for page in pages for folder in page.get("CommonPrefixes", ())]
    for name in names:
        if not _is_running(deployed, name):
            delete(s3, list_versions(s3, deployed.clinical, search_prefix(name)))


def _run(deployed: Deployed, name: str) -> None:
    """Start the search, and wait for its end."""
    client, arn = deployed.client("stepfunctions"), _arn(deployed, name)
    client.start_execution(stateMachineArn=deployed.search_arn, name=name, input=json.dumps({"search_id": name}))
    try:
        while (status := started_status(deployed, arn)) == "RUNNING":
            sleep(pause(deployed))
    except BaseException:
        client.stop_execution(executionArn=arn)
        raise
    if status != "SUCCEEDED":
        raise OperationError(
            f"The search {arn} is {status}, so nothing is proven: look at it in the Step Functions console, repair the "
            "cause, and repeat the command."
        )


@contextmanager
def _deleted_at_the_end(deployed: Deployed, name: str) -> Iterator[None]:
    s3 = deployed.client("s3")
    try:
        yield
    finally:
        delete(s3, list_versions(s3, deployed.clinical, search_prefix(name)))


def _read(s3: Any, version: Version) -> Part:
    answer = s3.get_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    part: Part = json.loads(answer["Body"].read())
    return part


def _is_running(deployed: Deployed, name: str) -> bool:
    client = deployed.client("stepfunctions")
    try:
        return bool(client.describe_execution(executionArn=_arn(deployed, name))["status"] == "RUNNING")
    except client.exceptions.ExecutionDoesNotExist:
        return False


def _arn(deployed: Deployed, name: str) -> str:
    return f"{deployed.search_arn.replace(':stateMachine:', ':execution:')}:{name}"
