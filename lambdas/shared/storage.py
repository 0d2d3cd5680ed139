"""Objects in S3: bytes, JSON documents and lines.

The functions that need msgspec import it themselves: a function that makes one call starts faster without it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.sdk import client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

s3: "S3Client" = client("s3", Config(max_pool_connections=PARALLEL_REQUESTS))


def find_head(bucket: str, key: str) -> Mapping[str, Any] | None:
    """S3's answer to HeadObject, None if there is no such object."""
    try:
        return s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # HeadObject's answer has no body, so the code is the HTTP status.
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
            raise
        return None


def find_listed(bucket: str, key: str) -> Mapping[str, Any] | None:
    """The object's entry in a listing, with its ETag; None if there is none. It needs no right to read the object."""
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", ())
    # Listings are in the order of keys, so the key itself precedes all longer keys that begin with it.
    return next((item for item in listed if item["Key"] == key), None)


class StoredObject(NamedTuple):
    """An object as one GetObject answers it; `written` is its LastModified."""

    body: bytes
    metadata: Mapping[str, str]
    written: datetime


def read_stored(bucket: str, key: str) -> StoredObject:
    answer = s3.get_object(Bucket=bucket, Key=key)
    return StoredObject(answer["Body"].read(), answer["Metadata"], answer["LastModified"])


def read_bytes(bucket: str, key: str) -> bytes:
    return read_stored(bucket, key).body


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
    """One document per line of the object. Raises msgspec.DecodeError for a line that isn't JSON."""
    import msgspec

    return msgspec.json.Decoder().decode_lines(read_bytes(bucket, key))


# The codes of S3's refusals of a conditional write: the object exists, has changed, is being written, or is gone
# (S3 user guide, "Conditional writes").
CONDITION_NOT_MET = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")


def unchanged(head: Mapping[str, Any] | None) -> dict[str, Any]:
    """PutObject's condition that the object is unchanged since `head`; None as `head`: that there is no object."""
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
    """Write one line per document. `condition` is PutObject's IfMatch or IfNoneMatch.

    Raises:
        botocore.exceptions.ClientError: a code of CONDITION_NOT_MET if the condition isn't met.
    """
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
