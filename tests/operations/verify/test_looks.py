"""Faults that no rehearsal meets: all share one, and what it has left is looked at again with each of them."""

from collections.abc import Callable
from typing import Any

import pytest

from local.pipeline import Pipeline
from operations.deployed import Deployed
from operations.environments import environment_of
from operations.verify import preflight, rehearsal
from operations.verify.account import Account
from operations.verify.checks import Check, Finding, Verdict, finding
from operations.verify.observed import Observed
from operations.verify.verification import CHECKS
from tests.operations.verify.conftest import PATIENCE_SECONDS, points, seen
from tests.operations.verify.faults import FAULTS, MET_BY_LOOKS_ONLY

Look = Callable[[], list[Finding]]


@pytest.fixture(scope="module")
def look(deployed: Deployed) -> Look:
    """look(): every finding of a verification but that of forgetting, after which there would be nothing to look at."""
    account = Account(deployed.connection, environment_of("local"))
    observed = rehearsal.nothing_yet(deployed, account.environment)
    rehearsal.rehearse(observed, PATIENCE_SECONDS, lambda step: None)

    def subject_of(check: Check[Any]) -> Account | Observed:
        return account if check in preflight.CHECKS else observed

    return lambda: [finding(check, subject_of(check)) for check in CHECKS if check.point != "forgotten"]


def test_without_a_fault_nothing_is_refuted(look: Look) -> None:
    found = look()
    assert points(found, Verdict.REFUTED) == set(), seen(found)


@pytest.mark.parametrize("point", MET_BY_LOOKS_ONLY)
def test_a_fault_refutes_its_point_and_no_other(point: str, pipeline: Pipeline, look: Look) -> None:
    with FAULTS[point](pipeline):
        found = look()
    assert points(found, Verdict.REFUTED) == {point}, seen(found)
    assert not [told for told in seen(found) if "The check itself failed" in told]
