"""Each fault refutes its point and no other, so every check can fail.

The faults that a rehearsal meets are here, each with a verification of its own; test_looks.py has the others.
"""

from contextlib import ExitStack

import pytest

from local.pipeline import Pipeline
from operations.verify import preflight
from operations.verify.checks import Verdict
from operations.verify.verification import POINTS
from tests.operations.verify.conftest import Verify, points, seen
from tests.operations.verify.faults import FAULTS, MET_BY_LOOKS_ONLY

# Other tests cover the Region, which is the session's, and TLS, which the local AWS lacks.
ELSEWHERE = {"region", "plain-http"}


def test_every_point_has_a_fault() -> None:
    assert set(POINTS) == set(FAULTS) | ELSEWHERE


@pytest.mark.parametrize("point", [point for point in FAULTS if point not in MET_BY_LOOKS_ONLY])
def test_a_fault_refutes_its_point_and_no_other(point: str, pipeline: Pipeline, verify: Verify) -> None:
    # Points that need no stack are checked without a rehearsal.
    is_of_account = point in {check.point for check in preflight.CHECKS}
    with FAULTS[point](pipeline):
        verified = verify(account_only=is_of_account)
    assert points(verified.findings, Verdict.REFUTED) == {point}, seen(verified.findings)
    assert not [found for found in seen(verified.findings) if "The check itself failed" in found]


def test_faults_that_only_looks_meet_touch_neither_the_rehearsal_nor_the_forgetting(
    pipeline: Pipeline, verify: Verify
) -> None:
    with ExitStack() as faults:
        for point in MET_BY_LOOKS_ONLY:
            faults.enter_context(FAULTS[point](pipeline))
        verified = verify()
    assert points(verified.findings, Verdict.REFUTED) == set(MET_BY_LOOKS_ONLY), seen(verified.findings)
