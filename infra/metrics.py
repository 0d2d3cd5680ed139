"""The metrics that alarms and dashboard read.

The environment's own metrics (namespace ClinicalMedia, written by lambdas/shared/observability.py) have the dimensions
`environment` and `stage`, and never an id or a name.
"""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from lambdas.shared import stages

NAMESPACE = "ClinicalMedia"
STAGES = (stages.INGEST, *(stage.name for stage in stages.STAGES))
# The stages that are a service's job.
JOBS = tuple(stage.name for stage in stages.STAGES if stage.job_times)

HOUR = cdk.Duration.hours(1)


def own_metric(
    prefix: str,
    name: str,
    statistic: str,
    period: cdk.Duration = HOUR,
    stage: str | None = None,
    label: str | None = None,
) -> cloudwatch.Metric:
    """A metric that the functions of the environment `prefix` write, for all stages or for one."""
    dimensions = {"environment": prefix} | ({"stage": stage} if stage else {})
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        statistic=statistic,
        period=period,
        dimensions_map=dimensions,
        label=label or stage,
    )
