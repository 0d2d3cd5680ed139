from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from local import demo
from local.demo import DemoError, check, own_media
from local.results import Recording as Result
from local.results import Results
from operations.errors import OperationError
from operations.executions import Execution, Failure
from operations.recordings import Recording


def test_a_single_file_is_a_recording_of_one_patient_without_consent_unless_told(tmp_path: Path) -> None:
    file = tmp_path / "visit 1.wav"
    file.touch()
    recording = Recording(file, "media/demo/visit 1.wav")
    assert own_media(file, False) == ([], [recording])
    assert own_media(file, True) == ([recording], [])


def test_a_folder_names_its_patients(tmp_path: Path) -> None:
    for name in ("p-1/a.wav", "p-1/more/b.wav", "p-2/c.mp3", ".DS_Store", ".git/x", "p-1/.hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [recording.key for recording in own_media(tmp_path, False).all]
    assert found == ["media/p-1/a.wav", "media/p-1/more/b.wav", "media/p-2/c.mp3"]


def test_a_file_in_no_patient_s_folder_is_told_and_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "p-1").mkdir()
    (tmp_path / "p-1" / "a.wav").touch()
    (tmp_path / "stray.wav").touch()
    with pytest.raises(OperationError, match=r"Whose recording is .*stray\.wav\? .*a folder named by"):
        own_media(tmp_path, False)


def test_a_folder_that_is_no_collection_of_recordings_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "MOST_RECORDINGS", 1)
    for name in ("a.wav", "b.wav"):
        (tmp_path / "p-1").mkdir(exist_ok=True)
        (tmp_path / "p-1" / name).touch()
    with pytest.raises(DemoError, match=r"holds 2 files; the demonstration takes 1"):
        own_media(tmp_path, False)


def test_media_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match=r"nowhere is neither a file nor a folder"):
        own_media(tmp_path / "nowhere", False)
    with pytest.raises(OperationError, match=r"holds no recording"):
        own_media(tmp_path, False)


def test_the_samples_are_all_there() -> None:
    recordings = demo.samples()
    assert recordings.all and all(recording.path.is_file() for recording in recordings.all)
    assert any(recording.key.startswith(f"media/{demo.SUPPRESSED}/") for recording in recordings.consenting)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    for name in ("entities.jsonl", "rejected.jsonl", "audiences.json", "summary.json", "a.wav.txt"):
        (tmp_path / name).touch()
    done = Result("m1", "s3://media/media/p-1/a.wav", "p-1", tmp_path / "a.wav.txt", None)
    bad = Result("m2", "s3://media/media/p-1/b.wav", "p-1", None, "empty")
    return Results(tmp_path, [done, bad], [], [], [])


def dropped(*files: str) -> list[Recording]:
    return [Recording(Path(file), f"media/p-1/{file}") for file in files]


def test_one_outcome_for_each_recording_passes(results: Results) -> None:
    check(results, dropped("a.wav", "b.wav"))


def test_a_recording_without_an_outcome_fails_the_demonstration(results: Results) -> None:
    with pytest.raises(DemoError, match=r"2 outcomes for 3 recordings; without one: \['media/p-1/c.wav'\]"):
        check(results, dropped("a.wav", "b.wav", "c.wav"))


def test_a_promised_file_that_is_missing_fails_the_demonstration(results: Results) -> None:
    (results.folder / "a.wav.txt").unlink()
    with pytest.raises(DemoError, match=r"Result files are missing: .*a\.wav\.txt"):
        check(results, dropped("a.wav", "b.wav"))


def test_a_demonstration_that_failed_says_why_in_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = [Failure("PlanBatch", "InvalidInput", "The input needs a prefix.")]
    began = datetime(2026, 11, 26, tzinfo=UTC)
    execution = Execution("arn:1", "drop-1", "FAILED", True, began, began, 0, [], {}, {}, None, None, failed)
    deployed: Any = SimpleNamespace(media="media-bucket")
    monkeypatch.setattr(demo, "upload", lambda *given, consent: ())
    monkeypatch.setattr(demo, "follow_uploads", lambda *given: [execution])
    with pytest.raises(DemoError, match=r"^arn:1 is FAILED\.\n  PlanBatch failed: InvalidInput: The input needs a pr"):
        demo.drop_and_follow(deployed, demo.Media([], dropped("a.wav")), Console())
