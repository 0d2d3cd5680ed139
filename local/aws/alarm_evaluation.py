"""Evaluates CloudWatch's alarms on one metric: when the metric gets a value, and once a minute, as on AWS.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html

A new alarm has the state INSUFFICIENT_DATA. The change of a state is that of SetAlarmState (`local.aws.alarm_actions`).
Differences from AWS: the periods end now, instead of at a whole minute, and exactly `EvaluationPeriods` of them are
looked at, while AWS looks at a few more if some have no data. Alarms on metric math or percentiles aren't evaluated.
"""

import datetime
import operator
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from moto.cloudwatch.models import Alarm, CloudWatchBackend, MetricDatumBase, cloudwatch_backends

from local.aws.alarm_actions import set_alarm_state

_EVERY_SECONDS = 60
_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")

_moto_put_metric_data = CloudWatchBackend.put_metric_data
_stopping = threading.Event()


class Statistics(NamedTuple):
    """The statistics of the values in a period."""

    SampleCount: float
    Sum: float
    Minimum: float
    Maximum: float

    @property
    def Average(self) -> float:
        return self.Sum / self.SampleCount


def evaluate_metric(cloudwatch: CloudWatchBackend, namespace: str, name: str) -> None:
    """Evaluate the alarms on a metric, whatever its dimensions."""
    for alarm in list(cloudwatch.alarms.values()):
        if (alarm.namespace, alarm.metric_name) == (namespace, name):
            _evaluate(cloudwatch, alarm)


def put_metric_data(self: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
    """CloudWatchBackend.put_metric_data, which also evaluates the alarms."""
    _moto_put_metric_data(self, namespace, metric_data)
    for name in sorted({str(metric["MetricName"]) for metric in metric_data}):
        evaluate_metric(self, namespace, name)


def _evaluate(cloudwatch: CloudWatchBackend, alarm: Alarm) -> None:
    if alarm.statistic not in _STATISTICS or alarm.metric_data_queries:
        return
    dimensions = {(dimension.name, dimension.value) for dimension in alarm.dimensions}
    data = [
        datum
        for datum in list(cloudwatch.metric_data)
        if (datum.namespace, datum.name) == (alarm.namespace, alarm.metric_name)
        and {(dimension.name, dimension.value) for dimension in datum.dimensions} == dimensions
        and alarm.unit in (None, datum.unit)
    ]
    found = state_of(alarm, data, datetime.datetime.now(datetime.UTC).replace(tzinfo=None))
    still_there = cloudwatch.alarms.get(alarm.name) is alarm
    if found is not None and still_there and found[0] != alarm.state_value:
        set_alarm_state(cloudwatch, alarm.name, found[1], None, found[0])


def state_of(alarm: Alarm, data: Sequence[MetricDatumBase], now: datetime.datetime) -> tuple[str, str] | None:
    """The alarm's state and its reason by the values of its metric; None to keep what it is. `now` is naive, in UTC."""
    points = _points(alarm, data, now)
    compare, words = _COMPARISONS[alarm.comparison_operator]
    needed = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    present = [point for point in points if point is not None]
    breaching = sum(compare(point, float(alarm.threshold)) for point in present)
    missing, treat = len(points) - len(present), alarm.treat_missing_data or "missing"
    if not present and treat == "missing":
        return "INSUFFICIENT_DATA", f"Insufficient Data: {missing} datapoints were unknown."
    if missing and treat == "ignore" and breaching < needed:
        return None
    reached = breaching + (missing if treat == "breaching" else 0) >= needed
    values = ", ".join(f"{point:.1f}" for point in present) or "none"
    negation = "" if reached else "not "
    reason = (
        f"Threshold Crossed: {len(present)} datapoints [{values}] were {negation}{words} the threshold "
        f"({float(alarm.threshold):.1f}); {missing} missing datapoints are treated as {treat}."
    )
    return ("ALARM" if reached else "OK"), reason


def _points(alarm: Alarm, data: Sequence[MetricDatumBase], now: datetime.datetime) -> list[float | None]:
    """The metric's value in each period, the latest first; None in a period without values."""
    period = datetime.timedelta(seconds=int(alarm.period))
    found: list[float | None] = []
    for number in range(int(alarm.evaluation_periods)):
        end = now - number * period
        values = [_statistics(datum) for datum in data if end - period < _naive(datum.timestamp) <= end]
        together = Statistics(
            sum(value.SampleCount for value in values),
            sum(value.Sum for value in values),
            min((value.Minimum for value in values), default=0.0),
            max((value.Maximum for value in values), default=0.0),
        )
        found.append(float(getattr(together, alarm.statistic)) if together.SampleCount else None)
    return found


def _naive(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _statistics(datum: Any) -> Statistics:
    if hasattr(datum, "value"):
        return Statistics(1, datum.value, datum.value, datum.value)
    return Statistics(datum.sample_count, datum.sum, datum.min, datum.max)


def _every_minute() -> None:
    while not _stopping.wait(_EVERY_SECONDS):
        for regions in list(cloudwatch_backends.values()):
            for cloudwatch in list(regions.values()):
                for alarm in list(cloudwatch.alarms.values()):
                    _evaluate(cloudwatch, alarm)


def install() -> None:
    """Put this into moto, and begin to look each minute."""
    CloudWatchBackend.put_metric_data = put_metric_data  # type: ignore[method-assign]
    _stopping.clear()
    threading.Thread(target=_every_minute, name="alarm-evaluation", daemon=True).start()


def stop() -> None:
    """Look no more each minute."""
    _stopping.set()
