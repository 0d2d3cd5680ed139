import pytest

from lambdas.shared.pricing import MOST_WORDS_PER_MINUTE, Cost, billed_seconds, cost_of_speech, total


@pytest.mark.parametrize(("seconds", "billed"), [(0, 15), (2, 15), (14.999, 15), (15, 15), (16, 16), (16.001, 17)])
def test_whole_seconds_are_billed_and_fifteen_at_least(seconds: float, billed: int) -> None:
    assert billed_seconds(seconds) == billed


@pytest.mark.parametrize(
    ("minutes", "transcription", "detection"), [(1, 0.075, 0.09), (10, 0.75, 0.90), (30, 2.25, 2.70)]
)
def test_recordings_cost_as_docs_performance_says(minutes: int, transcription: float, detection: float) -> None:
    cost = cost_of_speech(minutes * 60)
    assert (round(cost.transcribe_medical, 6), round(cost.comprehend_medical, 6)) == (transcription, detection)
    assert cost.total == pytest.approx(transcription + detection)


def test_the_shortest_recording_costs_the_minimum_of_both_services() -> None:
    assert cost_of_speech(0) == Cost(15 * 0.00125, 0.01)


def test_quick_speech_costs_the_same_transcription_and_more_detection() -> None:
    usual, quick = cost_of_speech(600), cost_of_speech(600, MOST_WORDS_PER_MINUTE)
    assert quick.transcribe_medical == usual.transcribe_medical
    assert quick.comprehend_medical == 2 * usual.comprehend_medical


def test_costs_add_up_by_service() -> None:
    assert total([Cost(1, 2), Cost(3, 4)]) == (4, 6)
    assert total([]) == (0, 0)
