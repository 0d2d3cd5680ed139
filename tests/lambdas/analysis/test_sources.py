import pytest

from lambdas.analysis.sources import month_of


@pytest.mark.parametrize(
    ("uploaded_at", "month"),
    [
        ("2026-01-02T03:04:05+00:00", "2026-01"),
        ("2026-01-31T23:30:00-02:00", "2026-02"),
        ("2026-02-01T00:30:00+02:00", "2026-01"),
    ],
)
def test_a_month_is_that_of_utc(uploaded_at: str, month: str) -> None:
    assert month_of(uploaded_at) == month
