"""Refuses user ids that nothing names: they are most likely mistyped, and must not get onto the suppression list."""

from collections.abc import Iterable

from lambdas.searching.traces import Traces
from lambdas.shared.user_ids import outline
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting import ledger
from operations.forgetting.forget import Plan
from operations.forgetting.found import Report
from operations.forgetting.searching import search
from operations.forgetting.suppression import list_uri

_MOST_SUGGESTED = 3


def refuse_unknown(deployed: Deployed, plan: Plan, report: Report) -> None:
    """Check that the environment has data of each patient, or the suppression list has them from an earlier removal.

    Raises:
        OperationError: neither is the case for one of them; nothing was changed.
    """
    for user_id in sorted(plan.unknown):
        # Without recordings and executions they may still be named somewhere.
        traces = Traces([user_id], others=plan.known.others)
        found = search(deployed, traces, "stored", lambda number: report("Looking everywhere", number))
        if found.versions or found.items:
            continue
        raise OperationError(
            f"Nothing in {deployed.prefix} names the user id {user_id}, so nothing was changed."
            f"{_suggested(deployed, user_id, plan.known.others)} To keep a patient without recordings out of "
            f"audiences, write a line with their user id to {list_uri(deployed)}."
        )


def _suggested(deployed: Deployed, user_id: str, others: Iterable[str]) -> str:
    """A sentence with the user ids that may be meant; empty if there is none."""
    similar = {other for other in others if outline(other) == outline(user_id)} | ledger.alike(deployed, user_id)
    return f" Did you mean {' or '.join(sorted(similar)[:_MOST_SUGGESTED])}?" if similar else ""
