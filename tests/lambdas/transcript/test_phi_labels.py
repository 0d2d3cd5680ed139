from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.transcript.phi_labels import PhiLabel, phi_labels
from lambdas.transcript.words import Words

Json = dict[str, Any]


def item(content: str, start: float, end: float, channel: str | None = None) -> Json:
    named = {"channel_label": channel} if channel else {}
    alternatives = [{"confidence": "1.0", "content": content}]
    return {
        "start_time": str(start),
        "end_time": str(end),
        "type": "pronunciation",
        "alternatives": alternatives,
        **named,
    }


def label(content: str, start: float | None, end: float | None, **more: Any) -> Json:
    times = {"startTime": start, "endTime": end} if start is not None else {}
    return {"content": content, "category": "PHI-Personal", "confidence": 0.9, **times, **more}


def placed(text: str, entity: Json, items: list[Json] | None = None) -> PhiLabel:
    """The label's place in `text`, of which each word takes a second unless `items` says otherwise."""
    if items is None:
        items = [item(word.strip(".,"), number, number + 1) for number, word in enumerate(text.split())]
    transcript = {"results": {"transcripts": [{"transcript": text}], "items": items, "entities": [entity]}}
    (only,) = phi_labels(transcript, Words(transcript))
    return only


def shown(text: str, spans: tuple[tuple[int, int], ...]) -> list[str]:
    return [text[begin:end] for begin, end in spans]


def test_a_label_is_at_the_words_of_its_time() -> None:
    text = "The patient's name is Bertrand. Not Bertrand"
    found = placed(text, label("Bertrand", 4.0, 5.2))
    assert found == PhiLabel("PHI-Personal", "Bertrand", 0.9, 4.0, 5.2, ((22, 30),), ())
    assert (found.begin_offset, found.end_offset) == (22, 30)


def test_a_label_of_several_words_is_at_all_of_them_however_they_are_spaced() -> None:
    text = "Call 555, 1234 now"
    assert shown(text, placed(text, label("555-1234", 0.9, 3.1)).places) == ["555", "1234"]


def test_words_at_the_time_that_are_spelled_otherwise_are_its_place() -> None:
    text = "on May third at noon"
    assert shown(text, placed(text, label("May 3", 1.0, 3.0)).places) == ["May", "third"]
    assert shown(text, placed(text, label("5/3", 1.0, 3.0)).places) == ["May", "third"]


def test_another_channel_that_speaks_meanwhile_is_left_alone() -> None:
    items = [
        item("Ann", 0, 1, "ch_0"),
        item("fever", 0.5, 1.5, "ch_1"),
        item("Lee", 1, 2, "ch_0"),
        item("today", 1.5, 2.5, "ch_1"),
    ]
    text = "Ann fever Lee today"
    for content in ("Ann Lee", "Ann Lea"):
        found = placed(text, label(content, 0.0, 2.0), items)
        assert shown(text, found.places) == ["Ann", "Lee"]
        assert (found.begin_offset, found.end_offset) == (0, 13)


def test_a_word_that_only_begins_like_the_label_tells_the_channel() -> None:
    items = [item("Ann's", 0, 1, "ch_0"), item("fever", 0.5, 1.5, "ch_1")]
    text = "Ann's fever"
    assert shown(text, placed(text, label("Ann", 0.0, 1.0), items).places) == ["Ann's"]


def test_a_long_word_is_found_though_shorter_ones_end_meanwhile() -> None:
    items = [item("Ann", 0, 9, "ch_0"), item("no", 1, 2, "ch_1"), item("fever", 2, 3, "ch_1"), item("Ann", 9, 10)]
    assert placed("Ann no fever Ann", label("Ann", 8.0, 9.0), items).places == ((0, 3),)


def test_a_name_that_reaches_beyond_the_label_s_time_is_placed_as_a_whole() -> None:
    text = "Here is Ann Lee again"
    found = placed(text, label("Ann Lee", 2.1, 2.9))
    assert (found.begin_offset, found.end_offset, found.suspected) == (8, 15, ())


