"""Sentences about what forgetting can't delete, and what remains to be done."""

from collections.abc import Iterable

from lambdas.shared.user_ids import fault
from operations.deployed import Deployed
from operations.forgetting.at_work import AtWork
from operations.forgetting.forget import Plan


def remarks(deployed: Deployed, plan: Plan, before: Iterable[AtWork], *, delete_audiences: bool) -> list[str]:
    """The sentences; `before` was at work when the removal began."""
    known, sentences = plan.known, []
    for user_id in sorted(known.traces.user_ids):
        if reason := fault(user_id):
            sentences.append(
                f"{user_id!r} {reason}: it can't be on the suppression list, nor, for that reason, in a seed."
            )
    for execution in before:
        end = f"at {execution.until.astimezone():%H:%M:%S}" if execution.until else "when it has ended"
        sentences.append(
            f"{execution.arn}, or one of its functions, was running and may have read the records before the removal; "
            f"forget again {end} to be sure."
        )
    if known.unplanned:
        sentences.append(
            f"{len(known.unplanned)} versions of recordings were in no plan: their upload may still start an "
            "execution, whose rejections name them. Forget again when it has ended."
        )
    if plan.entity_detection_jobs:
        sentences.append(
            "Comprehend Medical stores the metadata of these jobs until they expire; they name a folder, no patient: "
            f"{', '.join(plan.entity_detection_jobs)}."
        )
    if plan.ledger_items:
        sentences.append(
            f"The ledger {deployed.ledger} can be restored to any time of the last 35 days, with the ids of the "
            "patient's recordings, which name nobody. Forget again after a restore."
        )
    if known.executions:
        sentences.append(
            "Step Functions stores the inputs of these executions, with the recordings' keys, until 90 days after "
            f"their end: {', '.join(sorted(known.executions))}. Starting one again, or a redrive, writes rejections "
            "that name the recordings; forget again after that."
        )
    held = [audience for audience in plan.audiences if audience.held_them]
    if held and not delete_audiences:
        sentences.append(
            "These audiences were generated from a seed that held the patient, or another patient who was forgotten; "
            f"--audiences deletes them: {', '.join(audience.arn for audience in held)}."
        )
    if unsure := [audience.arn for audience in plan.audiences if not audience.held_them]:
        sentences.append(f"These audiences may hold the patient; their seeds have expired: {', '.join(unsure)}.")
    if plan.audiences:
        sentences.append("Exported audiences are in the bucket of the model's owner; ask the owner to delete them.")
    sentences.append(
        "S3 delivers access logs hours late, with the keys of the deleted objects: forget again tomorrow. Messages in "
        f"the queues of {deployed.prefix} expire by themselves, dead letters within 14 days. The user id stays on the "
        "suppression list, so that no later seed has it."
    )
    return sentences
