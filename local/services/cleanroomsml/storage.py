"""The data that Clean Rooms ML reads and writes, always with the rights of the given role.

Training data is at its Glue table's `StorageDescriptor.Location`, as CSV with a header row; AWS also reads Parquet and
JSON. A seed is one JSON Lines object, `{"user_id": "..."}` a line. An exported audience has the same form: AWS doesn't
document the format of its exports.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from moto.s3.models import s3_backends

from local.aws import clients
from local.aws.credentials import AccessDenied, assume_service_role
from local.aws.open_points import played
from local.aws.s3_uris import split_uri
from local.services.cleanroomsml.resources import TrainingDataset

SERVICE = "cleanrooms-ml.amazonaws.com"
AUDIENCE_FILE = "audience.jsonl"


class JobFailure(Exception):
    """A job becomes CREATE_FAILED for this reason.

    `status_code` goes into statusDetails. AWS promises stable codes but publishes no list of them: these are ours.
    """

    def __init__(self, status_code: str, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


@dataclass(frozen=True)
class Role:
    """A role as assumed by the service on behalf of the resource `source_arn`, in that resource's region."""

    arn: str
    source_arn: str

    def client(self, service: str) -> Any:
        """A client of `service` with the role's rights. Raises JobFailure if the role cannot be assumed."""
        source_arn = self.source_arn if played().clean_rooms_ml_source == "sent" else None
        try:
            credentials = assume_service_role(self.arn, service=SERVICE, source_arn=source_arn)
        except AccessDenied as error:
            raise JobFailure("ACCESS_DENIED", str(error)) from error
        region = self.source_arn.split(":")[3]
        return clients.client(service, os.environ["AWS_ENDPOINT_URL"], region, **credentials)

    @contextmanager
    def access(self, verb: str, what: str) -> Iterator[None]:
        """Turn an AWS error into a JobFailure that names the denied access."""
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status_code = "ACCESS_DENIED" if code in ("AccessDenied", "AccessDeniedException") else "DATA_UNAVAILABLE"
            raise JobFailure(status_code, f"{self.arn} cannot {verb} {what}: {code}") from error
        except ParamValidationError as error:
            # The API also accepts URIs such as "s3://bucket" and "s3://No bucket/key".
            message = f"{self.arn} cannot {verb} {what}: it names no object in S3"
            raise JobFailure("DATA_UNAVAILABLE", message) from error


def read_seed(role: Role, uri: str) -> set[str]:
    """The distinct user ids of a seed. Raises JobFailure if it cannot be read or is not as documented.

    Source for the region: "Training data requirements for Clean Rooms ML" in the AWS Clean Rooms user guide.
    """
    bucket, key = split_uri(uri)
    region, account = role.source_arn.split(":")[3:5]
    stored = s3_backends[account]["aws"].buckets.get(bucket)
    if stored and stored.region_name != region:
        raise JobFailure("DATA_UNAVAILABLE", f"{uri} is in {stored.region_name}; a seed must be in the job's {region}")
    s3 = role.client("s3")
    with role.access("read", uri):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    user_ids = set()
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            user_id = json.loads(line)["user_id"]
        except (ValueError, KeyError, TypeError):
            user_id = None
        if not isinstance(user_id, str) or not user_id:
            raise JobFailure("INVALID_SEED", f'line {number} of {uri} is not of the form {{"user_id": "111111"}}')
        user_ids.add(user_id)
    return user_ids


def read_interactions(role: Role, dataset: TrainingDataset) -> Iterator[tuple[str, str, int]]:
    """Yield (user id, item id, Unix seconds) from the data set's Glue table.

    Raises JobFailure if table or files cannot be read, lack a column, or have a timestamp that is not in Unix seconds.
    """
    database, table = dataset.glue_table
    glue = role.client("glue")
    with role.access("read", f"Glue table {database}.{table}"):
        description = glue.get_table(DatabaseName=database, Name=table)["Table"]
    location = description.get("StorageDescriptor", {}).get("Location", "")
    if not location.startswith("s3://"):
        raise JobFailure("DATA_UNAVAILABLE", f"Glue table {database}.{table} has no Location in S3")
    bucket, folder = split_uri(location)
    prefix = f"{folder.rstrip('/')}/" if folder else ""
    s3 = role.client("s3")
    with role.access("list", location):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", []) if item["Size"]]
    for key in keys:
        uri = f"s3://{bucket}/{key}"
        with role.access("read", uri):
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        yield from _rows(body, uri, [dataset.column(kind) for kind in ("USER_ID", "ITEM_ID", "TIMESTAMP")])


def write_audience(role: Role, location: str, user_ids: Iterable[str]) -> None:
    """Write the user ids, in order, below the S3 prefix `location`. Raises JobFailure if the role may not."""
    bucket, prefix = split_uri(location)
    body = "".join(f"{json.dumps({'user_id': user_id})}\n" for user_id in user_ids)
    s3 = role.client("s3")
    with role.access("write", location):
        s3.put_object(Bucket=bucket, Key=prefix + AUDIENCE_FILE, Body=body.encode(), ContentType="application/x-ndjson")


def _rows(body: bytes, uri: str, columns: list[str]) -> Iterator[tuple[str, str, int]]:
    reader = csv.reader(io.StringIO(body.decode("utf-8-sig")))
    header = next(reader, [])
    if missing := [column for column in columns if column not in header]:
        raise JobFailure("INVALID_TRAINING_DATA", f"{uri} has no column {', '.join(missing)} in its first row")
    user, item, timestamp = (header.index(column) for column in columns)
    for row in filter(None, reader):
        try:
            interaction = row[user], row[item], int(row[timestamp])
        except (IndexError, ValueError) as error:
            raise JobFailure(
                "INVALID_TRAINING_DATA",
                f"line {reader.line_num} of {uri} lacks a column or has a timestamp that is not in Unix seconds",
            ) from error
        yield interaction
