"""PlanBatch: which recordings the batch has, which are new, which can't be used, longest first."""

import json
import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, NamedTuple, TypedDict

from lambdas.planning.claims import Claims
from lambdas.planning.execution_input import read_request
from lambdas.planning.job_shares import FIRST_SHARE
from lambdas.planning.recordings import Recording, expected_seconds
from lambdas.planning.versions import FoundVersion, plan_versions
from lambdas.rules import transcribe_medical
from lambdas.shared import stages
from lambdas.shared.identity import digest
from lambdas.shared.layout import PLAN, RECORDINGS, batch_prefix
from lambdas.shared.object_items import read_objects
from lambdas.shared.observability import logger, observed
from lambdas.shared.state import (
    AllParameters,
    Batch,
    Counts,
    MapItem,
    NamedRecording,
    Parameters,
    Plan,
    PlannedRecording,
)
from lambdas.shared.storage import PARALLEL_REQUESTS, find_listed, unchanged, write_json

# So that an attempt after a redrive has a higher number than any before it.
MORE_THAN_RETRIES = 1_000_000


class PlanBatchEvent(TypedDict):
    """`request` is the execution's input, `retry_count` that of the state."""

    request: Any
    execution_name: str
    execution_arn: str
    redrive_count: int
    retry_count: int


class Planned(TypedDict):
    """The state after PlanBatch."""

    batch: Batch
    parameters: AllParameters


class Outlook(NamedTuple):
    """What is ahead of a usable recording: nothing (`reused`), work here, or in the execution called `elsewhere`."""

    reused: bool = False
    elsewhere: str | None = None


@observed(stages.PLAN.name, timed=True)
def handler(event: PlanBatchEvent, context: object) -> Planned:
    """Write `plan.json` and the Map's `recordings.json` of the batch.

    The batch is the execution: all that is written about it lies below `batches/<execution name>/`. Transcripts,
    documents and records may be reused by another execution, and are named by their sources instead. A recording that
    another execution is working on is left to it.

    Stopping an execution doesn't stop this function. If it has been redriven by then, two of it plan at the same time:
    the one that began first fails, or is repeated, rather than overwrite what the later steps go by.

    Raises:
        InvalidInput: the request isn't `{"media": [...]}` or `{"prefix": ...}`, or names another bucket.
        botocore.exceptions.ClientError: PreconditionFailed if another attempt has written the plan meanwhile.
    """
    clinical, prefix = os.environ["CLINICAL_BUCKET"], batch_prefix(event["execution_name"])
    keys, reprocess, parameters = read_request(event["request"])
    before = {name: find_listed(clinical, prefix + name) for name in (PLAN, RECORDINGS)}
    batch_id = event["execution_name"]
    planning = event["redrive_count"] * MORE_THAN_RETRIES + event["retry_count"]
    nonce = batch_id if reprocess else ""
    settings_id = digest(json.dumps(decisive(parameters[transcribe_medical.OPERATION]), sort_keys=True), nonce)

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        planned = plan_versions(pool, keys)
        inspected = [one.recording for one in planned]
        usable = sorted((one for one in planned if not one.recording.rejected), key=length, reverse=True)
        outlooks = look_ahead(pool, clinical, usable, settings_id, event["execution_arn"], planning)

    seen_ahead = [(one.recording, outlook) for one, outlook in zip(usable, outlooks, strict=True)]
    ours = [(item, seen) for item, seen in seen_ahead if seen.elsewhere is None]
    pending = [item for item, seen in ours if not seen.reused]
    elsewhere = [(item, seen.elsewhere) for item, seen in seen_ahead if seen.elsewhere]
    items = [map_item(item, batch_id, settings_id) for item in pending]
    write_json(clinical, prefix + RECORDINGS, items, **unchanged(before[RECORDINGS]))
    plan: Plan = {
        "batch_id": batch_id,
        "reprocess": reprocess,
        "parameters": parameters,
        "recordings": [planned_recording(item, settings_id, reused=seen.reused) for item, seen in ours],
        "elsewhere": [{**named(item), "execution_name": execution_name} for item, execution_name in elsewhere],
        "rejected": [
            {"media_id": item.media_id, "user_id": item.user_id, "uri": item.uri, "reason": item.rejected}
            for item in inspected
            if item.rejected
        ],
    }
    write_json(clinical, prefix + PLAN, plan, **unchanged(before[PLAN]))
    counts: Counts = {
        "recordings": len(inspected),
        "reused": len(ours) - len(pending),
        "elsewhere": len(elsewhere),
        "rejected": len(inspected) - len(usable),
    }
    logger.info("batch planned", extra={"batch_id": batch_id, **counts})
    batch: Batch = {
        "batch_id": batch_id,
        "reprocess_id": nonce,
        "bucket": clinical,
        "prefix": prefix,
        "recordings_key": prefix + RECORDINGS,
        "max_concurrency": FIRST_SHARE,
        "pending": len(pending),
        **counts,
    }
    return {"batch": batch, "parameters": parameters}


def decisive(parameters: Parameters) -> dict[str, Any]:
    """The transcription parameters that decide what the transcript says."""
    return {name: value for name, value in parameters.items() if name not in ("Tags", "KMSEncryptionContext")}


def transcript_id(item: Recording, settings_id: str) -> str:
    """Names the transcript of this version of the recording under these settings."""
    return f"{item.media_id}-{settings_id[:8]}"


def length(planned: FoundVersion) -> int:
    return expected_seconds(planned.recording)


def look_ahead(
    pool: Executor, clinical: str, usable: Sequence[FoundVersion], settings_id: str, execution_arn: str, planning: int
) -> list[Outlook]:
    """Of each recording, whether there is anything to do, and whether it is this execution that does it."""
    execution = execution_arn.rpartition(":")[2]
    names = [transcript_id(one.recording, settings_id) for one in usable]
    recorded = {name for one, name in zip(usable, names, strict=True) if one.recorded == name}
    owners = Claims(clinical, execution_arn, planning).claim(pool, [name for name in names if name not in recorded])
    # The execution that had it may have finished it before its claim was read.
    ours = [one for one, name in zip(usable, names, strict=True) if owners.get(name) == execution]
    items = read_objects([one.recording.object_id for one in ours])
    recorded |= {item.recorded for item in items.values()}

    def outlook(name: str) -> Outlook:
        owner = owners.get(name, execution)
        return Outlook(reused=name in recorded) if owner == execution else Outlook(elsewhere=owner)

    return [outlook(name) for name in names]


def map_item(item: Recording, batch_id: str, settings_id: str) -> MapItem:
    return {
        **named(item),
        "batch_id": batch_id,
        "transcript_id": transcript_id(item, settings_id),
        "expected_seconds": expected_seconds(item),
    }


def planned_recording(item: Recording, settings_id: str, *, reused: bool) -> PlannedRecording:
    assert item.uploaded_at is not None  # as of every recording that isn't rejected
    return {
        **named(item),
        "object_id": item.object_id,
        "uploaded_at": item.uploaded_at,
        "audience_consent": item.audience_consent,
        "transcript_id": transcript_id(item, settings_id),
        "reused": reused,
    }


def named(item: Recording) -> NamedRecording:
    assert item.user_id is not None  # as of every recording that isn't rejected
    return {"media_id": item.media_id, "user_id": item.user_id, "uri": item.uri}
