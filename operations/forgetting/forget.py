"""Forgetting a patient from end to end: look, refuse, suppress, remove, prove."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from lambdas.shared.layout import job_records_prefix
from lambdas.shared.stages import ENTITY_DETECTION
from lambdas.shared.user_ids import canonical, fault
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting import at_work, audiences, ledger, proof, removal, suppression, survey
from operations.forgetting.at_work import AtWork
from operations.forgetting.audiences import Audience
from operations.forgetting.survey import Object

# Called with what is being done, and then with the number of objects it was done with since the last time.
Report = Callable[[str, int], None]
# Kinds of things that are removed and aren't in a bucket.
NO_OBJECTS = ("ledger items", "unfinished uploads", "transcription jobs", "audiences")


class Plan(NamedTuple):
    """What is to go. `whole` is with all that is the patient's, `parts` names them among others.

    `ledger_items` are the keys of theirs; `is_suppressed` is whether the suppression list has them already.
    """

    known: survey.Known
    whole: list[Object]
    parts: list[Object]
    ledger_items: list[str]
    uploads: int
    transcription_jobs: list[dict[str, Any]]
    audiences: list[Audience]
    entity_detection_jobs: list[str]
    is_suppressed: bool


class Outcome(NamedTuple):
    """`removed` and `rewritten` count by kind; `left` tells where something still names the patient."""

    removed: dict[str, int]
    rewritten: dict[str, int]
    looked_at: int
    left: list[str]
    notes: list[str]


def look(
    deployed: Deployed, user_id: str, report: Report, say: Callable[[str], None], *, dry_run: bool = False
) -> Plan:
    """Find everything that is to go; nothing is changed.

    What a function may be writing that an ended execution has left behind is waited for, and `say` is told so. A dry
    run doesn't wait, and looks for the access logs too, which `forget` looks for itself, last of all.

    Raises:
        OperationError: something is still working with the patient's recordings, the user id can't be one, or the
            suppression list can't be read.
        botocore.exceptions.ClientError: a right is missing.
    """
    given, user_id = user_id, canonical(user_id)
    if not user_id or "/" in user_id:
        raise OperationError(f"{given!r} is no user id; give what stands behind media/ in a recording's key.")
    is_suppressed = suppression.is_suppressed(deployed, user_id)
    if dry_run:
        at_work.refuse_running_executions(deployed, user_id)
    else:
        at_work.wait_for_functions(deployed, user_id, say)
    known = survey.learn(deployed, user_id, lambda number: report("Reading plans and records", number))
    findings = survey.survey(deployed, known, lambda number: report("Looking for what names them", number))
    logs = survey.access_logs(deployed, known, lambda number: report("Reading access logs", number)) if dry_run else []
    jobs = at_work.transcription_jobs(deployed, known)
    at_work.refuse_running_jobs(deployed, jobs, findings)
    return Plan(
        known,
        findings.whole + removal.seed_pointers(deployed, findings),
        findings.parts + logs,
        ledger.items_of(deployed, known.traces),
        len(removal.unfinished_uploads(deployed, user_id)),
        jobs,
        audiences.audiences(deployed, findings),
        _entity_detection_jobs(deployed, known),
        is_suppressed,
    )


def forget(deployed: Deployed, plan: Plan, report: Report, *, delete_audiences: bool) -> Outcome:
    """Do it, and prove it. Safe to be cut off at any time, and to be repeated.

    Raises:
        OperationError: something changed meanwhile, or can't be deleted; repeat it.
        botocore.exceptions.ClientError: a right is missing.
    """
    traces = plan.known.traces
    before = at_work.executions_at_work(deployed)
    if holding := at_work.holding(deployed, before, traces.user_id):
        raise OperationError(
            f"The execution {holding[0].name}, which holds recordings of {traces.user_id}, was started or stopped after"
            " they were looked for; nothing is removed yet, forget again."
        )
    suppressed = suppression.suppress(deployed, traces.user_id)

    def removing(number: int) -> None:
        report("Removing", number)

    ledger.delete_items(deployed, plan.ledger_items)
    removal.remove_whole(deployed, plan.whole, removing)
    removal.abort_uploads(deployed, traces.user_id)
    at_work.delete_transcription_jobs(deployed, plan.transcription_jobs)
    held = [audience for audience in plan.audiences if audience.held_them]
    if delete_audiences:
        # Before the seeds: afterwards only their metadata would tell.
        audiences.delete_audiences(deployed, held)
    gone, rewritten = removal.remove_parts(deployed, traces, plan.parts, removing)
    # What was done so far may be in them, if they are delivered at once.
    logs = survey.access_logs(deployed, plan.known, lambda number: report("Reading access logs", number))
    gone_logs, rewritten_logs = removal.remove_parts(deployed, traces, logs, removing)
    left, looked_at = proof.leftovers(deployed, plan.known, lambda number: report("Proving", number))
    return Outcome(
        counts(plan, [*plan.whole, *gone, *gone_logs])
        | ({"audiences": len(held)} if delete_audiences and held else {}),
        Counter(found.place.kind for found in rewritten + rewritten_logs)
        | Counter({"suppression list": int(suppressed)}),
        looked_at,
        left,
        notes(deployed, plan, before, delete_audiences=delete_audiences),
    )


def counts(plan: Plan, objects: Iterable[Object]) -> dict[str, int]:
    """Kind -> number: object versions, and what isn't in a bucket."""
    number = Counter(found.place.kind for found in objects)
    number["ledger items"] += len(plan.ledger_items)
    number["unfinished uploads"] += plan.uploads
    number["transcription jobs"] += len(plan.transcription_jobs)
    return {kind: count for kind, count in number.items() if count}


