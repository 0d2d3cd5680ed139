"""Objects in S3: bytes, JSON documents and lines.

msgspec is imported where it is needed: functions that make one call start faster without it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.shared.sdk import client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# As many connections as the widest thread pool that uses this client.
PARALLEL_REQUESTS = 16
s3: "S3Client" = client("s3", Config(max_pool_connections=PARALLEL_REQUESTS))


def find_head(bucket: str, key: str) -> Mapping[str, Any] | None:
    """S3's answer to HeadObject, None if there is no such object."""
    try:
        return s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # The answer has no body, hence no better code than 404.
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
            raise
        return None


def find_listed(bucket: str, key: str) -> Mapping[str, Any] | None:
    """What a listing says of the object, such as its ETag; None if there is none. It takes no right to read."""
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", ())
    # The first in the order of keys: if there is one of this very name, it comes before those that only begin so.
    return next((item for item in listed if item["Key"] == key), None)


def read_bytes(bucket: str, key: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def read_json(bucket: str, key: str) -> Any:
    return json.loads(read_bytes(bucket, key))


def find_bytes(bucket: str, key: str) -> bytes | None:
    """The object's content, None if there is no such object."""
    try:
        return read_bytes(bucket, key)
    except s3.exceptions.NoSuchKey:
        return None


def find_json(bucket: str, key: str) -> Any | None:
    """The document, None if there is no such object."""
    body = find_bytes(bucket, key)
    return None if body is None else json.loads(body)


def read_json_lines(bucket: str, key: str) -> list[Any]:
    """The documents of the object's lines. Raises msgspec.DecodeError for a line that isn't JSON."""
    import msgspec

    return msgspec.json.Decoder().decode_lines(read_bytes(bucket, key))


# S3's answers to a write under a condition that isn't met: the object is there, has changed, is being written, or is
# gone (S3 user guide, "Conditional writes").
CONDITION_NOT_MET = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")


def unchanged(head: Mapping[str, Any] | None) -> dict[str, Any]:
    """The condition under which S3 writes only if the object is still as `head` says, None for not there."""
    return {"IfMatch": head["ETag"]} if head else {"IfNoneMatch": "*"}


def write_json(bucket: str, key: str, document: Any, **condition: Any) -> None:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/json", **condition)


def write_json_lines(
    bucket: str,
    key: str,
    documents: Iterable[Any],
    metadata: Mapping[str, str] | None = None,
    **condition: Any,
) -> None:
    """`condition` is IfMatch or IfNoneMatch of PutObject; if it is not met, PreconditionFailed is raised."""
    import msgspec

    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=msgspec.json.Encoder().encode_lines(documents),
        ContentType="application/jsonlines",
        Metadata=metadata or {},
        **condition,
    )


def list_keys(bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            yield item["Key"]
