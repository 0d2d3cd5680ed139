"""Forgets a patient from end to end: survey, refuse, suppress, remove, prove."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from lambdas.shared.user_ids import canonical, fault
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting import at_work, audiences, jobs, ledger, proof, removal, suppression, survey
from operations.forgetting.at_work import AtWork
from operations.forgetting.audiences import Audience
from operations.forgetting.compactions import wait_for_compactions
from operations.forgetting.known import Known, read_known
from operations.forgetting.ledger import LedgerItem
from operations.forgetting.survey import Object

# Called with the step, and the number of objects since the last call.
Report = Callable[[str, int], None]
# Kinds that are counted but aren't objects of a bucket.
NO_OBJECTS = ("ledger items", "unfinished uploads", "transcription jobs", "audiences")


class Plan(NamedTuple):
    """What will be removed: `whole` objects are the patient's alone, `parts` name other patients too.

    `is_suppressed` is whether the suppression list has the patient already.
    """

    known: Known
    whole: list[Object]
    parts: list[Object]
    ledger_items: list[LedgerItem]
    uploads: int
    transcription_jobs: list[dict[str, Any]]
    audiences: list[Audience]
    entity_detection_jobs: list[str]
    is_suppressed: bool


class Outcome(NamedTuple):
    """`removed` and `rewritten` count by kind; `left` lists where something still names the patient."""

    removed: dict[str, int]
    rewritten: dict[str, int]
    looked_at: int
    left: list[str]
    notes: list[str]


def plan_removal(
    deployed: Deployed, user_id: str, report: Report, say: Callable[[str], None], *, dry_run: bool = False
) -> Plan:
    """Find everything that will be removed; nothing is changed.

    If an ended execution may have left a running function behind, wait for its end; `say` is called with the reason.
    A dry run doesn't wait, and includes the access logs, which `forget` otherwise reads after the removal.

    Raises:
        OperationError: an execution or job still works with the patient's recordings, the user id is invalid, or the
            suppression list can't be read.
        botocore.exceptions.ClientError: a permission is missing.
    """
    given, user_id = user_id, canonical(user_id)
    if not user_id or "/" in user_id:
        raise OperationError(f"{given!r} is no user id; give the segment after media/ in a recording's key.")
    is_suppressed = suppression.is_suppressed(deployed, user_id)
    if dry_run:
        at_work.refuse_running_executions(deployed, user_id)
    else:
        at_work.wait_for_functions(deployed, user_id, say)
    known = read_known(deployed, user_id, lambda number: report("Reading plans and records", number))
    findings = survey.survey(deployed, known, lambda number: report("Looking for what names them", number))
    logs = survey.access_logs(deployed, known, lambda number: report("Reading access logs", number)) if dry_run else []
    transcriptions = jobs.transcription_jobs(deployed, known)
    jobs.refuse_running_jobs(deployed, transcriptions, findings)
    return Plan(
        known,
        findings.whole + removal.seed_pointers(deployed, findings),
        findings.parts + logs,
        ledger.items_of(deployed, known.traces),
        len(removal.unfinished_uploads(deployed, user_id)),
        transcriptions,
        audiences.audiences(deployed, findings),
        jobs.entity_detection_jobs(deployed, known),
        is_suppressed,
    )


def forget(deployed: Deployed, plan: Plan, report: Report, *, delete_audiences: bool) -> Outcome:
    """Remove what is planned, and prove that nothing is left. It may be interrupted at any time, and repeated.

    Raises:
        OperationError: something changed meanwhile, or can't be deleted; forget again.
        botocore.exceptions.ClientError: a permission is missing.
    """
    traces = plan.known.traces
    before = at_work.executions_at_work(deployed)
    if holding := at_work.holding(deployed, before, traces.user_id):
        raise OperationError(
            f"The execution {holding[0].name}, which holds recordings of {traces.user_id}, was started or stopped "
            "meanwhile. Nothing is removed yet; forget again."
        )
    suppressed = suppression.suppress(deployed, traces.user_id)

    def removing(number: int) -> None:
        report("Removing", number)

    ledger.delete_items(deployed, plan.ledger_items)
    wait_for_compactions(deployed, lambda number: report("Waiting for compactions", number))
    removal.remove_whole(deployed, plan.whole, removing)
    removal.abort_uploads(deployed, traces.user_id)
    jobs.delete_transcription_jobs(deployed, plan.transcription_jobs)
    held = [audience for audience in plan.audiences if audience.held_them]
    if delete_audiences:
        # Before the seeds, because afterwards only their metadata has a mark.
        audiences.delete_audiences(deployed, held)
    gone, rewritten = removal.remove_parts(deployed, traces, plan.parts, removing)
    # Once more, because a rebuild of the cohorts that read records before their removal gives items back.
    ledger.delete_items(deployed, ledger.items_of(deployed, traces))
    # Last, because the removal's own requests may have been logged already.
    logs = survey.access_logs(deployed, plan.known, lambda number: report("Reading access logs", number))
    gone_logs, rewritten_logs = removal.remove_parts(deployed, traces, logs, removing)
    left, looked_at = proof.leftovers(deployed, plan.known, lambda number: report("Proving", number))
    return Outcome(
        counts(plan, [*plan.whole, *gone, *gone_logs])
        | ({"audiences": len(held)} if delete_audiences and held else {}),
        Counter(found.category.kind for found in rewritten + rewritten_logs)
        | Counter({"suppression list": int(suppressed)}),
        looked_at,
        left,
        notes(deployed, plan, before, delete_audiences=delete_audiences),
    )


def counts(plan: Plan, objects: Iterable[Object]) -> dict[str, int]:
    """Kind -> number of object versions, or of things outside the buckets."""
    number = Counter(found.category.kind for found in objects)
    number["ledger items"] += len(plan.ledger_items)
    number["unfinished uploads"] += plan.uploads
    number["transcription jobs"] += len(plan.transcription_jobs)
    return {kind: count for kind, count in number.items() if count}


def notes(deployed: Deployed, plan: Plan, before: Iterable[AtWork], *, delete_audiences: bool) -> list[str]:
    """Sentences about what can't be deleted or remains to be done; `before` was at work when the removal began."""
    known, remarks = plan.known, []
    user_id = known.traces.user_id
    if reason := fault(user_id):
        remarks.append(f"{user_id!r} {reason}: it can't be on the suppression list, nor, for that reason, in a seed.")
    for execution in before:
        end = f"at {execution.until.astimezone():%H:%M:%S}" if execution.until else "when it has ended"
        remarks.append(
            f"{execution.arn}, or one of its functions, was running and may have read the records before the removal; "
            f"forget again {end} to be sure."
        )
    if known.unplanned:
        remarks.append(
            f"{len(known.unplanned)} versions of recordings were in no plan: their upload may still start an "
            "execution, whose rejections name them. Forget again when it has ended."
        )
    if plan.entity_detection_jobs:
        remarks.append(
            "Comprehend Medical stores the metadata of these jobs until they expire; they name a folder, no patient: "
            f"{', '.join(plan.entity_detection_jobs)}."
        )
    if plan.ledger_items:
        remarks.append(
            f"The ledger {deployed.ledger} can be restored to any time of the last 35 days, with the ids of the "
            "patient's recordings, which name nobody. Forget again after a restore."
        )
    if known.executions:
        remarks.append(
            "Step Functions stores the inputs of these executions, with the recordings' keys, until 90 days after "
            f"their end: {', '.join(sorted(known.executions))}. Starting one again, or a redrive, writes rejections "
            "that name the recordings; forget again after that."
        )
    held = [audience for audience in plan.audiences if audience.held_them]
    if held and not delete_audiences:
        remarks.append(
            "These audiences were generated from a seed that held the patient, or another patient who was forgotten; "
            f"--audiences deletes them: {', '.join(audience.arn for audience in held)}."
        )
    if unsure := [audience.arn for audience in plan.audiences if not audience.held_them]:
        remarks.append(f"These audiences may hold the patient; their seeds have expired: {', '.join(unsure)}.")
    if plan.audiences:
        remarks.append("Exported audiences are in the bucket of the model's owner; ask the owner to delete them.")
    remarks.append(
        "S3 delivers access logs hours late, with the keys of the deleted objects: forget again tomorrow. Messages in "
        f"the queues of {deployed.prefix} expire by themselves, dead letters within 14 days. The user id stays on the "
        "suppression list, so that no later seed has it."
    )
    return remarks
