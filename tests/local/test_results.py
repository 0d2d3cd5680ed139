import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.pipeline import Pipeline
from local.results import LONGEST_NAME_BYTES, copy_results, local_path


class Objects(dict[str, Any]):
    """The part of the clinical bucket that is read."""

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == "clinical"
        if Key not in self:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        body = self[Key] if isinstance(self[Key], str) else json.dumps(self[Key])
        return {"Body": io.BytesIO(body.encode())}


@pytest.fixture
def objects() -> Objects:
    recording = {
        "media_id": "m1",
        "object_id": "o1",
        "user_id": "p-1",
        "uri": "s3://media/media/p-1/a/b é.wav",
        "transcript_id": "t1",
    }
    bad = {"media_id": "m2", "user_id": "p-2", "uri": "s3://media/media/p-2/empty.wav", "reason": "empty"}
    summary = {
        "batch_id": "e",
        "finished_at": "2026-01-01",
        "rejected": [bad],
        "audiences": [{"cohort": "c", "seed_size": 25}],
        "cohorts_without_audience": [{"cohort": "d", "reason": "few"}],
    }
    return Objects(
        {
            "batches/e/summary.json": summary,
            "batches/e/plan.json": {"recordings": [recording]},
            "batches/e/report.html": "<p>batch</p>",
            "reports/t1.html": "<p>recording</p>",
            "transcripts/t1.json": {"results": {"transcripts": [{"transcript": "Übel."}]}},
            "records/o1.jsonl": '{"text": "Übel", "source": "comprehend_medical", "attribute_of": null}\n'
            '{"text": "Maria", "source": "transcribe_medical", "attribute_of": null}\n'
            '{"text": "daily", "source": "comprehend_medical", "attribute_of": "MEDICATION"}\n',
        }
    )


def copy(objects: Objects, folder: Path, *batch_ids: str) -> Any:
    aws: Any = SimpleNamespace(client=lambda service: objects)
    return copy_results(
        Pipeline(aws, "media", "clinical", "audience", "arn", "arn", "arn", "arn"), list(batch_ids), folder
    )


def test_every_promised_file_is_written(objects: Objects, tmp_path: Path) -> None:
    copy(objects, tmp_path, "e")
    assert (tmp_path / "transcripts/p-1/a/b é.wav.txt").read_text() == "Übel.\n"
    (line,) = (tmp_path / "entities.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == "Übel"
    assert json.loads((tmp_path / "rejected.jsonl").read_text()) == {
        "user_id": "p-2",
        "file": "s3://media/media/p-2/empty.wav",
        "reason": "empty",
    }
    audiences = json.loads((tmp_path / "audiences.json").read_text())
    assert {audience["cohort"] for audience in audiences} == {"c", "d"}
    assert json.loads((tmp_path / "summary.json").read_text())[0]["batch_id"] == "e"
    assert (tmp_path / "batches/e/report.html").read_text() == "<p>batch</p>"
    assert (tmp_path / "reports/t1.html").read_text() == "<p>recording</p>"


def test_of_several_executions_the_last_word_on_a_cohort_counts(objects: Objects, tmp_path: Path) -> None:
    later = {**objects["batches/e/summary.json"], "batch_id": "f", "finished_at": "2026-01-02"}
    objects["batches/f/report.html"] = "<p>another batch</p>"
    objects["batches/f/summary.json"] = {**later, "audiences": [{"cohort": "c", "seed_size": 50}]}
    objects["batches/f/plan.json"] = {"recordings": []}
    results = copy(objects, tmp_path, "f", "e")
    assert [item["seed_size"] for item in results.audiences if item["cohort"] == "c"] == [50]


def test_a_missing_transcript_is_an_error(objects: Objects, tmp_path: Path) -> None:
    del objects["transcripts/t1.json"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        copy(objects, tmp_path, "e")


def test_names_that_no_file_system_takes_are_cut_and_stay_apart() -> None:
    first, second = local_path("é" * 500 + "1.wav"), local_path("é" * 500 + "2.wav")
    assert first != second
    assert all(len(path.name.encode()) <= LONGEST_NAME_BYTES and path.suffix == ".txt" for path in (first, second))
    assert local_path("more/visit 1.wav") == Path("more/visit 1.wav.txt")


def test_no_key_leads_out_of_the_folder() -> None:
    assert ".." not in local_path("../../a.wav").parts
    assert not local_path("//a.wav").is_absolute()
    assert len({local_path("a//b.wav"), local_path("a/b.wav"), local_path("a/./b.wav")}) == 3
