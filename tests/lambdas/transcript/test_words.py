from typing import Any

import pytest

from lambdas.transcript.words import Words

Json = dict[str, Any]


def spoken(content: str, start: float, end: float, **more: Any) -> Json:
    confidence = {"confidence": more.pop("confidence")} if "confidence" in more else {}
    return {
        "type": "pronunciation",
        "start_time": str(start),
        "end_time": str(end),
        "alternatives": [{**confidence, "content": content}],
        **more,
    }


STOP = {"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": "."}]}
ITEMS = [
    spoken("No", 0.5, 0.7, confidence="0.99"),
    spoken("fever", 0.8, 1.2, confidence="0.5"),
    STOP,
    spoken("No", 1.5, 1.7, confidence="1.0"),
    spoken("cough", 1.8, 2.4, confidence="0.75"),
    STOP,
]


def transcript(text: str = "No fever. No cough.", items: list[Json] | None = None, **results: Any) -> Json:
    return {"results": {"transcripts": [{"transcript": text}], "items": ITEMS if items is None else items, **results}}


def seconds(words: Words, begin: int, end: int) -> tuple[float | None, float | None]:
    return words.at((begin, end))[:2]


def test_offsets_become_the_seconds_of_the_words_they_overlap() -> None:
    words = Words(transcript())
    text = words.text
    assert seconds(words, text.index("fever"), text.index("fever") + 5) == (0.8, 1.2)
    assert seconds(words, text.index("No cough"), len(text)) == (1.5, 2.4)
    assert seconds(words, 0, len(text)) == (0.5, 2.4)


def test_a_part_of_a_word_has_the_word_s_seconds() -> None:
    assert seconds(Words(transcript()), 4, 6) == (0.8, 1.2)


def test_a_place_between_words_has_nothing_said_of_it() -> None:
    assert Words(transcript()).at((8, 9)) == (None, None, None, None, None, ())


def test_an_item_that_the_text_spells_otherwise_leaves_its_neighbours_in_place() -> None:
    items = [ITEMS[0], spoken("pyrexia", 0.8, 1.2), *ITEMS[2:]]
    assert seconds(Words(transcript(items=items)), 13, 18) == (1.8, 2.4)


@pytest.mark.parametrize("missing_before", [0, 300])
def test_an_item_that_comes_again_much_later_in_the_text_does_not_misplace_what_is_between(missing_before: int) -> None:
    text = "He is febrile " + "and so on " * 60 + "fever"
    said = ["He", "is", "fever", *text.split()[2:]]
    items = [spoken(word, number, number + 1) for number, word in enumerate(said)]
    words = Words(transcript(text, [spoken("pyrexia", 0, 0)] * missing_before + items))
    assert seconds(words, text.index("febrile"), text.index("febrile") + 7) == (3, 4)


def test_a_part_of_the_text_without_items_is_passed_over_once_enough_items_are_missing() -> None:
    items = [spoken("w", 0, 1)] * 210 + [spoken("cough", 1, 2)]
    assert seconds(Words(transcript("x " * 200 + "cough", items)), 400, 405) == (1, 2)


def test_the_confidence_of_a_place_is_the_least_of_its_words() -> None:
    words = Words(transcript())
    assert words.at((0, 8)).confidence == 0.5
    assert words.at((10, 12)).confidence == 1.0
    assert Words(transcript(items=[spoken("No", 0, 1)])).at((0, 2)).confidence is None


def test_the_speaker_of_a_place_is_who_says_most_of_it() -> None:
    items = [spoken("No", 0.5, 0.7, speaker_label="spk_0"), spoken("fever", 0.8, 1.2, speaker_label="spk_1")]
    words = Words(transcript(items=items))
    assert words.at((0, 2)).speaker == "spk_0"
    assert words.at((0, 8)).speaker == "spk_1"


@pytest.mark.parametrize("with_items", [True, False])
def test_speakers_are_found_by_time_where_the_items_do_not_name_them(with_items: bool) -> None:
    first: Json = {"start_time": "0.0", "end_time": "1.3", "speaker_label": "spk_0"}
    second: Json = {"start_time": "1.300", "end_time": "2.6", "speaker_label": "spk_1"}
    if with_items:  # their times are written with another number of digits
        first["items"] = [
            {"start_time": f"{start}00", "end_time": f"{end}00"} for start, end in ((0.5, 0.7), (0.8, 1.2))
        ]
        second["items"] = [{"start_time": "1.50", "end_time": "1.70", "speaker_label": "spk_1"}]
    words = Words(transcript(speaker_labels={"speakers": 2, "segments": [second, first]}))
    assert [word.speaker for word in words.words] == ["spk_0", "spk_0", "spk_1", "spk_1"]


