"""Executions and functions that still work with patients' recordings, and could write after the removal.

The end of an execution (StopExecution, a failure, its timeout) also ends the Map's children, but no function that
they have called: it may write until Lambda's own limit.

Sources: API references of ListExecutions and DescribeExecution (includedData).
"""

import json
from collections.abc import Callable, Iterable, Set
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
CLOCKS_DIFFER = timedelta(minutes=5)
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


class Holding(NamedTuple):
    """An execution, and the patients whose recordings it has, in words."""

    execution: AtWork
    patients: str


def holding(deployed: Deployed, executions: Iterable[AtWork], user_ids: Set[str]) -> list[Holding]:
    """The executions whose recordings include those of the patients."""
    held = ((execution, _held(deployed, execution, user_ids)) for execution in executions)
    return [Holding(execution, ", ".join(sorted(patients))) for execution, patients in held if patients]


def refuse_running_executions(deployed: Deployed, user_ids: Set[str]) -> list[AtWork]:
    """The ended executions with recordings of the patients that may have left a running function behind.

    Raises:
        OperationError: an execution with recordings of a patient is running, or a backfill that lists them.
    """
    for backfill in backfills.running(deployed):
        if listed := _covered(backfill.prefix, uri_of(deployed.media, MEDIA), user_ids):
            raise OperationError(
                f"The backfill {backfill.name} lists recordings of {', '.join(sorted(listed))} and is running; wait "
                f"until it has ended, or stop it (aws stepfunctions stop-execution --execution-arn {backfill.arn})."
            )
    found = holding(deployed, executions_at_work(deployed), user_ids)
    for execution, patients in found:
        if execution.until is None:
            raise OperationError(
                f"The execution {execution.name} holds recordings of {patients} and is running; wait until it has "
                f"ended, or stop it (aws stepfunctions stop-execution --execution-arn {execution.arn})."
            )
    return [execution for execution, _ in found]


def wait_for_functions(deployed: Deployed, user_ids: Set[str], say: Callable[[str], None]) -> None:
    """Wait until no function of an ended execution with recordings of the patients can be running.

    The check is repeated after each wait, because somebody may have started or stopped an execution meanwhile. `say`
    is called with the reason for each wait.

    Raises:
        OperationError: an execution with recordings of a patient is running.
    """
    while left := refuse_running_executions(deployed, user_ids):
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
    longest = _LONGEST_LOCAL_RUN if deployed.is_local else _LONGEST_RUN + CLOCKS_DIFFER
    return max(ends) + longest if ends else None


def _held(deployed: Deployed, execution: AtWork, user_ids: Set[str]) -> set[str]:
    """The patients whose recordings the input names; for a prefix, the plan decides as soon as it is written."""
    description = deployed.client("stepfunctions").describe_execution(executionArn=execution.arn)
    try:
        request = json.loads(description["input"])
    except ValueError:
        return set()  # PlanBatch will fail
    if not isinstance(request, dict):
        return set()
    asked, prefix, media = request.get("media"), request.get("prefix"), uri_of(deployed.media, MEDIA)
    named = {_owner(uri, media) for uri in asked if isinstance(uri, str)} if isinstance(asked, list) else set()
    covered = _covered(prefix, media, user_ids) if isinstance(prefix, str) else set()
    plan = _plan(deployed, execution.name) if covered else None
    if plan is not None:
        listed = [entry for name in ("recordings", "elsewhere", "rejected") for entry in plan.get(name, ())]
        covered &= {canonical(entry.get("user_id") or "") for entry in listed}
    return covered.union(user_ids & named)


def _covered(prefix: str, media: str, user_ids: Set[str]) -> set[str]:
    """The patients who may have recordings below the prefix."""
    below = {user_id for user_id in user_ids for name in spellings(user_id) if f"{media}{name}/".startswith(prefix)}
    return below.union(user_ids & {_owner(prefix, media)})


def _owner(uri: str, media: str) -> str | None:
    """The canonical user id in the URI of a recording, or of a prefix below a patient's folder."""
    folder, slash, _ = uri.removeprefix(media).partition("/")
    return canonical(folder) if uri.startswith(media) and slash else None


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
