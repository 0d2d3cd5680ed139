"""The request for a configured audience model, and the checks of it before anything is made."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError

from operations.errors import OperationError

# A role's name has at most 64 characters, including the prefix and "-training".
_NAME = re.compile(r"[A-Za-z0-9_-]{1,41}")
_S3_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")

_ID_TYPES = ("string", "int", "bigint")
_TIMESTAMP_TYPES = ("bigint", "int", "timestamp")


class Aws(Protocol):
    """The part of `boto3.Session` that is used here."""

    def client(self, service_name: str, /) -> Any: ...


@dataclass(frozen=True)
class TrainingTable:
    """A Glue table of interactions, its columns, and the ARN of the KMS key of its files in S3, if any."""

    database: str
    table: str
    user_id: str = "user_id"
    item_id: str = "item_id"
    timestamp: str = "timestamp"
    key_arn: str | None = None


@dataclass(frozen=True)
class Output:
    """The destination of exported audiences (`s3://` URI of a prefix), and the limits of the configured model.

    `minimum_seed` is how many ids of a seed must be in the training data, 25 to 500,000; `percentages` are the 1 to 25
    sizes that an export may choose from.
    """

    uri: str
    key_arn: str | None = None
    minimum_seed: int = 500
    percentages: Sequence[int] = field(default=(1, 2, 5, 10, 20))


@dataclass(frozen=True)
class Place:
    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def bucket(self, name: str) -> str:
        return f"arn:{self.partition}:s3:::{name}"


def check_wanted(name: str, output: Output) -> None:
    if not _NAME.fullmatch(name):
        raise OperationError(
            f"The name is {name!r}; use 1 to 41 letters, digits, hyphens and underscores, which leaves room for the "
            "roles' names."
        )
    if not _S3_URI.fullmatch(output.uri):
        raise OperationError(f"The output is {output.uri!r}; give s3://BUCKET/PREFIX.")
    if not 25 <= output.minimum_seed <= 500_000:
        raise OperationError(f"The minimum seed is {output.minimum_seed}; it must be 25 to 500000.")
    if not 1 <= len(output.percentages) <= 25 or any(not 1 <= size <= 100 for size in output.percentages):
        raise OperationError(f"The percentages are {list(output.percentages)}; give 1 to 25 of them, each 1 to 100.")


def check_bucket(aws: Aws, place: Place, uri: str) -> None:
    bucket, _ = split(uri)
    try:
        region = aws.client("s3").head_bucket(Bucket=bucket).get("BucketRegion", place.region)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise OperationError(
            f"The bucket {bucket} of {uri} can't be read ({code}); create it, or correct its name or your permissions."
        ) from None
    if region != place.region:
        raise OperationError(
            f"The bucket {bucket} is in {region}, but Clean Rooms ML is used in {place.region}; use the same Region."
        )


def check_table(aws: Aws, place: Place, training: TrainingTable) -> str:
    """The table's location in S3."""
    glue, called = aws.client("glue"), f"Glue table {training.database}.{training.table}"
    try:
        table = glue.get_table(DatabaseName=training.database, Name=training.table)["Table"]
    except glue.exceptions.EntityNotFoundException:
        raise OperationError(
            f"There is no {called} in {place.region}; catalogue the training data there, with a crawler or by hand."
        ) from None
    descriptor = table.get("StorageDescriptor", {})
    columns = {
        column["Name"]: column.get("Type", "string")
        for column in [*descriptor.get("Columns", []), *table.get("PartitionKeys", [])]
    }
    for column, types in (
        (training.user_id, _ID_TYPES),
        (training.item_id, _ID_TYPES),
        (training.timestamp, _TIMESTAMP_TYPES),
    ):
        if column not in columns:
            raise OperationError(
                f"{called} has no column {column!r}, only {', '.join(columns) or 'none'}; correct its option."
            )
        if columns[column] not in types:
            raise OperationError(
                f"Column {column!r} of {called} is of type {columns[column]}, but must be {' or '.join(types)}."
            )
    location = str(descriptor.get("Location", ""))
    if not _S3_URI.fullmatch(location):
        raise OperationError(f"{called} has the location {location!r}, but must be in S3.")
    check_bucket(aws, place, location)
    return location


def split(uri: str) -> tuple[str, str]:
    match = _S3_URI.fullmatch(uri)
    assert match, "checked before"
    return match[1], (match[2] or "").rstrip("/")
