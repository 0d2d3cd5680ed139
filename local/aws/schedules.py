"""Calls the functions of EventBridge rules with a schedule, which moto stores but never runs.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html

Differences from AWS. Only `rate(...)` and only Lambda functions as targets: a rule with anything else is refused. An
interval runs on `local.aws.clock`, and the next call waits until the last one has ended.
"""

import json
import logging
import re
import threading
import uuid
import weakref
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.utils import iso_8601_datetime_without_milliseconds, utcnow
from moto.events.models import EventsBackend, Rule, events_backends

from local.aws import clock
from local.aws.policies import Decision, Request, evaluate

logger = logging.getLogger(__name__)

_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}
# With a fast clock the other threads still need time in between.
_SHORTEST_SECONDS = 0.5

_moto_put_rule = EventsBackend.put_rule
_schedules: "weakref.WeakSet[Schedule]" = weakref.WeakSet()


class Schedule(threading.Thread):
    """Calls a rule's functions at its rate, until the rule is gone."""

    def __init__(self, rule: Rule, seconds: float) -> None:
        super().__init__(name=f"schedule-{rule.name}", daemon=True)
        self._rule, self._seconds = rule, seconds
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Make no more calls."""
        self._stopping.set()

    def run(self) -> None:
        bus = events_backends[self._rule.account_id][self._rule.region_name].event_buses["default"]
        while not self._stopping.wait(max(_SHORTEST_SECONDS, clock.scaled(self._seconds))):
            if bus.rules.get(self._rule.name) is not self._rule:
                return  # a reset of moto deletes its rules
            if self._rule.state == "ENABLED":
                for target in list(self._rule.targets):
                    self._call(target)

    def _call(self, target: dict[str, Any]) -> None:
        try:
            call(self._rule, target)
        except Exception as error:
            logger.warning("rule %s could not call %s: %s", self._rule.name, target["Arn"], type(error).__name__)


class NoPermissions(Exception):
    """The policy of a function does not let a rule invoke it."""


def call(rule: Rule, target: dict[str, Any]) -> None:
    """Invoke the target with the scheduled event.

    Raises:
        NoPermissions: the function's policy doesn't allow it.
    """
    backend = lambda_backends[rule.account_id][rule.region_name]
    function = backend.get_function(target["Arn"])
    context = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id}
    request = Request("lambda:InvokeFunction", function.function_arn, context, {"Service": ("events.amazonaws.com",)})
    policy = {"Version": "2012-10-17", "Statement": function.policy.statements} if function.policy else None
    if policy is None or evaluate([policy], request) is not Decision.ALLOW:
        raise NoPermissions(f"the policy of {function.function_arn} does not allow {rule.arn} to invoke it")
    event = target.get("Input") or json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": rule.account_id,
            "time": iso_8601_datetime_without_milliseconds(utcnow()),
            "region": rule.region_name,
            "resources": [rule.arn],
            "detail": {},
        }
    )
    backend.invoke(target["Arn"], None, event, {}, {})


def put_rule(self: EventsBackend, *args: Any, **details: Any) -> Rule:
    """EventsBackend.put_rule, which also starts a scheduled rule. Raises ValueError for `cron(...)`."""
    expression = details.get("scheduled_expression")
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression) if expression else None
    if expression and not rate:
        raise ValueError(f"ScheduleExpression: the local AWS knows rate(...) only, not {expression}")
    rule = _moto_put_rule(self, *args, **details)
    if rate:
        schedule = Schedule(rule, int(rate[1]) * _SECONDS[rate[2]])
        _schedules.add(schedule)
        schedule.start()
    return rule


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    EventsBackend.put_rule = put_rule  # type: ignore[method-assign]


def stop(timeout: float = 10) -> None:
    """Stop all schedules, and wait up to `timeout` real seconds for the running call of each."""
    running = [schedule for schedule in _schedules if schedule.is_alive()]
    for schedule in running:
        schedule.stop()
    for schedule in running:
        schedule.join(timeout)
