"""Each fault refutes its point and no other, so every check can fail."""

import pytest

from local.pipeline import Pipeline
from operations.verify import preflight
from operations.verify.checks import Verdict
from operations.verify.verification import POINTS
from tests.operations.verify.conftest import Verify, points, seen
from tests.operations.verify.faults import FAULTS

# Other tests cover the Region, which is the session's, and TLS, which the local AWS lacks.
ELSEWHERE = {"region", "plain-http"}


def test_every_point_has_a_fault() -> None:
    assert set(POINTS) == set(FAULTS) | ELSEWHERE


@pytest.mark.parametrize("point", FAULTS)
def test_a_fault_refutes_its_point_and_no_other(point: str, pipeline: Pipeline, verify: Verify) -> None:
    # Points that need no stack are checked without a rehearsal.
    is_of_account = point in {check.point for check in preflight.CHECKS}
    with FAULTS[point](pipeline):
        verified = verify(account_only=is_of_account)
    assert points(verified, Verdict.REFUTED) == {point}, seen(verified)
    assert not [found for found in seen(verified) if "The check itself failed" in found]
