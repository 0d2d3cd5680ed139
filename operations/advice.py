"""Which button to press when an execution failed: the table of docs/reruns.md, by the error's name."""

from operations.executions import Execution

_REPAIR = "Repair what the cause names, then: redrive {name}."
_BY_ERROR = {
    "InvalidInput": "Start a new execution with the right input; a redrive would fail again with the same words.",
    "JobFailed": "Repair what the reason names (a permission, a key, the service), then: redrive {name}. The next "
    "attempt of the job starts.",
    "JobDeadlineExceeded": "Look at the service's job; redrive {name} watches it for another deadline.",
    "CostCeilingExceeded": "Raise entity_detection.cost_ceiling_usd in cdk.json and deploy, then: redrive {name}. The "
    "transcripts are there already.",
    "TakenOver": "Another execution has gone on with these recordings: redrive that one if it failed, else: again "
    "{name}.",
    "IncompleteOutput": 'What an earlier step wrote has expired: start a new execution with "reprocess": true, which '
    "pays for everything again.",
    "ThrottlingException": "When the outage is over: redrive {name}, as often as you like.",
    "LimitExceededException": "When the quota is free again: redrive {name}, as often as you like.",
    "TooManyRequestsException": "When the quota is free again: redrive {name}, as often as you like.",
    "ServiceQuotaExceededException": "When the quota is free again: redrive {name}, as often as you like.",
}


def advice(execution: Execution) -> str | None:
    """What to press, None for an execution that didn't end badly."""
    if not execution.failures:
        return None
    if execution.status in ("TIMED_OUT", "ABORTED"):
        told = "redrive {name}: it goes on where it was, and running jobs are found again."
    else:
        told = _BY_ERROR.get(execution.failures[0].error, _REPAIR)
    if not execution.redrivable and "redrive {name}" in told:
        told = "Repair what the cause names, then: again {name}, a new execution with the same input; what is finished "
        told += "is reused. A redrive is no longer possible."
    return told.format(name=execution.name)
