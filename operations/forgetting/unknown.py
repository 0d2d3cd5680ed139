"""Refuses a user id that nothing names: it is most likely mistyped, and must not get onto the suppression list."""

from lambdas.shared.user_ids import outline
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting import proof
from operations.forgetting.forget import Plan, Report
from operations.forgetting.suppression import list_uri

_MOST_SUGGESTED = 3


def refuse_unknown(deployed: Deployed, plan: Plan, report: Report) -> None:
    """Check that the environment has data of the patient, or the suppression list has them from an earlier removal.

    Raises:
        OperationError: neither is the case; nothing was changed.
    """
    traces = plan.known.traces
    if plan.is_suppressed or plan.whole or plan.parts or plan.uploads or plan.transcription_jobs or traces.ids:
        return
    # The proof also searches unknown files.
    left, _ = proof.leftovers(deployed, plan.known, lambda number: report("Looking everywhere", number))
    if left:
        return
    similar = [other for other in plan.known.others if outline(other) == outline(traces.user_id)]
    suggested = f" Did you mean {' or '.join(sorted(similar)[:_MOST_SUGGESTED])}?" if similar else ""
    raise OperationError(
        f"Nothing in {deployed.prefix} names the user id {traces.user_id}, so nothing was changed.{suggested} To keep "
        f"a patient without recordings out of audiences, write a line with their user id to {list_uri(deployed)}."
    )
