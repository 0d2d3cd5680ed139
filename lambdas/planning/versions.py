"""The versions of a batch's recordings, as they are in the bucket and in the ledger."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from lambdas.planning.recordings import Recording, check_access, inspect
from lambdas.shared.identity import digest
from lambdas.shared.layout import records_key
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS
from lambdas.shared.object_items import ObjectItem, plan, read_objects
from lambdas.shared.storage import find_head, find_listed
from lambdas.shared.uris import parse_uri


class FoundVersion(NamedTuple):
    """A recording as found in the bucket, and the transcript whose records are complete, "" for none."""

    recording: Recording
    recorded: str


def plan_versions(pool: Executor, keys: Sequence[str]) -> list[FoundVersion]:
    """Inspect each recording in the bucket, and enter its version into the ledger as planned.

    The ledger's item is read before the bucket, and written only if it is unchanged since. So the ledger follows the
    bucket even if two executions plan at the same time. Recorded records stay valid if they are of this version and
    still exist; records from before the ledger are entered into it.

    Raises:
        botocore.exceptions.ClientError: S3 denied access to all recordings.
    """
    planned: dict[str, FoundVersion] = {}
    for _ in range(MAXIMUM_ATTEMPTS):
        left = [key for key in keys if key not in planned]
        if not left:
            return [planned[key] for key in keys]
        ids = [digest(os.environ["MEDIA_BUCKET"], key) for key in left]
        items = read_objects(ids)
        inspected = list(pool.map(inspect, left))
        check_access([*inspected, *(version.recording for version in planned.values())])
        written = pool.map(_plan, inspected, [items.get(object_id, ObjectItem()) for object_id in ids])
        planned |= {key: version for key, version in zip(left, written, strict=True) if version is not None}
    raise RuntimeError(
        f"{len(left)} objects were planned by other executions during each of {MAXIMUM_ATTEMPTS} attempts to plan them"
    )


def _plan(found: Recording, seen: ObjectItem) -> FoundVersion | None:
    """Enter the version as planned; None if the ledger's item has changed since it was `seen`."""
    if not _is_version(found):
        return FoundVersion(found, "")
    recorded = _recorded(found, seen)
    written = plan(found.object_id, seen, found.media_id, recorded, consents=found.audience_consent)
    return FoundVersion(found, recorded) if written else None


def _is_version(found: Recording) -> bool:
    """Whether the object exists. A deleted object isn't planned, because deleting it doesn't withdraw consent."""
    if found.user_id is None:
        return False
    return bool(found.uploaded_at) or (found.unseen and find_listed(*parse_uri(found.uri)) is not None)


def _recorded(found: Recording, seen: ObjectItem) -> str:
    """The transcript of this version whose records are complete and exist; "" for none."""
    if found.rejected or (seen.sequence and (seen.version != found.media_id or not seen.recorded)):
        return ""
    head = find_head(os.environ["CLINICAL_BUCKET"], records_key(found.object_id))
    there: str = head["Metadata"].get("transcript-id", "") if head else ""
    if seen.sequence:
        return there if there == seen.recorded else ""
    return there if there.startswith(found.media_id) else ""
