"""The sample recordings, what is said in them, and the groups of patients that the demonstration counts on."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from local.engines.media import Audio, MediaError, decode
from samples.dictations import DICTATIONS

SAMPLES = Path(__file__).parents[2] / "samples"
RECORDINGS: list[dict[str, Any]] = json.loads((SAMPLES / "recordings.json").read_text("utf-8"))
TRANSCRIBED = [recording for recording in RECORDINGS if recording["expected"] == "transcribed"]
FORMATS = {"wav", "mp3", "mp4", "m4a", "flac", "ogg", "amr", "webm"}


def _decode(recording: dict[str, Any]) -> Audio:
    return decode((SAMPLES / "media" / recording["user_id"] / recording["file"]).read_bytes())


def _texts() -> dict[str, str]:
    texts: dict[str, str] = defaultdict(str)
    for recording in RECORDINGS:
        texts[recording["user_id"]] += recording["text"].lower() + " "
    return texts


def _users(first: int, last: int) -> list[str]:
    return [f"p-{number:03}" for number in range(first, last + 1)]


def test_the_list_and_the_folder_name_the_same_files() -> None:
    on_disk = {path.relative_to(SAMPLES / "media").as_posix() for path in (SAMPLES / "media").rglob("*.*")}
    assert on_disk == {f"{recording['user_id']}/{recording['file']}" for recording in RECORDINGS}
    assert len(on_disk) == len(RECORDINGS)


def test_the_list_says_what_the_script_would_record() -> None:
    said = [(item.user_id, item.file, item.text, item.consent) for item in DICTATIONS]
    assert said == [(item["user_id"], item["file"], item["text"], item["audience_consent"]) for item in TRANSCRIBED]


def test_every_recording_is_short_speech_in_the_format_its_name_says() -> None:
    formats = set()
    for recording in TRANSCRIBED:
        audio = _decode(recording)
        assert audio.format == recording["file"].rsplit(".", 1)[1], recording["file"]
        assert audio.sample_rate >= 16_000, recording["file"]
        assert 4 < audio.seconds < 12, recording["file"]
        formats.add(audio.format)
    assert formats == FORMATS


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in (SAMPLES / "media").rglob("*") if path.is_file()) < 3_000_000


def test_enough_consenting_patients_have_hypertension_for_a_seed_of_25() -> None:
    texts = _texts()
    assert all("hypertension" in texts[user] for user in _users(1, 32))
    refused = {item["user_id"] for item in TRANSCRIBED if item["audience_consent"] is not True}
    assert refused == {"p-003", "p-017"}


def test_the_other_cohorts_and_the_traps_are_there() -> None:
    texts = _texts()
    assert all("type two diabetes" in texts[user] for user in _users(33, 42))
    assert all("hypertension" in texts[user] for user in _users(43, 46))
    assert all(
        any(word in texts[user] for word in ("denies", "no history", "father", "mother")) for user in _users(43, 46)
    )
    assert all("asthma" in texts[user] for user in _users(47, 49))


def test_two_patients_have_a_second_recording() -> None:
    users = [recording["user_id"] for recording in RECORDINGS]
    assert {user for user in users if users.count(user) > 1} == {"p-001", "p-005"}


def test_file_names_try_what_keys_can_hold() -> None:
    names = [recording["file"] for recording in RECORDINGS]
    for awkward in (" ", "+", "%", "é"):
        assert any(awkward in name for name in names), awkward
    assert max(map(len, names)) > 200


@pytest.mark.parametrize("user_id", ["p-050", "p-051", "p-054"])
def test_these_bad_recordings_cannot_be_decoded(user_id: str) -> None:
    [recording] = [item for item in RECORDINGS if item["user_id"] == user_id]
    assert recording["expected"] == "rejected"
    with pytest.raises(MediaError):
        _decode(recording)


def test_the_other_bad_recordings_are_silence_and_a_wrong_name() -> None:
    silence, misnamed = [item for item in RECORDINGS if item["user_id"] in ("p-052", "p-053")]
    assert not _decode(silence).samples.any()
    assert (misnamed["file"], _decode(misnamed).format) == ("visit.docx", "wav")