def test_words_of_a_label_that_are_not_said_at_its_time_are_suspected_everywhere() -> None:
    text = "Here is Ann, you know, Lee and Lee"
    found = placed(text, label("Ann Lee", 2.0, 3.0))
    assert shown(text, found.places) == ["Ann"]
    assert found.suspected == ((23, 26), (31, 34))


@pytest.mark.parametrize("start", [None, 900.0])
def test_a_label_without_words_at_its_time_is_where_its_content_is(start: float | None) -> None:
    text = "Here is ANN lee, again"
    found = placed(text, label("Ann Lee", start, start))
    assert (found.places, found.suspected) == (((8, 15),), ())
    assert (found.start_seconds, found.end_seconds) == (start, start)


def test_a_label_that_may_be_at_several_places_is_suspected_at_all_of_them() -> None:
    text = "Ann is here and Ann is there"
    found = placed(text, label("Ann", None, None))
    assert (found.places, found.suspected) == ((), ((0, 3), (16, 19)))
    assert (found.begin_offset, found.end_offset) == (None, None)


def test_a_label_at_a_time_of_other_words_is_suspected_there_and_where_it_reads_so() -> None:
    text = "Here is Ann again"
    assert shown(text, placed(text, label("Ann", 0.0, 1.0)).suspected) == ["Ann", "Here"]


def test_a_label_whose_words_are_apart_is_suspected_at_every_one_of_them() -> None:
    text = "Lee, she said, Ann Lees or Lee"
    found = placed(text, label("Ann Lee", None, None))
    assert (found.places, shown(text, found.suspected)) == ((), ["Ann", "Lee", "Lee"])


def test_a_label_of_which_nothing_is_in_the_text_is_kept() -> None:
    found = placed("no names here", label("Bertrand", 90.0, 91.0))
    assert (found.text, found.places, found.suspected, found.begin_offset) == ("Bertrand", (), (), None)


def test_a_part_of_a_word_is_not_the_word() -> None:
    assert placed("an Annual visit", label("Ann", None, None)).suspected == ()


def test_a_transcript_for_which_no_labels_were_asked_has_none() -> None:
    transcript = {"results": {"transcripts": [{"transcript": "Ann"}], "items": []}}
    assert phi_labels(transcript, Words(transcript)) == []


def test_what_a_label_may_lack_is_none() -> None:
    found = placed("Ann", {"content": "Ann"}, [])
    assert found == PhiLabel("PHI", "Ann", None, None, None, ((0, 3),), ())


NAMES = ["an", "ann", "anna", "lee", "lees", "of", "may", "day-lee", "3", "33", "third", "o'lee"]


@given(st.permutations(NAMES), st.integers(0, 11), st.integers(1, 3), st.floats(-1, 14), st.floats(0, 6))
def test_a_label_s_words_are_never_missed_whatever_time_it_tells(
    words: list[str], first: int, length: int, start: float, seconds: float
) -> None:
    text = " ".join(words)
    content = " ".join(words[first : first + length])
    begin = len(" ".join(words[:first])) + (1 if first else 0)
    found = placed(text, label(content, start, start + seconds))
    hidden = {index for span in (*found.places, *found.suspected) for index in range(*span)}
    assert all(index in hidden for index in range(begin, begin + len(content)) if text[index] != " ")


@given(st.lists(st.sampled_from(["ann", "lee", "an"]), min_size=1, max_size=8), st.data())
def test_a_label_whose_time_holds_its_words_is_at_all_of_them(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    start, end = data.draw(st.floats(-1, first)), data.draw(st.floats(last + 1, 9))
    found = placed(" ".join(words), label(" ".join(words[first : last + 1]), start, end))
    starts = {begin for begin, _ in found.places}
    assert all(len(" ".join([*words[:number], ""])) in starts for number in range(first, last + 1))
