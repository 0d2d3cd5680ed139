import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.planning.costs import expected_cost, together
from lambdas.planning.media_headers.bit_rates import FORMATS
from lambdas.planning.preflight import MAXIMUM_BYTES, MAXIMUM_SECONDS
from lambdas.shared.pricing import MOST_WORDS_PER_MINUTE, Cost, cost_of_speech

files = st.tuples(st.sampled_from(sorted(FORMATS)), st.integers(0, MAXIMUM_BYTES))


@pytest.mark.parametrize(
    ("media_format", "bytes_per_second"), [("wav", 64_000), ("m4a", 12_000), ("flac", 32_000), ("amr", 2_000)]
)
def test_a_visit_at_the_usual_bit_rate_of_its_format_is_estimated_exactly(
    media_format: str, bytes_per_second: int
) -> None:
    assert expected_cost(media_format, 1800 * bytes_per_second).estimate == cost_of_speech(1800)


def test_a_wav_file_may_be_of_the_slowest_codec_and_so_as_long_as_the_service_takes() -> None:
    assert expected_cost("wav", 60 * 500).bound == cost_of_speech(60, MOST_WORDS_PER_MINUTE)
    assert expected_cost("wav", 1800 * 64_000).bound == cost_of_speech(MAXIMUM_SECONDS, MOST_WORDS_PER_MINUTE)


@given(files)
def test_the_estimate_is_within_the_bound_and_the_bound_within_four_hours(file: tuple[str, int]) -> None:
    cost = expected_cost(*file)
    longest = cost_of_speech(MAXIMUM_SECONDS, MOST_WORDS_PER_MINUTE)
    for least, most in ((cost.estimate, cost.bound), (cost.bound, longest)):
        assert least.transcribe_medical <= most.transcribe_medical
        assert least.comprehend_medical <= most.comprehend_medical


@given(files, st.integers(0, MAXIMUM_BYTES))
def test_a_larger_file_never_costs_less(file: tuple[str, int], more: int) -> None:
    smaller, larger = expected_cost(*file), expected_cost(file[0], file[1] + more)
    assert smaller.estimate <= larger.estimate
    assert smaller.bound <= larger.bound


@given(st.lists(files, max_size=20))
def test_a_batch_costs_what_its_recordings_cost(batch: list[tuple[str, int]]) -> None:
    costs = [expected_cost(*file) for file in batch]
    assert together(costs).estimate.total == pytest.approx(sum(cost.estimate.total for cost in costs))
    assert together(costs).bound.total == pytest.approx(sum(cost.bound.total for cost in costs))


def test_no_recordings_cost_nothing() -> None:
    assert together([]) == (Cost(0, 0), Cost(0, 0))


def test_a_command_can_estimate_without_a_region_and_without_a_client() -> None:
    program = "import sys, lambdas.planning.costs; print('botocore' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
