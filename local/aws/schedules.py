"""Calls the targets of EventBridge rules with a schedule, which moto stores but never runs.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html

Differences from AWS. Only `rate(...)` and, for once a day, `cron(MINUTE HOUR * * ? *)`: a rule with another expression
is refused. Only Lambda functions and state machines are called. An interval runs on `local.aws.clock`, and the next
call waits until the last one has ended.
"""

import itertools
import json
import logging
import re
import threading
import uuid
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.utils import iso_8601_datetime_without_milliseconds, utcnow
from moto.events.models import EventsBackend, Rule, events_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from local.aws import clock
from local.aws.credentials import AccessDenied, check_trust
from local.aws.iam import role_allows
from local.aws.policies import Decision, Request, evaluate

logger = logging.getLogger(__name__)

_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}
# With a fast clock the other threads still need time in between.
_SHORTEST_SECONDS = 0.5

_moto_put_rule = EventsBackend.put_rule
_schedules: "weakref.WeakSet[Schedule]" = weakref.WeakSet()


class Schedule(threading.Thread):
    """Calls a rule's targets, until the rule is gone; `pauses` are the seconds before each call."""

    def __init__(self, rule: Rule, pauses: Iterator[float]) -> None:
        super().__init__(name=f"schedule-{rule.name}", daemon=True)
        self._rule, self._pauses = rule, pauses
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Make no more calls."""
        self._stopping.set()

    def run(self) -> None:
        bus = events_backends[self._rule.account_id][self._rule.region_name].event_buses["default"]
        while not self._stopping.wait(max(_SHORTEST_SECONDS, clock.scaled(next(self._pauses)))):
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
    """Neither the policy of a function nor the target's role lets a rule call the target."""


def call(rule: Rule, target: dict[str, Any]) -> None:
    """Invoke the target, or start it, with the scheduled event.

    Raises:
        NoPermissions: the function's policy, or the target's role, doesn't allow it.
    """
    if ":states:" in target["Arn"]:
        _start(rule, target)
    else:
        _invoke(rule, target)


def _start(rule: Rule, target: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html: with the target's role."""
    machine, role = target["Arn"], target["RoleArn"]
    try:
        check_trust(role, "events.amazonaws.com", rule.arn)
    except AccessDenied as refused:
        raise NoPermissions(str(refused)) from None
    if not role_allows(role, "states:StartExecution", machine):
        raise NoPermissions(f"the role {role} does not allow {rule.arn} to start {machine}")
    backend = stepfunctions_parser_backends[rule.account_id][rule.region_name]
    backend.start_execution(machine, str(uuid.uuid4()), target.get("Input") or _event(rule))


def _invoke(rule: Rule, target: dict[str, Any]) -> None:
    backend = lambda_backends[rule.account_id][rule.region_name]
    function = backend.get_function(target["Arn"])
    context = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id}
    request = Request("lambda:InvokeFunction", function.function_arn, context, {"Service": ("events.amazonaws.com",)})
    policy = {"Version": "2012-10-17", "Statement": function.policy.statements} if function.policy else None
    if policy is None or evaluate([policy], request) is not Decision.ALLOW:
        raise NoPermissions(f"the policy of {function.function_arn} does not allow {rule.arn} to invoke it")
    backend.invoke(target["Arn"], None, target.get("Input") or _event(rule), {}, {})


def _event(rule: Rule) -> str:
    return json.dumps(
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


def put_rule(self: EventsBackend, *args: Any, **details: Any) -> Rule:
    """EventsBackend.put_rule, which also starts a scheduled rule. Raises ValueError for an expression it can't run."""
    expression = details.get("scheduled_expression")
    pauses = pauses_of(expression) if expression else None
    rule = _moto_put_rule(self, *args, **details)
    if pauses:
        schedule = Schedule(rule, pauses)
        _schedules.add(schedule)
        schedule.start()
    return rule


def pauses_of(expression: str) -> Iterator[float]:
    """The seconds before each call. Raises ValueError for an expression of another form."""
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return itertools.repeat(int(rate[1]) * _SECONDS[rate[2]])
    if daily := re.fullmatch(r"cron\((\d+) (\d+) \* \* \? \*\)", expression):
        first = until(int(daily[2]), int(daily[1]), datetime.now(UTC))
        return itertools.chain([first], itertools.repeat(_SECONDS["day"]))
    raise ValueError(
        f"ScheduleExpression: the local AWS knows rate(...) and cron(MINUTE HOUR * * ? *) only, not {expression}"
    )


def until(hour: int, minute: int, now: datetime) -> float:
    """The seconds from `now` to the next time of the day in UTC."""
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return ((at if at > now else at + timedelta(days=1)) - now).total_seconds()


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
