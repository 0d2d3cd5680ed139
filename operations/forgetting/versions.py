"""Lists, reads, deletes and replaces all versions of the objects of a bucket, including delete markers."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lambdas.shared.uris import uri_of
from operations.errors import OperationError

# The limit of DeleteObjects.
_AT_ONCE = 1000
_PIECE_BYTES = 4 << 20


class Version(NamedTuple):
    """One version of an object, or a delete marker, which has no content."""

    bucket: str
    key: str
    version_id: str
    is_latest: bool
    is_marker: bool

    @property
    def uri(self) -> str:
        return f"{uri_of(self.bucket, self.key)} (version {self.version_id})"


class Content(NamedTuple):
    body: bytes
    metadata: Mapping[str, str]
    etag: str
    headers: Mapping[str, str]


def list_versions(s3: Any, bucket: str, prefix: str = "") -> Iterator[Version]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for member, is_marker in (("Versions", False), ("DeleteMarkers", True)):
            for item in page.get(member, ()):
                yield Version(bucket, item["Key"], item["VersionId"], item["IsLatest"], is_marker)


def read(s3: Any, version: Version) -> Content | None:
    """The content and metadata; None if that version was deleted meanwhile."""
    answer = _get(s3, version)
    if answer is None:
        return None
    headers = {name: answer[name] for name in ("ContentType", "CacheControl", "ContentEncoding") if name in answer}
    return Content(answer["Body"].read(), answer["Metadata"], answer["ETag"], headers)


def pieces(s3: Any, version: Version) -> Iterator[bytes]:
    """The metadata, then the content in pieces; nothing if that version was deleted meanwhile."""
    answer = _get(s3, version)
    if answer is not None:
        yield "".join(f"{name}={value}\n" for name, value in answer["Metadata"].items()).encode()
        yield from answer["Body"].iter_chunks(_PIECE_BYTES)


def metadata_of(s3: Any, version: Version) -> Mapping[str, str]:
    """The metadata, for which the caller needs no right to the content's KMS key."""
    try:
        answer = s3.head_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchVersion", "NoSuchKey"):
            raise
        return {}
    metadata: dict[str, str] = answer["Metadata"]
    return metadata


def delete(s3: Any, versions: Iterable[Version]) -> int:
    """Delete these versions, all of one bucket, and return their number.

    Raises:
        OperationError: S3 has refused to delete one of them.
    """
    remaining, deleted = iter(versions), 0
    while batch := list(islice(remaining, _AT_ONCE)):
        objects = [{"Key": version.key, "VersionId": version.version_id} for version in batch]
        answer = s3.delete_objects(Bucket=batch[0].bucket, Delete={"Objects": objects, "Quiet": True})
        if errors := answer.get("Errors"):
            first = errors[0]
            raise OperationError(
                f"{len(errors)} objects of {batch[0].bucket} could not be deleted, the first, "
                f"{first['Key']}, for {first['Code']}: {first.get('Message', '')}. Repair that and forget again."
            )
        deleted += len(batch)
    return deleted


def replace(s3: Any, version: Version, content: Content, body: bytes, **metadata: str) -> None:
    """Write `body` as a new version with the old metadata and `metadata`, then delete the old version.

    Raises:
        OperationError: another writer has changed the object meanwhile.
    """
    try:
        s3.put_object(
            Bucket=version.bucket,
            Key=version.key,
            Body=body,
            Metadata={**content.metadata, **metadata},
            IfMatch=content.etag,
            **content.headers,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"):
            raise
        raise OperationError(f"{version.uri} was changed meanwhile; forget again.") from None
    delete(s3, [version])


def _get(s3: Any, version: Version) -> Any:
    try:
        return s3.get_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchVersion", "NoSuchKey"):
            raise
        return None
