from local.engines.speech import Word
from local.services.transcribe.transcript import alternative_segments, speaker_labels

TERM = [
    Word("Has", 0.0, 0.2, 0.9),
    Word("atrial", 0.2, 0.5, 0.9, heard=(Word("a", 0.2, 0.3, 0.4), Word("trial", 0.3, 0.6, 0.4))),
    Word("fibrillation", 0.5, 1.0, 0.8, ".", heard=()),
]


def test_a_segment_is_told_as_in_the_transcript_and_as_first_heard() -> None:
    [segment] = alternative_segments([TERM])
    final, first_heard = segment["alternatives"]
    assert final["transcript"] == "Has atrial fibrillation."
    assert first_heard["transcript"] == "Has a trial"
    assert (segment["start_time"], segment["end_time"]) == ("0.00", "1.00")


def test_an_alternatives_items_have_their_content_and_confidence_themselves() -> None:
    [segment] = alternative_segments([TERM])
    items = segment["alternatives"][0]["items"]
    assert items[0] == {
        "start_time": "0.00",
        "end_time": "0.20",
        "type": "pronunciation",
        "confidence": "0.9000",
        "content": "Has",
    }
    assert items[-1] == {"type": "punctuation", "confidence": "0.0", "content": "."}


def test_where_nothing_was_put_right_there_is_no_second_alternative() -> None:
    for utterance in (TERM[:1], TERM[2:]):
        [segment] = alternative_segments([utterance])
        assert len(segment["alternatives"]) == 1


def test_every_word_is_labelled_with_its_speaker_and_punctuation_is_not() -> None:
    labels = speaker_labels([TERM[:1], TERM[1:]], [0, 1, 1])
    assert labels["speakers"] == 2
    assert [segment["speaker_label"] for segment in labels["segments"]] == ["spk_0", "spk_1"]
    assert labels["segments"][1]["items"] == [
        {"start_time": "0.20", "end_time": "0.50", "speaker_label": "spk_1"},
        {"start_time": "0.50", "end_time": "1.00", "speaker_label": "spk_1"},
    ]
