"""The items by which forgetting finds a patient's executions."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.planning.patients import note_patients
from lambdas.planning.recordings import Recording
from lambdas.shared.ledger import read_partition
from lambdas.shared.ledger_keys import patient_key

POOL = ThreadPoolExecutor(4)


def recording(number: int, user_id: str | None) -> tuple[Recording, str]:
    found = Recording(f"s3://media/media/{user_id}/{number}.wav", user_id, f"object-{number}", f"media-{number}")
    return found, f"media-{number}-0123abcd"


def test_each_recording_of_each_patient_is_found_by_the_patient(s3: Any) -> None:
    note_patients(POOL, "drop-1", [recording(1, "p-1"), recording(2, "p-2"), recording(3, None), recording(4, "p-1")])
    note_patients(POOL, "again", [recording(1, "p-1")])
    found = list(read_partition(patient_key("p-1")))
    assert [item["sk"] for item in found] == ["media-1#again", "media-1#drop-1", "media-4#drop-1"]
    assert {item["user_id"] for item in found} == {"p-1"}
    assert {**found[2], "pk": "", "sk": ""} == {
        "pk": "",
        "sk": "",
        "user_id": "p-1",
        "object_id": "object-4",
        "transcript_id": "media-4-0123abcd",
    }
    assert [item["sk"] for item in read_partition(patient_key("p-2"))] == ["media-2#drop-1"]


def test_a_batch_of_any_size_is_noted_and_again_without_any_change(s3: Any) -> None:
    batch = [recording(number, "p-1") for number in range(250)]
    for _ in range(2):
        note_patients(POOL, "drop-1", batch)
    assert len(list(read_partition(patient_key("p-1")))) == 250


def test_the_items_outlive_the_files_of_the_longest_execution(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "RESULTS_EXPIRE_AFTER_DAYS", "30")
    note_patients(POOL, "drop-1", [recording(1, "p-1")])
    (item,) = read_partition(patient_key("p-1"))
    assert item["expires_at"] == pytest.approx(time.time() + (30 + 105) * 86_400, abs=60)
