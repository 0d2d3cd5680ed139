"""A user id that nothing names is most likely mistyped: it is refused, and is put on no list."""

from lambdas.shared.user_ids import outline
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting import proof
from operations.forgetting.forget import Plan, Report
from operations.forgetting.suppression import list_uri

_MOST_SUGGESTED = 3


def refuse_unknown(deployed: Deployed, plan: Plan, report: Report) -> None:
    """Look whether the patient was ever there; of one who was forgotten, the suppression list tells.

    Raises:
        OperationError: they weren't; nothing was changed.
    """
    traces = plan.known.traces
    if plan.is_suppressed or plan.whole or plan.parts or plan.uploads or plan.transcription_jobs or traces.ids:
        return
    # Only the proof looks into files that we don't know.
    left, _ = proof.leftovers(deployed, plan.known, lambda number: report("Looking everywhere", number))
    if left:
        return
    similar = [other for other in plan.known.others if outline(other) == outline(traces.user_id)]
    suggested = f" Did you mean {' or '.join(sorted(similar)[:_MOST_SUGGESTED])}?" if similar else ""
    raise OperationError(
        f"Nothing in {deployed.prefix} names the user id {traces.user_id}, so nothing was changed.{suggested} To keep "
        "somebody out of audiences who has no recording yet, write a line with their user id to "
        f"{list_uri(deployed)} yourself."
    )
