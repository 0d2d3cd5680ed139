"""GetMetricData and GetMetricStatistics that match metrics exactly, as CloudWatch does.

CloudWatch identifies a metric by namespace, name and all dimensions
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension). moto also matches
metrics with more dimensions or of another namespace, and so counts values twice.

Difference from AWS. Periods begin with StartTime or the first value, not at whole multiples of the period.
"""

import copy
import datetime
from collections.abc import Sequence
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricDatumBase

_moto_get_metric_data = CloudWatchBackend.get_metric_data
_moto_get_metric_statistics = CloudWatchBackend.get_metric_statistics


def get_metric_data(
    self: CloudWatchBackend, queries: list[dict[str, Any]], *args: Any, **details: Any
) -> list[dict[str, Any]]:
    """CloudWatchBackend.get_metric_data."""
    view, selected, asked = copy.copy(self), [], []
    for number, query in enumerate(queries):
        if "MetricStat" not in query:
            asked.append(query)
            continue
        statistic = query["MetricStat"]
        metric = statistic["Metric"]
        # With a unique name moto finds only the data that were selected for this query.
        alias = f"{number} {metric['MetricName']}"
        for datum in _data_of(self, metric["Namespace"], metric["MetricName"], metric.get("Dimensions", [])):
            renamed = copy.copy(datum)
            renamed.name = alias
            selected.append(renamed)
        named = {"Namespace": metric["Namespace"], "MetricName": alias}
        label = query.get("Label") or f"{metric['MetricName']} {statistic['Stat']}"
        asked.append({**query, "Label": label, "MetricStat": {**statistic, "Metric": named}})
    view.get_all_metrics = lambda: selected  # type: ignore[method-assign]
    return _moto_get_metric_data(view, asked, *args, **details)


def get_metric_statistics(
    self: CloudWatchBackend,
    namespace: str,
    metric_name: str,
    start_time: datetime.datetime,
    end_time: datetime.datetime,
    period: int,
    stats: list[str],
    dimensions: list[dict[str, str]],
    unit: str | None = None,
) -> Any:
    """CloudWatchBackend.get_metric_statistics."""
    view, selected = copy.copy(self), _data_of(self, namespace, metric_name, dimensions)
    view.get_all_metrics = lambda: selected  # type: ignore[method-assign]
    return _moto_get_metric_statistics(
        view, namespace, metric_name, start_time, end_time, period, stats, dimensions, unit
    )


def _data_of(
    cloudwatch: CloudWatchBackend, namespace: str, name: str, dimensions: Sequence[dict[str, str]]
) -> list[MetricDatumBase]:
    asked = {(dimension["Name"], dimension["Value"]) for dimension in dimensions or ()}
    return [
        datum
        for datum in cloudwatch.get_all_metrics()
        if (datum.namespace, datum.name) == (namespace, name)
        and {(dimension.name, dimension.value) for dimension in datum.dimensions} == asked
    ]


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    CloudWatchBackend.get_metric_data = get_metric_data  # type: ignore[method-assign]
    CloudWatchBackend.get_metric_statistics = get_metric_statistics  # type: ignore[method-assign]
