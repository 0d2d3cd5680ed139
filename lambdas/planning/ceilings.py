"""The ceilings on the cost of a batch and of a day, checked against the estimate before the batch's first job.

A batch above its ceiling is stopped or cut, as the environment chooses. No batch may cost more than a whole day, so the
lower of the two ceilings counts. A batch that the day has too little money left for waits: its PlanBatch is retried.

PlanBatch estimates after it has claimed, because the claims decide which recordings cost anything: those that another
execution works on do not. So an execution that must wait or is cut has claimed recordings that it doesn't work on. It
lets go of them by a higher number of its planning, which makes the claims of the lower number free; there is nothing
that a crash could leave behind, because an ended execution's claims are free anyway. A waiting execution stores the
cents that it needs, so its next attempts read two items instead of planning again, until the day has that much left.

Waiting executions have no order: whichever is retried first gets what is left, and a small batch may pass a large one.
"""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lambdas.planning.costs import ExpectedCost, expected_cost, together
from lambdas.planning.recordings import Recording
from lambdas.shared.claim_items import let_go, read_execution_item
from lambdas.shared.errors import CostCeilingExceeded, DayCeilingReached
from lambdas.shared.observability import metrics
from lambdas.shared.pricing import cents
from lambdas.shared.spending_items import left_cents, reserve, today
from lambdas.shared.uris import extension_of


class Ceiling(NamedTuple):
    """The most that a batch may cost, in USD, and the setting that says so."""

    usd: float
    setting: str


def cost_of(recording: Recording) -> ExpectedCost:
    return expected_cost(extension_of(recording.uri), recording.size)


def batch_ceiling() -> Ceiling:
    own, day = Ceiling(float(os.environ["BATCH_CEILING_USD"]), "costs.batch_ceiling_usd"), day_ceiling()
    return own if day is None or own.usd <= day else Ceiling(day, "costs.day_ceiling_usd")


def day_ceiling() -> float | None:
    usd = os.environ["DAY_CEILING_USD"]
    return float(usd) if usd else None


def cut(recordings: Sequence[Recording]) -> Mapping[str, str]:
    """The media ids of the recordings that are above the batch's ceiling, with the reasons to reject them.

    First each recording that alone is above the ceiling is left out. The others are taken in the order of their uploads
    until the next one would exceed the ceiling.

    Raises:
        CostCeilingExceeded: there are such recordings, and the environment stops batches instead of cutting them.
    """
    ceiling = batch_ceiling()
    costs = {recording.media_id: cost_of(recording) for recording in recordings}
    whole = together(costs.values())
    if cents(whole.estimate.total) <= cents(ceiling.usd):
        return {}
    if os.environ["ABOVE_BATCH_CEILING"] == "stop":
        metrics.add_metric("CostCeilingExceeded", "Count", 1)
        raise CostCeilingExceeded(
            f"The {len(recordings)} recordings to transcribe would cost about {whole.estimate.total:.2f} USD, at most "
            f"{whole.bound.total:.2f} USD; {ceiling.setting} is {ceiling.usd:.2f}. Nothing was started or spent. Raise "
            "it in cdk.json, deploy and redrive, or start smaller batches."
        )
    left_out: dict[str, str] = {}
    spent, full = 0.0, False
    for recording in sorted(recordings, key=lambda recording: (recording.uploaded_at or "", recording.uri)):
        usd = costs[recording.media_id].estimate.total
        if cents(usd) > cents(ceiling.usd):
            left_out[recording.media_id] = (
                f"Alone it would cost about {usd:.2f} USD; {ceiling.setting} is {ceiling.usd:.2f}. Nothing was spent "
                "on it. Raise the setting in cdk.json, deploy, and start again with this recording; or split the file."
            )
        elif full or cents(spent + usd) > cents(ceiling.usd):
            full = True
            left_out[recording.media_id] = (
                f"The batch would cost about {whole.estimate.total:.2f} USD; {ceiling.setting} is {ceiling.usd:.2f}, "
                "and earlier uploads took it. Nothing was spent on this recording. Start again with it, in a batch of "
                "its own or when the setting is raised."
            )
        else:
            spent += usd
    return left_out


def check_waiting(execution: str) -> None:
    """Let an execution that waits for money wait on, as long as the day has too little, before it plans again.

    Raises:
        DayCeilingReached: the day still has too little money left.
    """
    ceiling, wanted = day_ceiling(), read_execution_item(execution).waits_for_cents
    if ceiling is not None and wanted and wanted > (left := left_cents(today(), execution, cents(ceiling))):
        raise _reached(wanted, left, ceiling)


def reserve_for_day(execution: str, planning: int, estimated_usd: float) -> str | None:
    """Reserve the estimate; return the day on which it counts, or None if there is nothing to reserve.

    Raises:
        DayCeilingReached: the day has too little money left; the execution has let go of its claims.
        RuntimeError: a later attempt has begun.
    """
    ceiling, wanted = day_ceiling(), cents(estimated_usd)
    if ceiling is None or wanted == 0:
        return None
    day = today()
    left = reserve(execution, planning, day, wanted, cents(ceiling))
    if left is not None:
        let_go(execution, planning, wanted)
        raise _reached(wanted, left, ceiling)
    return day


def _reached(wanted: int, left: int, ceiling: float) -> DayCeilingReached:
    metrics.add_metric("DayCeilingReached", "Count", 1)
    return DayCeilingReached(
        f"The batch would cost about {wanted / 100:.2f} USD; of today's {ceiling:.2f} USD (costs.day_ceiling_usd, UTC) "
        f"{max(left, 0) / 100:.2f} are left. Nothing was started or spent. It goes on by itself when a day has enough "
        "left, or after you raise the setting in cdk.json and deploy."
    )
