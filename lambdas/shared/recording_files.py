"""Files of the clinical bucket about one recording. An unreadable file rejects its recording only.

Such a file may be archived by a lifecycle rule, encrypted with another key, deleted or cut short. An error that would
affect all files, such as a missing right or our own key, fails the step.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.shared.object_faults import refused_read
from lambdas.shared.observability import logger
from lambdas.shared.storage import StoredObject, find_head, read_stored, s3
from lambdas.shared.uris import uri_of

REPROCESS = 'Start a new execution with "reprocess": true and this recording as its media; this is charged again.'


class UnreadableFile(Exception):
    """A file about a recording can't be used. The message is a rejection reason: it names the file, never its words."""


class MissingFile(UnreadableFile):
    """The file isn't there."""


def read_file(bucket: str, key: str, own_key: str = "CLINICAL_KEY_ARN") -> bytes:
    """The content of a file about one recording; errors as in `read_stored_file`."""
    return read_stored_file(bucket, key, own_key).body


def read_stored_file(bucket: str, key: str, own_key: str = "CLINICAL_KEY_ARN") -> StoredObject:
    """A file about one recording. `own_key` is the environment variable with its bucket's key ARN.

    Raises:
        MissingFile: there is no such object.
        UnreadableFile: the object is archived, or encrypted with another key than the bucket's.
        botocore.exceptions.ClientError: S3 fails, or refuses because of our rights or our key.
    """
    uri = uri_of(bucket, key)
    try:
        return read_stored(bucket, key)
    except s3.exceptions.NoSuchKey:
        raise MissingFile(f"{uri} is not there (any more): it has expired or was deleted. {REPROCESS}") from None
    except ClientError as error:
        if reason := refused_read(error, _head(bucket, key), os.environ[own_key]):
            raise UnreadableFile(f"{uri}: {reason}") from None
        raise


def _head(bucket: str, key: str) -> Mapping[str, Any]:
    """S3's answer to HeadObject; empty if S3 refuses that, too, as it does without the right to read."""
    try:
        return find_head(bucket, key) or {}
    except ClientError:
        return {}


@contextmanager
def understanding(bucket: str, key: str) -> Iterator[None]:
    """Turn any error in the block into an UnreadableFile about this file, because its content can be anything.

    The original error's text is dropped, since it may quote the file.

    Raises:
        UnreadableFile: in place of any error that isn't AWS's.
    """
    try:
        yield
    except (ClientError, BotoCoreError, MemoryError, UnreadableFile):
        raise
    except Exception as error:
        logger.error("file not understood", extra={"file": uri_of(bucket, key), "error": type(error).__name__})
        raise UnreadableFile(
            f"{uri_of(bucket, key)} can't be understood ({type(error).__name__}). Put its last good version back, then "
            f"start again with this recording. If there is none: {REPROCESS}"
        ) from None
