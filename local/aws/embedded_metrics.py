"""Extracts metrics from log lines in the embedded metric format, as CloudWatch Logs does; moto only stores the lines.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

Like CloudWatch, it stores one set of statistics per minute. A line that doesn't follow the format is only a log line.
StorageResolution has no effect.
"""

import datetime
import json
import threading
from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricAggregatedDatum, cloudwatch_backends
from moto.logs.models import LogsBackend

from local.aws.alarm_evaluation import evaluate_metric

_MARK = '"_aws"'

_moto_put_log_events = LogsBackend.put_log_events
_adding = threading.Lock()


def put_log_events(
    self: LogsBackend, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
) -> tuple[str, dict[str, Any]]:
    """LogsBackend.put_log_events, which also extracts metrics."""
    answer = _moto_put_log_events(self, log_group_name, log_stream_name, log_events)
    for event in log_events:
        if _MARK in event["message"]:
            for datum in metrics_of(event["message"]):
                add(cloudwatch_backends[self.account_id][self.region_name], datum)
    return answer


def metrics_of(line: str) -> list[MetricAggregatedDatum]:
    """The metrics of a log line, one for each of their sets of dimensions; none if it does not follow the format."""
    try:
        document = json.loads(line)
        return list(_metrics_of(document))
    except (ValueError, KeyError, TypeError, OverflowError):
        return []


def _metrics_of(document: dict[str, Any]) -> Iterator[MetricAggregatedDatum]:
    metadata = document["_aws"]
    moment = datetime.datetime.fromtimestamp(metadata["Timestamp"] / 1000, datetime.UTC)
    # moto uses naive datetimes in UTC.
    minute = moment.replace(second=0, microsecond=0, tzinfo=None)
    for directive in metadata["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            given = document[metric["Name"]]
            values = [float(value) for value in (given if isinstance(given, list) else [given])]
            for names in directive["Dimensions"]:
                yield MetricAggregatedDatum(
                    namespace=directive["Namespace"],
                    name=metric["Name"],
                    min_stat=min(values),
                    max_stat=max(values),
                    sample_count=len(values),
                    sum_stat=sum(values),
                    dimensions=[{"Name": name, "Value": str(document[name])} for name in sorted(names)],
                    timestamp=minute,
                    unit=metric.get("Unit", "None"),
                )


def add(cloudwatch: CloudWatchBackend, datum: MetricAggregatedDatum) -> None:
    """Add a metric's values to those of the same minute, and evaluate its alarms."""
    _store(cloudwatch, datum)
    evaluate_metric(cloudwatch, datum.namespace, datum.name)


def _store(cloudwatch: CloudWatchBackend, datum: MetricAggregatedDatum) -> None:
    dimensions = tuple((dimension.name, dimension.value) for dimension in datum.dimensions)
    key = (datum.namespace, datum.name, dimensions, datum.unit, datum.timestamp)
    with _adding:
        # Stored on the backend, so that a reset of moto deletes it.
        kept: dict[Any, MetricAggregatedDatum] = cloudwatch.__dict__.setdefault("embedded_metrics", {})
        before = kept.get(key)
        if before is None:
            kept[key] = datum
            cloudwatch.metric_data.append(datum)
            return
        before.min, before.max = min(before.min, datum.min), max(before.max, datum.max)
        before.sum += datum.sum
        before.sample_count += datum.sample_count


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    LogsBackend.put_log_events = put_log_events  # type: ignore[method-assign]
