"""Files of the clinical bucket that are about one recording: one that can't be read is that recording's own fault.

A transcript, or what a job made of it, may have been archived by a lifecycle rule, copied under another key, deleted,
or cut short. That rejects its recording. What all files would meet, a right of ours or our key, fails the step.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.shared.object_faults import refused_read
from lambdas.shared.observability import logger
from lambdas.shared.storage import find_head, read_bytes, s3
from lambdas.shared.uris import uri_of

REPROCESS = 'Start a new execution with "reprocess": true and this recording as its media; it is paid anew.'


class UnreadableFile(Exception):
    """A file about a recording can't be used. The message is the reason of a rejection: it names the file, no words."""


class MissingFile(UnreadableFile):
    """The file isn't there."""


def read_file(bucket: str, key: str, own_key: str = "CLINICAL_KEY_ARN") -> bytes:
    """The content of a file about one recording. `own_key` is the variable that has the ARN of its bucket's key.

    Raises:
        MissingFile: there is no such object.
        UnreadableFile: S3 won't give this object to us: it is archived, or another key than the bucket's encrypts it.
        botocore.exceptions.ClientError: S3 refuses for our side's sake, or fails.
    """
    uri = uri_of(bucket, key)
    try:
        return read_bytes(bucket, key)
    except s3.exceptions.NoSuchKey:
        raise MissingFile(f"{uri} is not there (any more): it has expired or was deleted. {REPROCESS}") from None
    except ClientError as error:
        if reason := refused_read(error, _head(bucket, key), os.environ[own_key]):
            raise UnreadableFile(f"{uri}: {reason}") from None
        raise


def _head(bucket: str, key: str) -> Mapping[str, Any]:
    """What S3 says about the object; nothing if it refuses that, too, as it does without the right to read."""
    try:
        return find_head(bucket, key) or {}
    except ClientError:
        return {}


@contextmanager
def understanding(bucket: str, key: str) -> Iterator[None]:
    """Within it, what goes wrong is the fault of what the file says.

    Whatever it is: a service or a person may have written anything, and no other recording's file is at stake. The
    error's own text is let go, since it may quote the file.

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
