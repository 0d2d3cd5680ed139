"""Lists and reads all versions of the objects of a bucket, including delete markers."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lambdas.shared.uris import uri_of

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


def list_versions(s3: Any, bucket: str, prefix: str = "", after: str = "") -> Iterator[Version]:
    """The versions of the keys behind `after`, in S3's order of keys: that of their bytes in UTF-8."""
    marker = {"KeyMarker": after} if after else {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, **marker):
        listed = [
            Version(bucket, item["Key"], item["VersionId"], item["IsLatest"], is_marker)
            for member, is_marker in (("Versions", False), ("DeleteMarkers", True))
            for item in page.get(member, ())
        ]
        yield from sorted(listed, key=lambda version: version.key.encode())


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


def head_of(s3: Any, version: Version) -> Mapping[str, Any] | None:
    """S3's answer to HeadObject, without a right to the KMS key; None if that version was deleted meanwhile."""
    try:
        head: Mapping[str, Any] = s3.head_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchVersion", "NoSuchKey"):
            raise
        return None
    return head


def _get(s3: Any, version: Version) -> Any:
    try:
        return s3.get_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchVersion", "NoSuchKey"):
            raise
        return None