def test_a_word_outside_every_turn_has_no_speaker() -> None:
    turn = {"start_time": "0.75", "end_time": "1.3", "speaker_label": "spk_0"}
    words = Words(transcript(speaker_labels={"segments": [turn]}))
    assert [word.speaker for word in words.words] == [None, "spk_0", None, None]


HOW_ARE_YOU = [spoken("How", 0, 0.2), spoken("are", 0.4, 0.6), spoken("you", 0.8, 1)]
I_COUGH = [spoken("I", 0.3, 0.4), spoken("cough", 0.5, 0.9)]
BY_CLOCK = [HOW_ARE_YOU[0], I_COUGH[0], HOW_ARE_YOU[1], I_COUGH[1], HOW_ARE_YOU[2]]


@pytest.mark.parametrize(
    ("text", "items"),
    [("How I are cough you.", BY_CLOCK), ("How are you. I cough.", BY_CLOCK), ("How are you. I cough.", [])],
)
def test_channels_are_found_whatever_order_the_text_has(text: str, items: list[Json]) -> None:
    channels = [{"channel_label": "ch_0", "items": [*HOW_ARE_YOU, STOP]}, {"channel_label": "ch_1", "items": I_COUGH}]
    document = transcript(text, items, channel_labels={"channels": channels})
    words = Words(document)
    assert words.at((text.index("cough"), text.index("cough") + 5))[:4] == (0.5, 0.9, None, "ch_1")
    assert words.at((text.index("you"), text.index("you") + 3))[:4] == (0.8, 1.0, None, "ch_0")


def test_the_same_word_at_the_same_time_on_both_channels_belongs_to_one_each() -> None:
    channels = [{"channel_label": f"ch_{number}", "items": [spoken("yes", 0, 1)]} for number in (0, 1)]
    words = Words(transcript("yes yes", [spoken("yes", 0, 1)] * 2, channel_labels={"channels": channels}))
    assert [word.channel for word in words.words] == ["ch_0", "ch_1"]


def test_a_channel_that_the_item_names_is_taken() -> None:
    words = Words(transcript("No", [spoken("No", 0, 1, channel_label="ch_1")]))
    assert words.at((0, 2)).channel == "ch_1"


def segment(start: str, end: str, *transcripts: str, items: list[Json] | None = None) -> Json:
    alternatives: list[Json] = [{"transcript": text, "items": []} for text in transcripts]
    if items is not None:
        alternatives[0]["items"] = items
    return {"start_time": start, "end_time": end, "alternatives": alternatives}


def test_the_alternatives_of_a_place_are_the_other_transcripts_of_its_segments() -> None:
    segments = [
        segment("1.4", "2.5", "No cough.", "No calf.", "Know cough."),
        segment("0.4", "1.3", "No fever", "No favor", "Not ever"),
    ]
    words = Words(transcript(segments=segments))
    assert words.at((3, 8)).alternatives == ["No favor", "Not ever"]
    assert words.at((13, 18)).alternatives == ["No calf.", "Know cough."]
    assert words.at((3, 18)).alternatives == ["No favor", "Not ever", "No calf.", "Know cough."]


def test_a_word_outside_every_segment_has_no_alternatives() -> None:
    words = Words(
        transcript(segments=[segment("0.4", "1.3", "No fever", "No favor"), segment("9", "10", "Yes", "Yet")])
    )
    assert words.at((13, 18)).alternatives == ()


def test_segments_of_two_channels_that_overlap_are_told_apart_by_their_words() -> None:
    def item(content: str, start: str, end: str) -> Json:
        return {"content": content, "start_time": start, "end_time": end}

    segments = [
        segment("0.5", "2.4", "No cough", "Snow cough", items=[item("No", "0.5", "0.7"), item("cough", "1.8", "2.4")]),
        segment("0.8", "1.7", "fever No", "never No", items=[item("fever", "0.8", "1.2"), item("No", "1.5", "1.7")]),
    ]
    words = Words(transcript(segments=segments))
    assert words.at((13, 18)).alternatives == ["Snow cough"]
    assert words.at((3, 8)).alternatives == ["never No"]


@pytest.mark.parametrize("text", ["No fever. No cough.", "No fever"])
def test_a_place_is_told_like_a_span_wherever_it_lies(text: str) -> None:
    words = Words(transcript(text))
    for begin in range(-1, len(text) + 2):
        for end in range(begin, len(text) + 3):
            assert words.at_place(begin, end) == words.at((begin, end)), (begin, end)
