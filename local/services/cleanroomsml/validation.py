"""Checks a request against the service's model of it, and against documented rules that the model doesn't have."""

from collections.abc import Mapping
from typing import Any

from local.aws.open_points import played
from local.services.cleanroomsml.errors import AccessDeniedException, ValidationException
from local.services.shapes import request_violations

MAXIMUM_TAGS = 50
_REQUIRED_COLUMNS = ("USER_ID", "ITEM_ID", "TIMESTAMP")


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """Raise ValidationException with all violations of the model of `operation`'s input."""
    if found := request_violations("cleanroomsml", operation, request):
        raise ValidationException("; ".join(map(str, found)))
    check_tags(request.get("tags", {}))


def check_training_data(training_data: list[dict[str, Any]]) -> None:
    """Raise ValidationException unless the schema maps exactly one column to each of USER_ID, ITEM_ID and TIMESTAMP.

    Source: "Training data requirements for Clean Rooms ML" in the AWS Clean Rooms user guide.
    """
    schema = training_data[0]["inputConfig"]["schema"]
    types = [column_type for column in schema for column_type in column["columnTypes"]]
    for required in _REQUIRED_COLUMNS:
        if types.count(required) != 1:
            raise ValidationException(
                f"trainingData[0].inputConfig.schema has {types.count(required)} columns of type {required}; "
                "it must have exactly one"
            )


def check_audience_sizes(config: Mapping[str, Any]) -> None:
    """Raise ValidationException if a PERCENTAGE bin exceeds 100. Source: botocore's AudienceSizeConfig."""
    if config["audienceSizeType"] == "PERCENTAGE" and (large := [b for b in config["audienceSizeBins"] if b > 100]):
        raise ValidationException(f"audienceSizeConfig.audienceSizeBins {large} exceed 100 percent")


def check_role(role_arn: str, account_id: str) -> None:
    """Raise AccessDeniedException if the role is another account's. Source: botocore on CreateTrainingDataset."""
    if role_arn.split(":")[4] != account_id:
        raise AccessDeniedException(
            f"{role_arn} is not a role of account {account_id}: pass a role of your own account"
        )


def check_listed_model(request: Mapping[str, Any], account_id: str) -> None:
    """Raise AccessDeniedException if jobs are listed by another account's model, in the variant that refuses this.

    "All other Clean Rooms ML APIs can only be used with resources in your own account" ("IAM behaviors for AWS Clean
    Rooms ML" in the AWS Clean Rooms user guide). Whether this holds for the filter of a listing is an open point
    (`foreign_model_listing` of `local.aws.open_points`).
    """
    arn = request.get("configuredAudienceModelArn")
    if arn and arn.split(":")[4] != account_id and played().foreign_model_listing == "refused":
        raise AccessDeniedException(f"{arn} is not of account {account_id}: jobs can't be listed by it")


def check_seed_source(seed_audience: Mapping[str, Any], collaboration_id: str | None) -> None:
    """Raise ValidationException unless the seed is a file in S3.

    On AWS a seed is either `dataSource` or `sqlParameters`; the local service checks a query, but runs none.
    A query needs its text or its template, and a collaboration to run in, as the parameters' documentation implies
    (botocore on ProtectedQuerySQLParameters and collaborationId).
    """
    query = seed_audience.get("sqlParameters", {})
    if "sqlComputeConfiguration" in seed_audience and "sqlParameters" not in seed_audience:
        raise ValidationException("seedAudience.sqlComputeConfiguration is for sqlParameters, which are not given")
    if "sqlParameters" in seed_audience and ("queryString" in query) == ("analysisTemplateArn" in query):
        raise ValidationException(
            "seedAudience.sqlParameters must have either queryString or analysisTemplateArn, and not both"
        )
    if "sqlParameters" in seed_audience and not collaboration_id:
        raise ValidationException("seedAudience.sqlParameters needs a collaborationId, in which the query runs")
    if ("dataSource" in seed_audience) == ("sqlParameters" in seed_audience):
        raise ValidationException("seedAudience must have either dataSource or sqlParameters, and not both")
    if "sqlParameters" in seed_audience:
        raise ValidationException(
            "seedAudience.sqlParameters: the local Clean Rooms ML does not run SQL seeds; use dataSource"
        )


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise ValidationException for more tags than a resource has, or a key that is AWS's own.

    Source: botocore on `tags`; its model allows 200.
    """
    if len(tags) > MAXIMUM_TAGS:
        raise ValidationException(f"tags has {len(tags)} members; a resource has at most {MAXIMUM_TAGS}")
    if reserved := [key for key in tags if key.lower().startswith("aws:")]:
        raise ValidationException(f"tags {reserved} begin with aws:, which is reserved for AWS")
