"""The metrics that alarms and dashboard read.

Of the environment's own (namespace ClinicalMedia, written by lambdas/shared/observability.py) the dimensions are
`environment` and `stage`; no id and no name is in any.
"""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "ClinicalMedia"
# The stages that the functions count by, in the order of the pipeline.
STAGES = (
    "ingest",
    "plan",
    "transcription",
    "documents",
    "entity_detection",
    "collection",
    "seeds",
    "audience_generation",
    "audience_export",
    "summary",
)
# The stages that are a service's job.
JOBS = ("transcription", "entity_detection", "audience_generation", "audience_export")

HOUR = cdk.Duration.hours(1)


def own_metric(
    prefix: str,
    name: str,
    statistic: str,
    period: cdk.Duration = HOUR,
    stage: str | None = None,
    label: str | None = None,
) -> cloudwatch.Metric:
    """A metric that the functions of the environment `prefix` write; of all stages, or of one."""
    dimensions = {"environment": prefix} | ({"stage": stage} if stage else {})
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        statistic=statistic,
        period=period,
        dimensions_map=dimensions,
        label=label or stage,
    )
