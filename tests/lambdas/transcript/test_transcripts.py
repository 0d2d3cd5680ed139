import json
from typing import Any

import msgspec
import pytest

from lambdas.transcript.transcripts import Speech, read_speech, text_of

Json = dict[str, Any]
# Longer than what is searched first for the last word.
PUNCTUATION: list[Json] = [{"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": "."}]}] * 2_000


def word(end: float, content: str = "No") -> Json:
    times = {"start_time": f"{end - 0.1:.3f}", "end_time": f"{end:.3f}"}
    return {"type": "pronunciation", "alternatives": [{"confidence": "0.9", "content": content}], **times}


def transcript(items: list[Json] | None, *texts: str, **results: Any) -> Json:
    members = {"transcripts": [{"transcript": text} for text in texts], **results}
    return {"jobName": "j", "results": members if items is None else {**members, "items": items}, "status": "COMPLETED"}


def speech(document: Json, **spelling: Any) -> Speech:
    return read_speech(json.dumps(document, **spelling).encode())


def test_speech_is_the_whole_text_and_ends_with_its_last_word() -> None:
    document = transcript([word(1), word(30.2), PUNCTUATION[0]], "No fever. ", "Côugh.")
    assert speech(document) == ("No fever. Côugh.", 30.2)
    assert speech(document, indent=2, ensure_ascii=False) == ("No fever. Côugh.", 30.2)
    assert text_of(document) == "No fever. Côugh."


@pytest.mark.parametrize(("items", "seconds"), [(None, 0), ([], 0), ([word(2)], 2), (PUNCTUATION, 0)])
def test_speech_without_words_has_no_length(items: list[Json] | None, seconds: float) -> None:
    assert speech(transcript(items, "No.")) == ("No.", seconds)


def test_the_last_word_is_found_however_much_comes_after_it() -> None:
    assert speech(transcript([word(1), word(90), *PUNCTUATION], "No.")).spoken_seconds == 90


@pytest.mark.parametrize("with_items", [True, False])
def test_of_several_channels_the_one_that_is_heard_last_counts_wherever_it_stands(with_items: bool) -> None:
    channels: list[Json] = [
        {"channel_label": "ch_1", "items": [word(120), *PUNCTUATION]},
        {"channel_label": "ch_0", "items": [word(60), *PUNCTUATION]},
    ]
    items = [item for channel in channels for item in channel["items"]] if with_items else []
    document = transcript(items, "No.", channel_labels={"channels": channels, "number_of_channels": 2})
    assert speech(document).spoken_seconds == 120


def test_what_is_said_is_not_taken_for_a_time() -> None:
    said = '"end_time":"999.0"'
    assert speech(transcript([word(20, said)], said)) == (said, 20)
    turns = {"segments": [{"start_time": "0", "end_time": "999", "speaker_label": "spk_0"}]}
    assert speech(transcript([word(20)], "No.", speaker_labels=turns, segments=turns["segments"])) == ("No.", 20)


@pytest.mark.parametrize("body", [b"{}", b"", b'{"results":{}}', b'{"results":{"transcripts":[{"transcript":"N'])
def test_a_file_that_is_no_transcript_is_not_taken_for_silence(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_speech(body)
