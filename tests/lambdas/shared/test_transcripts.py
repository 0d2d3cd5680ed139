from typing import Any

from lambdas.shared.transcripts import WordTimes, billable_seconds, spoken_seconds, text_of

TRANSCRIPT: dict[str, Any] = {
    "results": {
        "transcripts": [{"transcript": "No fever. No cough."}],
        "items": [
            {"type": "pronunciation", "start_time": "0.5", "end_time": "0.7", "alternatives": [{"content": "No"}]},
            {"type": "pronunciation", "start_time": "0.8", "end_time": "1.2", "alternatives": [{"content": "fever"}]},
            {"type": "punctuation", "alternatives": [{"content": "."}]},
            {"type": "pronunciation", "start_time": "1.5", "end_time": "1.7", "alternatives": [{"content": "No"}]},
            {"type": "pronunciation", "start_time": "1.8", "end_time": "2.4", "alternatives": [{"content": "cough"}]},
            {"type": "punctuation", "alternatives": [{"content": "."}]},
        ],
    }
}


def test_offsets_become_the_seconds_of_the_words_they_overlap() -> None:
    text = text_of(TRANSCRIPT)
    times = WordTimes(TRANSCRIPT)
    assert times.between(text.index("fever"), text.index("fever") + 5) == (0.8, 1.2)
    assert times.between(text.index("No cough"), len(text)) == (1.5, 2.4)
    assert times.between(0, len(text)) == (0.5, 2.4)


def test_a_part_of_a_word_has_the_word_s_seconds() -> None:
    assert WordTimes(TRANSCRIPT).between(4, 6) == (0.8, 1.2)


def test_an_offset_between_words_has_no_seconds() -> None:
    assert WordTimes(TRANSCRIPT).between(8, 9) == (None, None)


def test_an_item_that_the_text_spells_otherwise_leaves_its_neighbours_in_place() -> None:
    items = [dict(item) for item in TRANSCRIPT["results"]["items"]]
    items[1] = {**items[1], "alternatives": [{"content": "pyrexia"}]}
    transcript = {"results": {"transcripts": TRANSCRIPT["results"]["transcripts"], "items": items}}
    assert WordTimes(transcript).between(13, 18) == (1.8, 2.4)


def test_speech_ends_with_its_last_word_and_is_billed_for_fifteen_seconds_at_least() -> None:
    assert spoken_seconds(TRANSCRIPT) == 2.4
    assert billable_seconds(TRANSCRIPT) == 15
    assert spoken_seconds({"results": {"transcripts": [], "items": []}}) == 0.0
