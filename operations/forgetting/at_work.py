"""Executions and functions that still work with a patient's recordings, and could write after the removal.

The end of an execution (StopExecution, a failure, its timeout) also ends the Map's children, but no function that
they have called: it may write until Lambda's own limit.

Sources: API references of ListExecutions and DescribeExecution (includedData).
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lambdas.shared.layout import MEDIA, plan_key
from lambdas.shared.uris import uri_of
from lambdas.shared.user_ids import canonical, spellings
from operations.backfilling import progress as backfills
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.executions import ENDED_BADLY

# Lambda's limit, which is the timeout of our longest function.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
_LONGEST_RUN = timedelta(minutes=15)
# AWS refuses signatures if the caller's clock differs by more.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html
_CLOCKS_DIFFER = timedelta(minutes=5)
# The local AWS has this machine's clock, and functions that are done within seconds.
_LONGEST_LOCAL_RUN = timedelta(seconds=10)
_RUNNING = ("RUNNING", "PENDING_REDRIVE")


class AtWork(NamedTuple):
    """An execution that is running (`until` is None), or has ended but may have a function that runs `until` then."""

    arn: str
    name: str
    until: datetime | None


def executions_at_work(deployed: Deployed) -> list[AtWork]:
    """All executions, of any patient, that are running or may have left a running function behind.

    A redriven execution may have left one behind before the redrive, even if it has succeeded since. The listing has
    no filter: for a state machine ListExecutions refuses the filters for redrives and for PENDING_REDRIVE, and between
    two filtered listings an execution could change its status.
    """
    pages = deployed.client("stepfunctions").get_paginator("list_executions")
    listed = pages.paginate(stateMachineArn=deployed.state_machine_arn, PaginationConfig={"PageSize": 1000})
    now, found = datetime.now(UTC), []
    for execution in (execution for page in listed for execution in page["executions"]):
        until = _left_until(deployed, execution)
        if execution["status"] in _RUNNING:
            found.append(AtWork(execution["executionArn"], execution["name"], None))
        elif until and until > now:
            found.append(AtWork(execution["executionArn"], execution["name"], until))
    return found


def holding(deployed: Deployed, executions: Iterable[AtWork], user_id: str) -> list[AtWork]:
    """The executions whose recordings include the patient's."""
    return [execution for execution in executions if _holds(deployed, execution, user_id)]


def refuse_running_executions(deployed: Deployed, user_id: str) -> list[AtWork]:
    """The ended executions with recordings of the patient that may have left a running function behind.

    Raises:
        OperationError: an execution with recordings of the patient is running, or a backfill that lists them.
    """
    for backfill in backfills.running(deployed):
        if _covers(backfill.prefix, uri_of(deployed.media, MEDIA), user_id):
            raise OperationError(
                f"The backfill {backfill.name} lists recordings of {user_id} and is running; wait until it has ended, "
                f"or stop it (aws stepfunctions stop-execution --execution-arn {backfill.arn})."
            )
    found = holding(deployed, executions_at_work(deployed), user_id)
    for execution in found:
        if execution.until is None:
            raise OperationError(
                f"The execution {execution.name} holds recordings of {user_id} and is running; wait until it has "
                f"ended, or stop it (aws stepfunctions stop-execution --execution-arn {execution.arn})."
            )
    return found


def wait_for_functions(deployed: Deployed, user_id: str, say: Callable[[str], None]) -> None:
    """Wait until no function of an ended execution with recordings of the patient can be running.

    The check is repeated after each wait, because somebody may have started or stopped an execution meanwhile. `say`
    is called with the reason for each wait.

    Raises:
        OperationError: an execution with recordings of the patient is running.
    """
    while left := refuse_running_executions(deployed, user_id):
        until, name = max((execution.until, execution.name) for execution in left if execution.until)
        say(
            f"Waiting until {until.astimezone():%H:%M:%S}: the execution {name} has ended, but one of its functions "
            "may write until then"
        )
        sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))


def _left_until(deployed: Deployed, execution: dict[str, Any]) -> datetime | None:
    """When the last function that this listed execution may have left behind has ended; None if there can be none."""
    ends = [execution["stopDate"]] if execution["status"] in ENDED_BADLY else []
    if redriven := execution.get("redriveDate"):
        ends.append(redriven)
    longest = _LONGEST_LOCAL_RUN if deployed.is_local else _LONGEST_RUN + _CLOCKS_DIFFER
    return max(ends) + longest if ends else None


def _holds(deployed: Deployed, execution: AtWork, user_id: str) -> bool:
    """Whether the input names a recording of the patient; for a prefix, the plan decides as soon as it is written."""
    description = deployed.client("stepfunctions").describe_execution(executionArn=execution.arn)
    try:
        request = json.loads(description["input"])
    except ValueError:
        return False  # PlanBatch will fail
    if not isinstance(request, dict):
        return False
    asked, prefix, media = request.get("media"), request.get("prefix"), uri_of(deployed.media, MEDIA)
    if isinstance(asked, list) and any(isinstance(uri, str) and _is_below(uri, media, user_id) for uri in asked):
        return True
    if not isinstance(prefix, str):
        return False
    if not _covers(prefix, media, user_id):
        return False
    plan = _plan(deployed, execution.name)
    if plan is None:
        return True
    listed = [entry for name in ("recordings", "elsewhere", "rejected") for entry in plan.get(name, ())]
    return any(canonical(entry.get("user_id") or "") == user_id for entry in listed)


def _covers(prefix: str, media: str, user_id: str) -> bool:
    """Whether recordings of the patient may be below the prefix."""
    return any(f"{media}{name}/".startswith(prefix) for name in spellings(user_id)) or _is_below(prefix, media, user_id)


def _is_below(uri: str, media: str, user_id: str) -> bool:
    folder, slash, _ = uri.removeprefix(media).partition("/")
    return uri.startswith(media) and bool(slash) and canonical(folder) == user_id


def _plan(deployed: Deployed, execution_name: str) -> Any | None:
    """The plan of the execution; None if it is missing or no JSON."""
    key = plan_key(execution_name)
    try:
        return json.loads(deployed.client("s3").get_object(Bucket=deployed.clinical, Key=key)["Body"].read())
    except ValueError:
        return None
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
