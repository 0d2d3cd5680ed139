"""Consent that the newest version of a recording doesn't give any more.

`withdrawals/<object id>/<uploaded at>` says that the version uploaded then doesn't consent to audiences. It is written
when that version is planned, before anything else: whatever becomes of the file, empty, silent or refused, the consent
of the versions before it has ended. Nothing is ever taken back, so that neither the order of steps nor repeating one
matters; a later version that consents has a later time.
"""

import os
from collections.abc import Iterable
from concurrent.futures import Executor

from lambdas.recordings import Recording
from lambdas.shared.storage import find_listed, list_keys, s3
from lambdas.shared.uris import parse_uri

PREFIX = "withdrawals/"


def withdraw(pool: Executor, recordings: Iterable[Recording]) -> None:
    """Note each version that doesn't consent."""
    list(pool.map(_withdraw, (item for item in recordings if item.user_id is not None and not item.audience_consent)))


def _withdraw(item: Recording) -> None:
    uploaded_at = _listed_at(item.uri) if item.unseen else item.uploaded_at
    if uploaded_at:
        s3.put_object(Bucket=os.environ["CLINICAL_BUCKET"], Key=f"{PREFIX}{item.object_id}/{uploaded_at}", Body=b"")


def _listed_at(uri: str) -> str | None:
    """When an object was uploaded of which S3 tells no head; None if it is gone: to delete is not to withdraw."""
    listed = find_listed(*parse_uri(uri))
    return listed["LastModified"].isoformat(timespec="seconds") if listed else None


def read_withdrawals(clinical: str) -> dict[str, str]:
    """Object id -> when the last of its versions was uploaded that doesn't consent."""
    last: dict[str, str] = {}
    for key in list_keys(clinical, PREFIX):
        object_id, _, uploaded_at = key.removeprefix(PREFIX).partition("/")
        last[object_id] = max(uploaded_at, last.get(object_id, ""))
    return last
