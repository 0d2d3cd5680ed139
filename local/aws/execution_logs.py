"""The log of a state machine: its executions' history events in its log group, if its role and keys allow that.

moto's interpreter passes every event to this log.

https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html and, for the keys,
https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html: the role must be allowed to set up the
delivery; with a key of its own, the state machine encrypts each event for `delivery.logs.amazonaws.com`, which must be
able to decrypt it; the log group's own key is used by CloudWatch Logs. An execution whose log cannot be delivered runs
all the same, and its log is lost.

Differences from AWS. Events arrive at once. The guide describes neither the streams' names nor the lines: both follow
published examples, with one stream an hour. AWS doesn't document whether an error's cause counts as execution data;
here it is logged.
"""

import datetime
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from moto.logs.models import LogGroup, LogsBackend, logs_backends
from moto.stepfunctions.models import StateMachine, StateMachineInstance
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.eval.event.logging import VALIDATION_LOG_STREAM_NAME, is_logging_enabled_for
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.aws import kms_keys
from local.aws.iam import role_allows
from local.aws.key_policies import lets_service_use_key

_DELIVERY_ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
_EXECUTION_DATA = {
    "input",
    "inputDetails",
    "output",
    "outputDetails",
    "parameters",
    "assignedVariables",
    "assignedVariablesDetails",
}
_VALIDATION = (
    "Permissions are set correctly to allow AWS CloudWatch Logs to write into your logs while creating a subscription."
)

_log = logging.getLogger(__name__)
_writing = threading.Lock()
_moto_create_state_machine = StepFunctionsParserBackend.create_state_machine
_moto_update_state_machine = StepFunctionsParserBackend.update_state_machine


@dataclass(frozen=True)
class Destination:
    """The log group for a state machine's events, with the log level and whether data are included."""

    group: LogGroup
    machine_name: str
    level: str
    include_execution_data: bool

    def put(self, timestamp: datetime.datetime, message: str, stream: str | None = None) -> None:
        """Add `message` to the stream of its hour, or to `stream`."""
        stream = stream or f"states/{self.machine_name}/{timestamp:%Y-%m-%d-%H}/00000000"
        milliseconds = int(timestamp.timestamp() * 1000)
        logs: LogsBackend = logs_backends[self.group.account_id][self.group.region]
        with _writing:
            if self.group.name in logs.groups:
                logs.ensure_log_stream(self.group.name, stream)
                logs.put_log_events(self.group.name, stream, [{"timestamp": milliseconds, "message": message}])


class ExecutionLog:
    """The log of one execution, in the form of moto's CloudWatchLoggingSession.

    `destination` is None if events can't be delivered; it is set for every run. `redrives` returns the number of
    redrives.
    """

    # With False moto would copy an event's data and drop it; it is dropped here instead.
    configuration = SimpleNamespace(include_execution_data=True)

    def __init__(self, execution_arn: str, redrives: Callable[[], int]) -> None:
        self.execution_arn = execution_arn
        self.destination: Destination | None = None
        self._redrives = redrives

    def log_level_filter(self, history_event_type: HistoryEventType) -> bool:
        """Whether events of this type are logged."""
        return self.destination is not None and is_logging_enabled_for(
            self.destination.level,  # type: ignore[arg-type]
            history_event_type,
        )

    def publish_history_log(self, history_log: Mapping[str, Any]) -> None:
        """Deliver one event."""
        destination = self.destination
        if destination is None:
            return
        timestamp = datetime.datetime.fromisoformat(history_log["event_timestamp"])
        left_out = () if destination.include_execution_data else _EXECUTION_DATA
        details = history_log.get("details") or {}
        line = {
            "id": history_log["id"],
            "type": history_log["type"],
            "details": {name: value for name, value in details.items() if name not in left_out and value is not None},
            "redrive_count": str(self._redrives()),
            "previous_event_id": history_log["previous_event_id"],
            "event_timestamp": str(int(timestamp.timestamp() * 1000)),
            "execution_arn": self.execution_arn,
        }
        destination.put(timestamp, json.dumps(line, separators=(",", ":"), default=str))


def destination_of(machine: StateMachineInstance, role_arn: str) -> Destination | None:
    """The destination of `machine`'s events with `role_arn`; None if it has no log, or may not deliver it."""
    configuration = machine.loggingConfiguration
    if configuration.get("level", "OFF") == "OFF":
        return None
    (described,) = configuration["destinations"]
    _, _, _, region, account, _, name = described["cloudWatchLogsLogGroup"]["logGroupArn"].split(":")[:7]
    group = logs_backends[account][region].groups.get(name)
    hindrance = f"there is no log group {name}" if group is None else _hindrance(machine, role_arn, group)
    if group is None or hindrance:
        _log.warning("The log of %s is lost: %s", machine.name, hindrance)
        return None
    return Destination(
        group, machine.name, configuration["level"], bool(configuration.get("includeExecutionData", False))
    )


def _hindrance(machine: StateMachineInstance, role_arn: str, group: LogGroup) -> str | None:
    for action in _DELIVERY_ACTIONS:
        if not role_allows(role_arn, action, "*"):
            return f"{role_arn} is not allowed {action}"
    region = group.region
    if machine.encryptionConfiguration["type"] == "CUSTOMER_MANAGED_KMS_KEY":
        key = machine.encryptionConfiguration["kmsKeyId"]
        context = {"kms:EncryptionContext:SourceArn": f"arn:aws:logs:{region}:{group.account_id}:*"}
        found = kms_keys.find(key)
        if found is None or not role_allows(role_arn, "kms:GenerateDataKey", found.arn, context):
            return f"{role_arn} is not allowed kms:GenerateDataKey on {key} for logs"
        if not lets_service_use_key(key, "delivery.logs.amazonaws.com", ("kms:Decrypt",), context):
            return f"{key} does not let delivery.logs.amazonaws.com decrypt"
    if group.kms_key_id:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        context = {"kms:EncryptionContext:aws:logs:arn": group.arn}
        if not lets_service_use_key(
            group.kms_key_id, f"logs.{region}.amazonaws.com", ("kms:GenerateDataKey",), context
        ):
            return f"{group.kms_key_id} does not let logs.{region}.amazonaws.com encrypt"
    return None


def _validate(machine: StateMachine) -> StateMachine:
    """Write the line that the set-up of a delivery writes, which belongs to no execution."""
    if destination := destination_of(machine, machine.roleArn):
        destination.put(datetime.datetime.now(datetime.UTC), _VALIDATION, VALIDATION_LOG_STREAM_NAME)
    return machine


def create_state_machine(self: StepFunctionsParserBackend, *args: Any, **details: Any) -> StateMachine:
    """StepFunctionsParserBackend.create_state_machine, which also sets up the delivery of the log."""
    return _validate(_moto_create_state_machine(self, *args, **details))


def update_state_machine(self: StepFunctionsParserBackend, *args: Any, **details: Any) -> StateMachine:
    """StepFunctionsParserBackend.update_state_machine, which also sets up the delivery of the log."""
    return _validate(_moto_update_state_machine(self, *args, **details))


def install() -> None:
    """Make moto set up logs; `local.aws.executions` writes them."""
    StepFunctionsParserBackend.create_state_machine = create_state_machine  # type: ignore[method-assign]
    StepFunctionsParserBackend.update_state_machine = update_state_machine  # type: ignore[method-assign]
