"""Batches above a ceiling; tests/lambdas/test_plan_batch.py has the waiting for the money of a day."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.planning import ceilings
from lambdas.planning.ceilings import Ceiling, batch_ceiling, cost_of, cut
from lambdas.planning.recordings import Recording
from lambdas.shared.errors import CostCeilingExceeded
from lambdas.shared.observability import metrics
from lambdas.shared.pricing import cents

# At the usual bit rate of WAV, and so 4.95 USD.
VISIT = 1800 * 64_000


def recording(name: str, size: int = VISIT, uploaded_at: str = "2026-11-27T08:00:00+00:00") -> Recording:
    return Recording(f"s3://b/media/p-1/{name}.wav", "p-1", f"o-{name}", f"m-{name}", size, uploaded_at)


def ceiling(monkeypatch: pytest.MonkeyPatch, batch: str, day: str = "", above: str = "cut") -> None:
    for name, value in {"BATCH_CEILING_USD": batch, "DAY_CEILING_USD": day, "ABOVE_BATCH_CEILING": above}.items():
        monkeypatch.setenv(name, value)


def test_a_batch_within_its_ceiling_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    ceiling(monkeypatch, "9.90", above="stop")
    assert cut([recording("a"), recording("b")]) == {}
    assert cut([]) == {}


def test_a_batch_above_its_ceiling_is_stopped_with_estimate_bound_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Any] = []
    monkeypatch.setattr(metrics, "add_metric", lambda *metric: counted.append(metric))
    ceiling(monkeypatch, "9.89", above="stop")
    with pytest.raises(CostCeilingExceeded) as stopped:
        cut([recording("a"), recording("b")])
    assert str(stopped.value) == (
        "The 2 recordings to transcribe would cost about 9.90 USD, at most 122.40 USD; costs.batch_ceiling_usd is "
        "9.89. Nothing was started or spent. Raise it in cdk.json, deploy and redrive, or start smaller batches."
    )
    assert counted == [("CostCeilingExceeded", "Count", 1)]


def test_a_batch_that_no_day_could_pay_is_above_its_ceiling_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ceiling(monkeypatch, "100", day="5", above="stop")
    with pytest.raises(CostCeilingExceeded, match=r"costs\.day_ceiling_usd is 5\.00"):
        cut([recording("a"), recording("b")])
    ceiling(monkeypatch, "5", day="100")
    assert batch_ceiling() == Ceiling(5, "costs.batch_ceiling_usd")


def test_the_earliest_uploads_that_fit_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    ceiling(monkeypatch, "10")
    late, early = recording("a", uploaded_at="2026-11-27T09:00:00+00:00"), recording("b")
    reasons = cut([late, early, recording("c"), recording("d", 64_000)])
    # The last one is short and would fit, but its turn would come after one that doesn't.
    assert list(reasons) == ["m-a"]
    assert reasons["m-a"] == (
        "The batch would cost about 14.88 USD; costs.batch_ceiling_usd is 10.00, and earlier uploads took it. Nothing "
        "was spent on this recording. Start again with it, in a batch of its own or when the setting is raised."
    )


def test_after_the_first_that_does_not_fit_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    ceiling(monkeypatch, "5.5")
    reasons = cut([recording("a"), recording("b"), recording("c", 64_000)])
    assert list(reasons) == ["m-b", "m-c"]


def test_a_recording_that_alone_is_above_the_ceiling_keeps_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ceiling(monkeypatch, "5")
    reasons = cut([recording("a", 2 * VISIT, "2026-01-01T00:00:00+00:00"), recording("b")])
    assert list(reasons) == ["m-a"]
    assert reasons["m-a"].startswith("Alone it would cost about 9.90 USD; costs.batch_ceiling_usd is 5.00. Nothing was")
    assert cut([recording("a", 2 * VISIT)]).keys() == {"m-a"}


@settings(max_examples=50)
@given(st.lists(st.integers(0, 4 * VISIT), max_size=8), st.integers(0, 4_000))
def test_what_is_left_fits_and_nothing_is_left_out_without_need(sizes: list[int], limit: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        ceiling(monkeypatch, f"{limit / 100:.2f}")
        recordings = [recording(str(number), size) for number, size in enumerate(sizes)]
        reasons = cut(recordings)
    costs = {item.media_id: cost_of(item).estimate.total for item in recordings}
    kept = [usd for media_id, usd in costs.items() if media_id not in reasons]
    assert cents(sum(kept)) <= limit
    fitting = {media_id: usd for media_id, usd in costs.items() if cents(usd) <= limit}
    if missing := [usd for media_id, usd in fitting.items() if media_id in reasons]:
        assert cents(sum(kept) + missing[0]) > limit


@pytest.mark.parametrize(("usd", "whole"), [(0, 0), (0.02875, 3), (0.1 + 0.2, 30), (4.95, 495), (4.9501, 496)])
def test_cents_are_rounded_up(usd: float, whole: int) -> None:
    assert cents(usd) == whole


def test_no_ceiling_for_a_day_reserves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ceiling(monkeypatch, "100")
    monkeypatch.delenv("LEDGER_TABLE")
    assert ceilings.reserve_for_day("e-1", 0, 50.0) is None
