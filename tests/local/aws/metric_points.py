"""The values of a metric in CloudWatch."""

import datetime
from typing import Any

from local.server import LocalAws


def recent_points(aws: LocalAws, namespace: str, name: str, **dimensions: str) -> list[dict[str, Any]]:
    """The statistics of the last hour and the next, as one point; none if the metric has no value in them."""
    now = datetime.datetime.now(datetime.UTC)
    found: list[dict[str, Any]] = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - datetime.timedelta(hours=1),
        EndTime=now + datetime.timedelta(hours=1),
        Period=7200,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
    )["Datapoints"]
    return found
