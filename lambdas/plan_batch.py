"""PlanBatch: find the batch's recordings, reject unusable ones, decide which to transcribe, and estimate the cost."""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypedDict

from lambdas.planning.ceilings import check_waiting, cost_of, cut, reserve_for_day
from lambdas.planning.claims import Claims
from lambdas.planning.costs import together
from lambdas.planning.execution_input import read_request
from lambdas.planning.job_shares import FIRST_SHARE
from lambdas.planning.patients import note_patients
from lambdas.planning.recordings import Recording, expected_seconds
from lambdas.planning.versions import FoundVersion, plan_versions
from lambdas.rules import transcribe_medical
from lambdas.shared import stages
from lambdas.shared.identity import digest
from lambdas.shared.layout import PLAN, RECORDINGS, batch_prefix
from lambdas.shared.object_items import read_objects
from lambdas.shared.observability import logger, observed
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.pricing import Cost
from lambdas.shared.state import (
    AllParameters,
    Batch,
    MapItem,
    NamedRecording,
    Parameters,
    Plan,
    PlanCounts,
    PlannedRecording,
    ServiceCosts,
)
from lambdas.shared.storage import find_listed, unchanged, write_json

# An attempt after a redrive must have a higher number than every earlier attempt.
MORE_THAN_RETRIES = 1_000_000
# An attempt claims once, again without what it has cut, and lets go if it must wait: each under a higher number.
PLANNINGS_OF_AN_ATTEMPT = 3


class PlanBatchEvent(TypedDict):
    """`request` is the execution's input; `retry_count` is the state's."""

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
    """The work on a usable recording: none (`reused`), by this execution, or by the execution `elsewhere`."""

    reused: bool = False
    elsewhere: str | None = None

    @property
    def pending(self) -> bool:
        return not self.reused and self.elsewhere is None


# Returns the outlooks of recordings by their media ids, and claims under the number of a planning.
Look = Callable[[Sequence[FoundVersion], int], dict[str, Outlook]]


class Division(NamedTuple):
    """The batch's recordings, the outlooks of usable ones by their media ids, and the number of the last planning."""

    inspected: list[Recording]
    outlooks: dict[str, Outlook]
    planning: int


