"""Deletes and replaces versions of objects."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from lambdas.searching.versions import Content, Version
from operations.errors import OperationError

# The limit of DeleteObjects.
_AT_ONCE = 1000


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
