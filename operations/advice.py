"""How to repair an execution that failed: the table of docs/reruns.md, by the error's name."""

from operations.executions import Execution

_REPAIR = "Repair what the cause names, then: {redrive}."
_OUTAGE = "When the outage is over: {redrive}, as often as you like."
_QUOTA = "When the quota is free again: {redrive}, as often as you like."
_FUNCTION_ENDED = "{redrive}. If the function ends so again, give it more time or memory (infra/functions.py), deploy, "
_FUNCTION_ENDED += "and then: {redrive}."
_DEFINITION = "Report this: the definition is wrong. When a corrected one is deployed: {again}, which uses it."
_BY_ERROR = {
    "InvalidInput": "Start a new execution with the right input; this one would fail again in the same way.",
    "JobFailed": "Repair what the reason names (a permission, a key, the service), then: {redrive}. The next "
    "attempt of the job starts.",
    "JobDeadlineExceeded": "Look at the service's job; {redrive} watches it for another deadline.",
    "CostCeilingExceeded": "Raise the ceiling that the cause names (costs in cdk.json) and deploy, then: {redrive}. "
    "Transcripts that are there cost nothing again.",
    "DayCeilingReached": "Raise costs.day_ceiling_usd in cdk.json and deploy, or wait for a day with enough left. Then "
    "{redrive}, as often as you like.",
    "IncompleteOutput": 'The outputs of an earlier step have expired: start a new execution with "reprocess": true, '
    "which pays for everything again.",
    "InvalidSuppressionList": "Repair the lines of the suppression list that the cause names, then: {redrive}.",
    "ThrottlingException": _OUTAGE,
    "Lambda.SdkClientException": _OUTAGE,
    "Lambda.ServiceException": _OUTAGE,
    "LimitExceededException": _QUOTA,
    "TooManyRequestsException": _QUOTA,
    "ServiceQuotaExceededException": _QUOTA,
    "Lambda.TooManyRequestsException": _QUOTA,
    "Lambda.Unknown": _FUNCTION_ENDED,
    "Runtime.ExitError": _FUNCTION_ENDED,
    "Sandbox.Timedout": _FUNCTION_ENDED,
    "Runtime.ImportModuleError": "Deploy functions that can be loaded, then: {redrive}, which runs the new ones.",
    "States.ExceedToleratedFailureThreshold": "Open the Map Run: its failed children give the reasons. Repair them, "
    "then: {redrive}.",
    "States.DataLimitExceeded": _DEFINITION,
    "States.ParameterPathFailure": _DEFINITION,
    "States.ResultPathMatchFailure": _DEFINITION,
    "States.Runtime": _DEFINITION,
}


def advice(execution: Execution, redrive: str | None = None, again: str | None = None) -> str | None:
    """How to repair the execution; None if it didn't end badly.

    `redrive` and `again` are the names of the two actions where the text is shown; by default, the commands.
    """
    if not execution.failures:
        return None
    if execution.status in ("TIMED_OUT", "ABORTED"):
        text = "{redrive}: it goes on where it was, and running jobs are found again."
    else:
        text = _BY_ERROR.get(execution.failures[0].error, _REPAIR)
    if not execution.redrivable and "{redrive}" in text:
        text = "Repair what the cause names, then: {again}, a new execution with the same input, which reuses finished "
        text += "work. A redrive is no longer possible."
    return text.format(redrive=redrive or f"redrive {execution.name}", again=again or f"again {execution.name}")
