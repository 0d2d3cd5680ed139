import pytest

from lambdas.report import labels


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (65.9, "1:05"), (3723.2, "1:02:03"), (14400, "4:00:00")])
def test_a_moment_is_shown_as_a_clock_does(seconds: float, shown: str) -> None:
    assert labels.clock(seconds) == shown


@pytest.mark.parametrize(
    ("label", "shown"), [("spk_0", "Speaker 1"), ("ch_1", "Channel 2"), ("CLINICIAN", "CLINICIAN"), ("spk_x", "spk_x")]
)
def test_a_reader_counts_speakers_from_one(label: str, shown: str) -> None:
    assert labels.speaker_name(label) == shown


def test_a_constant_of_a_service_is_written_plainly_and_nothing_else_is_changed() -> None:
    assert labels.plain("TIME_TO_TEST_NAME") == "time to test name"
    assert labels.plain("Warfarin_X") == "Warfarin_X"


def test_a_category_that_the_service_adds_some_day_is_shown_as_other() -> None:
    assert labels.kind_of("GENETICS").name == "other"


def test_escaping_keeps_every_character_apart_from_markup() -> None:
    assert labels.escape("a\r\n<b> & \"c\" 'd'") == "a&#13;\n&lt;b&gt; &amp; &quot;c&quot; &#x27;d&#x27;"
