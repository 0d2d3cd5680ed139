"""IndexRecords: a child of the Map RebuildCohorts reads records into the indexes of cohorts.

lambdas/cohorts/indexes.py says why a rebuild and commits of records don't miss each other.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypedDict

import msgspec

from lambdas.cohorts.cohort_rules import Found
from lambdas.cohorts.indexes import Indexes, read_indexes
from lambdas.shared import stages
from lambdas.shared.identity import digest
from lambdas.shared.layout import object_id_of, unreadable_records_prefix
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS
from lambdas.shared.members import Membership
from lambdas.shared.object_items import Attributes, ObjectItem, read_object, replace
from lambdas.shared.observability import metrics, observed
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.recording_files import MissingFile, UnreadableFile, read_stored_file, understanding
from lambdas.shared.storage import StoredObject, write_json
from lambdas.shared.user_ids import canonical

_DECODE = msgspec.json.Decoder(Found).decode_lines


class IndexRecordsEvent(TypedDict):
    """`keys` are those of records, as listed when the rebuild began."""

    batch_id: str
    keys: list[str]


@observed(stages.SEEDS.name)
def handler(event: IndexRecordsEvent, context: object) -> dict[str, Any]:
    """Enter the objects into the indexes that their records belong to, and remove them from all others.

    Unreadable records make nobody a member; sentences about them are stored for the summary. Objects from before the
    ledger, or after its loss, get their items back, from the metadata of their records.
    """
    bucket = os.environ["CLINICAL_BUCKET"]
    unreadable: list[str] = []

    def index(key: str) -> None:
        if problem := index_object(bucket, key):
            unreadable.append(problem)

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        list(pool.map(index, event["keys"]))
    if unreadable:
        metrics.add_metric("RecordsUnreadable", "Count", len(unreadable))
        key = f"{unreadable_records_prefix(event['batch_id'])}{digest(*event['keys'])}.json"
        write_json(bucket, key, sorted(unreadable))
    return {}


class Stored(NamedTuple):
    """An object's records, with the rest of S3's answer."""

    found: list[Found]
    file: StoredObject


def index_object(bucket: str, key: str) -> str:
    """Enter one object into the indexes by its records; return a sentence if they are unreadable, else "".

    The list of indexes is read last, because another rebuild may have added one and read the object meanwhile.
    """
    object_id = object_id_of(key)
    for _ in range(MAXIMUM_ATTEMPTS):
        seen, stored, problem = read_object(object_id), None, ""
        try:
            stored = read_records(bucket, key)
        except MissingFile:  # forgotten or expired since the records were listed
            pass
        except UnreadableFile as unreadable:
            problem = str(unreadable)
        if enter(object_id, seen, stored, read_indexes()):
            return problem
    raise RuntimeError(f"The ledger's item of {key} changed {MAXIMUM_ATTEMPTS} times while it was indexed")


def read_records(bucket: str, key: str) -> Stored:
    file = read_stored_file(bucket, key)
    with understanding(bucket, key):
        return Stored(_DECODE(file.body), file)


def enter(object_id: str, seen: ObjectItem, stored: Stored | None, indexes: Indexes) -> bool:
    """Write the object's membership; False, without a change, if its item has changed since it was `seen`."""
    if seen.sequence:
        membership = membership_of(stored, indexes, consent=seen.consent)
        return replace(object_id, seen, {}, membership)
    if stored is None or not (restored := item_of(stored)).version:
        return True
    attributes: Attributes = {
        "version": restored.version,
        "consent": restored.consent,
        "recorded": restored.recorded or None,
        "recorded_by": restored.recorded_by,
    }
    membership = membership_of(stored, indexes, consent=restored.consent)
    return replace(object_id, seen, attributes, membership, stored.file.written)


def membership_of(stored: Stored | None, indexes: Indexes, *, consent: bool) -> Membership | None:
    """The membership by these records; `consent` is that of the newest planned version."""
    if not stored or not stored.found:
        return None
    user_id = canonical(stored.found[0].user_id)
    return indexes.membership(user_id, stored.found if consent else (), stored.file.written)


def item_of(stored: Stored) -> ObjectItem:
    """The ledger's item as far as the records say what it was. Complete records name their transcript."""
    metadata, first = stored.file.metadata, stored.found[0] if stored.found else None
    recorded = metadata.get("transcript-id", "")
    version = recorded.rpartition("-")[0] or (first.media_id if first else "")
    consent = first.audience_consent if first else False
    return ObjectItem(0, version, consent, recorded, metadata.get("execution", ""))
