"""The recordings of a batch, inspected by HeadObject before any job is started."""

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from botocore.exceptions import ClientError

from lambdas.planning.media_headers.bit_rates import FORMATS, usual_seconds
from lambdas.planning.preflight import refusal
from lambdas.shared.identity import digest, media_id
from lambdas.shared.jobs import expected_transcription_seconds
from lambdas.shared.object_faults import NO_ACCESS, Unusable, find_recording
from lambdas.shared.uris import extension_of, uri_of
from lambdas.shared.user_ids import canonical, fault


class Recording(NamedTuple):
    """One object of the media bucket: `media_id` identifies this version of it, `object_id` all versions.

    `rejected` is the reason of its rejection, if any; `denial` is S3's error if S3 denied HeadObject. An `unseen`
    object exists, but S3 refuses to describe it.
    """

    uri: str
    user_id: str | None
    object_id: str
    media_id: str
    size: int = 0
    uploaded_at: str | None = None
    audience_consent: bool = False
    rejected: str | None = None
    denial: ClientError | None = None
    unseen: bool = False


def check_access(inspected: Sequence[Recording]) -> None:
    """Raise S3's denial if S3 described none of a batch's recordings.

    A right that we lack affects all recordings; a policy that denies only some concerns those recordings.
    """
    denials = [item.denial for item in inspected if item.denial]
    if denials and not any(item.uploaded_at for item in inspected):
        raise denials[0]


def inspect(key: str) -> Recording:
    """Inspect the object by its key and by HeadObject, and set `rejected` if it can't be used."""
    bucket = os.environ["MEDIA_BUCKET"]
    uri, object_id = uri_of(bucket, key), digest(bucket, key)
    named = re.fullmatch(r"media/([^/]+)/(.+)", key, re.DOTALL)
    if not named:
        reason = "The key is not of the form media/<user_id>/<file>."
        return Recording(uri, None, object_id, media_id(bucket, key, None), rejected=reason)
    user_id = canonical(named[1])
    if unnameable := fault(user_id):
        reason = (
            f"The user id, the folder's name below media/, {unnameable}: no line of the suppression list could name "
            "this patient. Rename the object."
        )
        return Recording(uri, user_id, object_id, media_id(bucket, key, None), rejected=reason)
    if any(part in (".", "..") for part in key.split("/")):
        reason = "The key has a part of dots only, which some software resolves to another path. Rename the object."
        return Recording(uri, user_id, object_id, media_id(bucket, key, None), rejected=reason)
    try:
        head = find_recording(bucket, key)
    except Unusable as unusable:
        return Recording(uri, user_id, object_id, media_id(bucket, key, None), rejected=str(unusable), unseen=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != "403":
            raise
        unversioned = media_id(bucket, key, None)
        return Recording(uri, user_id, object_id, unversioned, rejected=NO_ACCESS, denial=error, unseen=True)
    if head is None:
        reason = "The object does not exist (any more)."
        return Recording(uri, user_id, object_id, media_id(bucket, key, None), rejected=reason)
    extension = extension_of(key)
    rejected: str | None
    if head["ContentLength"] == 0:
        rejected = "The file is empty (0 bytes)."
    elif extension not in FORMATS:
        known = ", ".join(sorted(FORMATS))
        ending = f"ends in {extension!r}" if extension else "has no extension"
        rejected = f"The file name {ending}; Transcribe Medical takes {known}. Convert or rename the file."
    else:
        rejected = refusal(head["ContentLength"], None, {})
    return Recording(
        uri,
        user_id,
        object_id,
        media_id(bucket, key, head),
        head["ContentLength"],
        head["LastModified"].isoformat(),
        # Consent is opt-in: any value other than "true" means no.
        head["Metadata"].get("audience-consent", "").strip().lower() == "true",
        rejected,
    )


def expected_seconds(item: Recording) -> int:
    return expected_transcription_seconds(usual_seconds(extension_of(item.uri), item.size))
