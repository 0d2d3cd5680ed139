"""Checks of the rehearsal's executions: events, the functions' start, the Map's children, redrive and rerun.

Source: Step Functions API reference (ListMapRuns, ListExecutions by mapRunArn, RedriveExecution).
"""

from lambdas.shared.stages import TRANSCRIPTION, is_run_of
from operations.verify.checks import SEND, Check, Seen, holds, not_seen, refuted, shortened
from operations.verify.observed import Observed

_MAP = str(TRANSCRIPTION.state)


def _events(observed: Observed) -> Seen:
    if "events" not in observed.trouble:
        started = ", ".join(execution.arn for execution in observed.batches)
        return holds(f"the drop has started {started}") if started else observed.never("its end")
    sqs = observed.client("sqs")
    counts = []
    for name in ("IngestQueueUrl", "IngestDeadLetterQueueUrl"):
        attributes = sqs.get_queue_attributes(
            QueueUrl=observed.deployed.outputs[name],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        counts.append(f"{name}: {', '.join(f'{key} {value}' for key, value in sorted(attributes.items()))}")
    return refuted(f"{observed.trouble['events']} {'; '.join(counts)}")


def _functions(observed: Observed) -> Seen:
    if failure := observed.failure_in("PlanBatch"):
        return refuted(shortened(failure))
    if observed.worked and any(stage.ended_at for stage in observed.worked.stages):
        return holds(f"PlanBatch has run in {observed.worked.name}")
    return observed.never("PlanBatch")


def _map_children(observed: Observed) -> Seen:
    if observed.worked is None:
        return observed.never(_MAP)
    stepfunctions = observed.client("stepfunctions")
    runs = stepfunctions.list_map_runs(executionArn=observed.worked.arn)["mapRuns"]
    for run in (run for run in runs if is_run_of(run["mapRunArn"], _MAP)):
        children = stepfunctions.list_executions(mapRunArn=run["mapRunArn"])["executions"]
        if children:
            return holds(f"{children[0]['executionArn']} is {children[0]['status']}")
    if failure := observed.failure_in(_MAP):
        return refuted(shortened(failure))
    return observed.never(_MAP)


def _redrive(observed: Observed) -> Seen:
    if not observed.redriven or observed.worked is None:
        why = observed.trouble.get("redrive")
        return refuted(why) if why and "can't be redriven" in why else not_seen(why or "Nothing was stopped.")
    jobs, worked = observed.jobs.transcriptions, observed.worked
    evidence = (
        f"{worked.arn} was stopped, redriven {worked.redrives} times and is {worked.status}; "
        f"transcription jobs: {', '.join(jobs) or 'none'}"
    )
    if not observed.succeeded:
        return not_seen(evidence)
    return holds(evidence) if len(jobs) == 1 else refuted(evidence)


def _repeat(observed: Observed) -> Seen:
    if observed.repeated is None:
        return observed.never("an end after which it could be started again")
    evidence = f"{observed.repeated.arn}: {observed.repeated.status}, {observed.repeated.counts}"
    if observed.jobs_after != observed.jobs:
        return refuted(f"{evidence}; jobs before {observed.jobs}, after {observed.jobs_after}")
    counts = observed.repeated.counts
    return holds(evidence) if counts.get("reused") and not counts.get("transcribed") else refuted(evidence)


def _foreign_bucket(observed: Observed) -> Seen:
    if observed.foreign is None:
        return observed.never("an input that names another bucket")
    foreign = observed.foreign
    if any(stage.ended_at for stage in foreign.stages):
        return refuted(f"{foreign.arn} has planned the recording and is {foreign.status}")
    failure = next(iter(foreign.failures), None)
    if failure and failure.error == "InvalidInput":
        return holds(f"{foreign.arn} has failed with InvalidInput")
    return not_seen(f"{foreign.arn} is {foreign.status}{f': {shortened(failure)}' if failure else ''}")


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "events",
        "A dropped recording starts an execution: S3, EventBridge, the encrypted queue and the function pass it on.",
        SEND + "Look at the two queues and at the rule's FailedInvocations (docs/runbook.md); start batches by hand.",
        _events,
    ),
    Check(
        "functions",
        "The functions start with the runtime's SDK and the service models in their zip.",
        SEND + "Look at the log of plan_batch.",
        _functions,
    ),
    Check(
        "map-children",
        "The Map's child executions start with the state machine's role and key.",
        SEND
        + "Compare aws:SourceArn in the trust of the state machine's role with what CloudTrail shows of AssumeRole.",
        _map_children,
    ),
    Check(
        "redrive",
        "A redriven execution goes on, with the job that it had started before it was stopped.",
        SEND + "Until then, start a new execution instead of redriving (docs/reruns.md).",
        _redrive,
    ),
    Check(
        "rerun",
        "A new execution with the same input pays for nothing again.",
        SEND + "Until then, don't start a finished batch again.",
        _repeat,
    ),
    Check(
        "foreign-bucket",
        "An input that names another bucket is refused before anything is read.",
        "Stop using this environment and send us this report: an input can reach other data.",
        _foreign_bucket,
    ),
)
