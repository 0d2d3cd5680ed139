"""Forgets patients from end to end: survey, refuse, suppress, remove, search everything, remove what was found."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from lambdas.shared.user_ids import canonical
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting import at_work, audiences, jobs, ledger, removal, suppression, survey
from operations.forgetting.at_work import AtWork
from operations.forgetting.audiences import Audience
from operations.forgetting.compactions import wait_for_compactions
from operations.forgetting.found import Removed, Report, search_and_remove
from operations.forgetting.known import Known, read_known
from operations.forgetting.ledger import LedgerItem
from operations.forgetting.survey import Object

# Kinds that are counted but aren't objects of a bucket.
NO_OBJECTS = ("ledger items", "unfinished uploads", "transcription jobs", "audiences")


class Plan(NamedTuple):
    """What will be removed: `whole` objects are one patient's alone, `parts` name other patients too.

    `namings` are the items that led to the rest, and are deleted after it. `suppressed` are the patients who are on the
    suppression list already, `unknown` those of whom nothing is known.
    """

    known: Known
    whole: list[Object]
    parts: list[Object]
    ledger_items: list[LedgerItem]
    namings: list[LedgerItem]
    uploads: int
    transcription_jobs: list[dict[str, Any]]
    audiences: list[Audience]
    entity_detection_jobs: list[str]
    suppressed: frozenset[str]
    unknown: frozenset[str]


class Outcome(NamedTuple):
    """`removed` and `rewritten` count by kind; `left` lists where something still names a patient.

    `before` was at work when the removal began.
    """

    removed: dict[str, int]
    rewritten: dict[str, int]
    looked_at: int
    left: list[str]
    before: list[AtWork]


def plan_removal(
    deployed: Deployed, user_ids: Iterable[str], report: Report, say: Callable[[str], None], *, dry_run: bool = False
) -> Plan:
    """Find what the patients' ids and executions lead to; nothing is changed.

    If an ended execution may have left a running function behind, wait for its end; `say` is called with the reason.
    A dry run doesn't wait.

    Raises:
        OperationError: an execution or job still works with the patients' recordings, a user id is invalid, or the
            suppression list can't be read.
        botocore.exceptions.ClientError: a permission is missing.
    """
    wanted = frozenset(map(checked, user_ids))
    suppressed = suppression.suppressed(deployed, wanted)
    if dry_run:
        at_work.refuse_running_executions(deployed, wanted)
    else:
        at_work.wait_for_functions(deployed, wanted, say)
    known = read_known(deployed, wanted, lambda number: report("Reading keys and plans", number))
    findings = survey.survey(deployed, known, lambda number: report("Looking for what names them", number))
    transcriptions = jobs.transcription_jobs(deployed, known)
    jobs.refuse_running_jobs(deployed, transcriptions, findings)
    uploads = removal.unfinished_uploads(deployed, wanted)
    uploading = {canonical(upload["Key"].split("/")[1]) for upload in uploads}
    return Plan(
        known,
        findings.whole + removal.seed_pointers(deployed, findings),
        findings.parts,
        ledger.items_of(deployed, wanted, known.object_ids, known.transcript_ids),
        [
            *known.namings,
            *(found.item for found in ledger.analysed(deployed, known.object_ids)),
        ],
        len(uploads),
        transcriptions,
        audiences.audiences(deployed, findings),
        jobs.entity_detection_jobs(deployed, known),
        suppressed,
        wanted - suppressed - known.seen - uploading,
    )


def forget(deployed: Deployed, plan: Plan, report: Report, *, delete_audiences: bool) -> Outcome:
    """Remove what is planned, and prove that nothing is left. It may be interrupted at any time, and repeated.

    A search of everything, by a state machine in the account, follows the removal. What it finds is removed too, and
    searched for again: the last search is the proof.

    Raises:
        OperationError: something changed meanwhile, or can't be deleted, or a search failed; forget again.
        botocore.exceptions.ClientError: a permission is missing.
    """
    known, traces = plan.known, plan.known.traces
    before = at_work.executions_at_work(deployed)
    for execution, patients in at_work.holding(deployed, before, traces.user_ids):
        raise OperationError(
            f"The execution {execution.name}, which holds recordings of {patients}, was started or stopped meanwhile. "
            "Nothing is removed yet; forget again."
        )
    newly_suppressed = sum(suppression.suppress(deployed, user_id) for user_id in sorted(traces.user_ids))

    def removing(number: int) -> None:
        report("Removing", number)

    ledger.delete_items(deployed, plan.ledger_items)
    wait_for_compactions(deployed, lambda number: report("Waiting for compactions", number))
    removal.remove_whole(deployed, plan.whole, removing)
    removal.abort_uploads(deployed, traces.user_ids)
    jobs.delete_transcription_jobs(deployed, plan.transcription_jobs)
    held = [audience for audience in plan.audiences if audience.held_them]
    if delete_audiences:
        # Before the seeds, because afterwards only their metadata has a mark.
        audiences.delete_audiences(deployed, held)
    done = [Removed(plan.whole, []), Removed(*removal.remove_parts(deployed, traces, plan.parts, removing))]
    # Once more, because a rebuild of the cohorts that read records before their removal gives items back.
    again = ledger.items_of(deployed, traces.user_ids, known.object_ids, known.transcript_ids)
    ledger.delete_items(deployed, [*again, *plan.namings])
    found = search_and_remove(deployed, traces, report, done)
    deleted = [one for removed in done for one in removed.deleted]
    number = counts(plan, deleted, sum(removed.items for removed in done))
    return Outcome(
        number | ({"audiences": len(held)} if delete_audiences and held else {}),
        Counter(one.category.kind for removed in done for one in removed.rewritten)
        | Counter({"suppression list": newly_suppressed}),
        found.looked_at,
        found.described,
        before,
    )


def checked(given: str) -> str:
    """The user id in its canonical spelling. Raises OperationError if this is no user id."""
    user_id = canonical(given)
    if not user_id or "/" in user_id:
        raise OperationError(f"{given!r} is no user id; give the segment after media/ in a recording's key.")
    return user_id


def counts(plan: Plan, objects: Iterable[Object], more_items: int = 0) -> dict[str, int]:
    """Kind -> number of object versions, or of things outside the buckets."""
    number = Counter(found.category.kind for found in objects)
    number["ledger items"] += len(plan.ledger_items) + len(plan.namings) + more_items
    number["unfinished uploads"] += plan.uploads
    number["transcription jobs"] += len(plan.transcription_jobs)
    return {kind: count for kind, count in number.items() if count}