def notes(deployed: Deployed, plan: Plan, before: Iterable[AtWork], *, delete_audiences: bool) -> list[str]:
    """What can't be deleted, and what is yet to be done, in sentences; `before` was at work when it began."""
    known, told = plan.known, []
    user_id = known.traces.user_id
    if reason := fault(user_id):
        told.append(f"{user_id!r} {reason}: it can't be on the suppression list, and is in no later seed for that.")
    for execution in before:
        end = f"at {execution.until.astimezone():%H:%M:%S}" if execution.until else "when it has ended"
        told.append(
            f"{execution.arn}, or a function of it, was at work and may have read the records before; forget again "
            f"{end} to be sure."
        )
    if known.unplanned:
        told.append(
            f"{len(known.unplanned)} versions of recordings were in no plan: their upload may yet start an execution, "
            "which rejects them by name. Forget again when it has ended."
        )
    if plan.entity_detection_jobs:
        told.append(
            "Comprehend Medical keeps the metadata of these jobs until they expire; they name a folder and no patient: "
            f"{', '.join(plan.entity_detection_jobs)}."
        )
    if plan.ledger_items:
        told.append(
            f"The ledger {deployed.ledger} can be restored as it was within the last 35 days, with the ids of their "
            "recordings, which name nobody. Whoever does so forgets again."
        )
    if known.executions:
        told.append(
            "Step Functions keeps the inputs of these executions, with the recordings' keys, until 90 days after their "
            f"end: {', '.join(sorted(known.executions))}. Whoever starts or redrives one of them names the recordings "
            "again as rejected; then forget again."
        )
    held = [audience for audience in plan.audiences if audience.held_them]
    if held and not delete_audiences:
        told.append(
            "These audiences were generated from a seed that held them, or somebody else who was forgotten; "
            f"--audiences deletes them: {', '.join(audience.arn for audience in held)}."
        )
    if unsure := [audience.arn for audience in plan.audiences if not audience.held_them]:
        told.append(
            f"Whether these audiences hold them can't be told, for their seeds have expired: {', '.join(unsure)}."
        )
    if plan.audiences:
        told.append("What was exported of an audience is in its owner's bucket; ask the owner to delete it.")
    told.append(
        "S3 delivers access logs hours late, with the keys of what was deleted just now: forget again tomorrow. "
        f"Messages in the queues of {deployed.prefix} expire by themselves, dead letters within 14 days. The "
        "suppression list keeps the user id: that is how later seeds leave it out."
    )
    return told


def _entity_detection_jobs(deployed: Deployed, known: survey.Known) -> list[str]:
    """Ids of Comprehend Medical's jobs of the executions that the patient's recordings were in."""
    s3 = deployed.client("s3")
    found = set()
    for execution in known.executions:
        prefix = job_records_prefix(execution, ENTITY_DETECTION.name)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=deployed.clinical, Prefix=prefix):
            found |= {item["Key"].removeprefix(prefix).removesuffix(".json") for item in page.get("Contents", ())}
    return sorted(found)
