"""Metrics that services count of their own: what became of executions and of invocations.

https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

import datetime
from collections.abc import Mapping

from moto.cloudwatch.models import MetricAggregatedDatum, cloudwatch_backends

from local.aws import embedded_metrics

_OUTCOMES = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def count_execution(machine_arn: str, outcome: str) -> None:
    """Count an ended execution of a state machine; `outcome` is its status."""
    for status, name in _OUTCOMES.items():
        # A 0 shows that executions end, and otherwise.
        _count(machine_arn, "AWS/States", name, {"StateMachineArn": machine_arn}, float(status == outcome))


def count_invocation(function_arn: str, failed: bool) -> None:
    """Count an invocation of a function, and whether it failed."""
    dimensions = {"FunctionName": function_arn.split(":")[6]}
    _count(function_arn, "AWS/Lambda", "Invocations", dimensions, 1.0)
    _count(function_arn, "AWS/Lambda", "Errors", dimensions, float(failed))


def _count(arn: str, namespace: str, name: str, dimensions: Mapping[str, str], value: float) -> None:
    region, account = arn.split(":")[3:5]
    datum = MetricAggregatedDatum(
        namespace=namespace,
        name=name,
        min_stat=value,
        max_stat=value,
        sample_count=1,
        sum_stat=value,
        dimensions=[{"Name": key, "Value": text} for key, text in sorted(dimensions.items())],
        timestamp=datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0, tzinfo=None),
        unit="Count",
    )
    embedded_metrics.add(cloudwatch_backends[account][region], datum)