@observed(stages.PLAN.name, timed=True)
def handler(event: PlanBatchEvent, context: object) -> Planned:
    """Write `plan.json` and the Map's `recordings.json` of the batch.

    Files about the batch lie below `batches/<execution name>/`. Transcripts, documents and records are named by their
    sources instead, because other executions may reuse them. A recording that another execution works on is left to
    that execution.

    Stopping an execution doesn't stop this function, so after a redrive two calls may plan at the same time. The
    earlier call then fails or is retried; it can't overwrite the plan that the later steps read.

    Raises:
        InvalidInput: the request isn't `{"media": [...]}` or `{"prefix": ...}`, or names another bucket.
        CostCeilingExceeded: the batch would cost too much; nothing was started.
        DayCeilingReached: the day has too little money left; the state machine retries.
        botocore.exceptions.ClientError: PreconditionFailed if another attempt has written the plan in the meantime.
    """
    clinical, prefix = os.environ["CLINICAL_BUCKET"], batch_prefix(event["execution_name"])
    if event["retry_count"]:
        check_waiting(event["execution_name"])
    keys, reprocess, parameters = read_request(event["request"])
    before = {name: find_listed(clinical, prefix + name) for name in (PLAN, RECORDINGS)}
    batch_id = event["execution_name"]
    planning = PLANNINGS_OF_AN_ATTEMPT * (event["redrive_count"] * MORE_THAN_RETRIES + event["retry_count"])
    nonce = batch_id if reprocess else ""
    settings_id = digest(json.dumps(decisive(parameters[transcribe_medical.OPERATION]), sort_keys=True), nonce)

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        look = partial(look_ahead, pool, clinical, settings_id, event["execution_arn"])
        found = plan_versions(pool, keys)
        # Before anything else is stored under the ids of these recordings.
        noted = [(each.recording, transcript_id(each.recording, settings_id)) for each in found]
        note_patients(pool, batch_id, noted)
        inspected, outlooks, planning = divide(found, look, planning)

    usable = sorted((item for item in inspected if not item.rejected), key=expected_seconds, reverse=True)
    ahead = [(item, outlooks[item.media_id]) for item in usable]
    ours = [(item, outlook) for item, outlook in ahead if outlook.elsewhere is None]
    pending = [item for item, outlook in ours if outlook.pending]
    elsewhere = [(item, outlook.elsewhere) for item, outlook in ahead if outlook.elsewhere]
    cost = together(map(cost_of, pending))
    reserved_on = reserve_for_day(batch_id, planning, cost.estimate.total)
    items = [map_item(item, batch_id, settings_id) for item in pending]
    write_json(clinical, prefix + RECORDINGS, items, **unchanged(before[RECORDINGS]))
    plan: Plan = {
        "batch_id": batch_id,
        "reprocess": reprocess,
        "parameters": parameters,
        "recordings": [planned_recording(item, settings_id, reused=outlook.reused) for item, outlook in ours],
        "elsewhere": [{**named(item), "execution_name": execution_name} for item, execution_name in elsewhere],
        "rejected": [
            {"media_id": item.media_id, "user_id": item.user_id, "uri": item.uri, "reason": item.rejected}
            for item in inspected
            if item.rejected
        ],
        "costs": {
            "estimate": service_costs(cost.estimate),
            "bound": service_costs(cost.bound),
            "reserved_on": reserved_on,
        },
    }
    write_json(clinical, prefix + PLAN, plan, **unchanged(before[PLAN]))
    counts: PlanCounts = {
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
    """The transcription parameters that affect the transcript."""
    return {name: value for name, value in parameters.items() if name not in ("Tags", "KMSEncryptionContext")}


def transcript_id(item: Recording, settings_id: str) -> str:
    """The id of the transcript of this version of the recording under these settings."""
    return f"{item.media_id}-{settings_id[:8]}"


def divide(found: Sequence[FoundVersion], look: Look, planning: int) -> Division:
    """Look ahead at the usable recordings, and reject those that the ceiling of the batch's cost cuts."""
    usable = [each for each in found if not each.recording.rejected]
    outlooks = look(usable, planning)
    reasons = cut([each.recording for each in usable if outlooks[each.recording.media_id].pending])
    if reasons:
        # Other executions may have the recordings that are cut: a later planning claims only the others.
        planning += 1
        kept = [each for each in usable if each.recording.media_id not in reasons]
        outlooks |= look([each for each in kept if outlooks[each.recording.media_id].pending], planning)
    inspected = [
        each.recording._replace(rejected=reasons.get(each.recording.media_id, each.recording.rejected))
        for each in found
    ]
    return Division(inspected, outlooks, planning)


def look_ahead(
    pool: Executor, clinical: str, settings_id: str, execution_arn: str, usable: Sequence[FoundVersion], planning: int
) -> dict[str, Outlook]:
    """The outlooks of usable recordings by their media ids; claims the recordings that this execution works on."""
    execution = execution_arn.rpartition(":")[2]
    names = [transcript_id(found.recording, settings_id) for found in usable]
    recorded = {name for found, name in zip(usable, names, strict=True) if found.recorded == name}
    owners = Claims(clinical, execution_arn, planning).claim(pool, [name for name in names if name not in recorded])
    # The previous owner may have finished the recording before its claim was read.
    ours = [found for found, name in zip(usable, names, strict=True) if owners.get(name) == execution]
    items = read_objects([found.recording.object_id for found in ours])
    recorded |= {item.recorded for item in items.values()}

    def outlook(name: str) -> Outlook:
        owner = owners.get(name, execution)
        return Outlook(reused=name in recorded) if owner == execution else Outlook(elsewhere=owner)

    return {found.recording.media_id: outlook(name) for found, name in zip(usable, names, strict=True)}


def map_item(item: Recording, batch_id: str, settings_id: str) -> MapItem:
    return {
        **named(item),
        "batch_id": batch_id,
        "transcript_id": transcript_id(item, settings_id),
        "expected_seconds": expected_seconds(item),
    }


def planned_recording(item: Recording, settings_id: str, *, reused: bool) -> PlannedRecording:
    assert item.uploaded_at is not None  # only a rejected recording has none
    return {
        **named(item),
        "object_id": item.object_id,
        "uploaded_at": item.uploaded_at,
        "audience_consent": item.audience_consent,
        "transcript_id": transcript_id(item, settings_id),
        "reused": reused,
    }


def named(item: Recording) -> NamedRecording:
    assert item.user_id is not None  # only a rejected recording has none
    return {"media_id": item.media_id, "user_id": item.user_id, "uri": item.uri}


def service_costs(cost: Cost) -> ServiceCosts:
    return {
        "transcribe_medical": round(cost.transcribe_medical, 4),
        "comprehend_medical": round(cost.comprehend_medical, 4),
        "total": round(cost.total, 4),
    }
