from bench.peers.state_machines import fixed_wait_loop
from bench.simulation import detection
from bench.simulation.detection import GENERATION, TRANSCRIPTION, Job, detect
from lambdas import clean_rooms_ml

START, POLL = "${StartTranscriptionArn}", "${PollTranscriptionArn}"


def test_the_expected_time_of_an_audience_is_the_functions_own() -> None:
    assert detection.EXPECTED_GENERATION_SECONDS == clean_rooms_ml.EXPECTED_GENERATION_SECONDS


def test_a_fixed_loop_polls_as_often_as_its_wait_goes_into_the_job() -> None:
    found = detect(fixed_wait_loop(START, POLL, 30), START, POLL, [Job(100, 100)], 28_800)
    # started, Start, four rounds of Wait, Ask and Ended?, Done
    assert found.transitions == 1 + 1 + 4 * 3 + 1
    assert 20 <= found.lag_seconds < 22


def test_our_own_definition_is_noticed_to_end_with_the_wait_policy_of_the_functions() -> None:
    found = detect(TRANSCRIPTION, START, POLL, [Job(75, 100)], 28_800)
    # The first wait is four fifths of what is expected, and finds the job ended.
    assert found.transitions == 1 + 1 + 3 + 1
    assert 5 <= found.lag_seconds < 6


def test_the_part_of_an_audience_generation_runs_by_itself() -> None:
    start, poll = "${StartAudienceGenerationArn}", "${PollAudienceGenerationArn}"
    found = detect(GENERATION, start, poll, [Job(3600, 3600)], 86_400)
    assert 0 <= found.lag_share < 0.07
