import json
from typing import Any

import pytest

from lambdas import collect_entities
from lambdas.shared.errors import IncompleteOutput

CLINICAL = "clinical-bucket"
OUTPUT = "entities/123456789012-EntitiesDetection-j/"
BATCH = {"batch_id": "batch", "prefix": "batches/batch/"}


def put(s3: Any, key: str, document: Any) -> None:
    body = document if isinstance(document, str) else json.dumps(document)
    s3.put_object(Bucket=CLINICAL, Key=key, Body=body.encode())


def entity(text: str, begin: int, **more: Any) -> dict[str, Any]:
    return {
        "Id": 0, "BeginOffset": begin, "EndOffset": begin + len(text), "Score": 0.9, "Text": text,
        "Category": "MEDICAL_CONDITION", "Type": "DX_NAME", "Traits": [], "Attributes": [], **more,
    }  # fmt: skip


def recording(media_id: str) -> dict[str, Any]:
    return {
        "media_id": media_id,
        "object_id": f"o-{media_id}",
        "user_id": f"p-{media_id}",
        "uri": f"s3://media-bucket/media/p-{media_id}/a.wav",
        "uploaded_at": "2026-01-01T00:00:00+00:00",
        "audience_consent": True,
        "transcript_id": f"{media_id}-t",
        "reused": False,
    }


@pytest.fixture
def batch(s3: Any) -> Any:
    """Two recordings; the first in two documents, the second of which begins at character 10 of the transcript."""
    words = [
        {"type": "pronunciation", "start_time": "0.0", "end_time": "0.5", "alternatives": [{"content": "No"}]},
        {"type": "pronunciation", "start_time": "0.6", "end_time": "1.0", "alternatives": [{"content": "fever"}]},
        {"type": "pronunciation", "start_time": "2.0", "end_time": "2.5", "alternatives": [{"content": "cough"}]},
    ]
    for media_id in ("m1", "m2"):
        results = {"transcripts": [{"transcript": "No fever. cough"}], "items": words}
        put(s3, f"transcripts/{media_id}-t.json", {"results": results})
    put(s3, "batches/batch/plan.json", {"recordings": [recording("m1"), recording("m2")]})
    index = [("m1-0000.txt", "m1", 0), ("m1-0001.txt", "m1", 10), ("m2-0000.txt", "m2", 0)]
    lines = [json.dumps({"document": d, "media_id": m, "offset": o, "characters": 9}) for d, m, o in index]
    put(s3, "batches/batch/documents.jsonl", "\n".join(lines) + "\n")
    trait = {"Name": "NEGATION", "Score": 0.8}
    attribute = {"Type": "ACUITY", "Score": 0.7, "Text": "No", "BeginOffset": 0, "EndOffset": 2, "Id": 1}
    put(
        s3,
        OUTPUT + "m1-0000.txt.out",
        {"Entities": [entity("fever", 3, Traits=[trait], Attributes=[attribute])], "ModelVersion": "2.4.0"},
    )
    put(s3, OUTPUT + "m1-0001.txt.out", {"Entities": [entity("cough", 0)]})
    put(s3, OUTPUT + "m2-0000.txt.out", {"Entities": []})
    manifest(s3, succeeded=3)
    return s3


def manifest(s3: Any, succeeded: int, unprocessed: int = 0, **more: Any) -> None:
    summary = {"Status": "COMPLETED", "SuccessFilesCount": succeeded, "UnprocessedFilesCount": unprocessed, **more}
    put(s3, OUTPUT + "Manifest", {"Summary": summary})


def collect(manifest_path: str = OUTPUT + "Manifest") -> dict[str, Any]:
    result = {"output_uri": f"s3://{CLINICAL}/{OUTPUT}", "manifest_path": manifest_path}
    return collect_entities.handler({"batch": BATCH, "entity_detection": {"result": result}}, None)


def records(s3: Any, media_id: str) -> list[dict[str, Any]]:
    body = s3.get_object(Bucket=CLINICAL, Key=f"records/o-{media_id}.jsonl")["Body"].read().decode()
    return [json.loads(line) for line in body.splitlines()]


def test_records_know_patient_recording_offset_and_second(batch: Any) -> None:
    assert collect() == {
        "records": 2,
        "by_category": {"MEDICAL_CONDITION": 2},
        "documents": 3,
        "documents_unprocessed": 0,
    }
    first, second = records(batch, "m1")
    assert first == {
        "user_id": "p-m1",
        "media_id": "m1",
        "media_uri": "s3://media-bucket/media/p-m1/a.wav",
        "uploaded_at": "2026-01-01T00:00:00+00:00",
        "audience_consent": True,
        "transcript_id": "m1-t",
        "document": "m1-0000.txt",
        "entity_id": 0,
        "category": "MEDICAL_CONDITION",
        "type": "DX_NAME",
        "text": "fever",
        "score": 0.9,
        "begin_offset": 3,
        "end_offset": 8,
        "start_seconds": 0.6,
        "end_seconds": 1.0,
        "traits": [{"name": "NEGATION", "score": 0.8}],
        "attributes": [
            {
                "type": "ACUITY",
                "text": "No",
                "score": 0.7,
                "relationship_type": None,
                "relationship_score": None,
                "begin_offset": 0,
                "end_offset": 2,
            }
        ],
        "model_version": "2.4.0",
    }
    assert (second["begin_offset"], second["end_offset"]) == (10, 15)
    assert (second["start_seconds"], second["end_seconds"]) == (2.0, 2.5)


def test_a_recording_without_entities_is_finished_too(batch: Any) -> None:
    collect()
    assert records(batch, "m2") == []
    assert batch.head_object(Bucket=CLINICAL, Key="records/o-m2.jsonl")["Metadata"] == {"transcript-id": "m2-t"}


@pytest.mark.parametrize(
    "path",
    [OUTPUT + "Manifest", f"s3://{CLINICAL}/{OUTPUT}Manifest", "123456789012-EntitiesDetection-j/Manifest", "Manifest"],
)
def test_the_manifest_is_found_however_its_path_is_given(batch: Any, path: str) -> None:
    assert collect(path)["records"] == 2


@pytest.mark.parametrize(
    ("unprocessed", "told"),
    [
        (
            {"Files": [{"Input": "documents/d/m1-0001.txt", "ErrorCode": "TOO_LARGE", "ErrorMessage": "over 40 KB"}]},
            "TOO_LARGE: over 40 KB",
        ),
        ("documents/d/m1-0001.txt\n", "no error was given"),
    ],
)
def test_a_partial_success_keeps_what_there_is_and_tells_what_is_missing(
    batch: Any, unprocessed: Any, told: str
) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out")
    put(batch, OUTPUT + "unprocessed", unprocessed)
    manifest(batch, succeeded=2, unprocessed=1, UnprocessedFilesListLocation=OUTPUT + "unprocessed")
    answer = collect()
    assert (answer["records"], answer["documents_unprocessed"]) == (1, 1)
    rejection = json.loads(batch.get_object(Bucket=CLINICAL, Key="batches/batch/rejections/m1.json")["Body"].read())
    assert rejection["reason"] == (
        f"Comprehend Medical did not process 1 of 2 documents of the transcript: {told}. "
        "The entities of the others are kept."
    )
    assert [record["text"] for record in records(batch, "m1")] == ["fever"]


def test_a_partial_recording_is_not_marked_as_finished(batch: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out")
    manifest(batch, succeeded=2)
    collect()
    assert batch.head_object(Bucket=CLINICAL, Key="records/o-m1.jsonl")["Metadata"] == {}


def test_outputs_that_the_manifest_counts_but_that_are_not_there_stop_the_execution(batch: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out")
    with pytest.raises(IncompleteOutput, match="has 2 outputs; its manifest counts 3"):
        collect()


def test_a_manifest_that_has_expired_says_what_to_do(batch: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "Manifest")
    with pytest.raises(IncompleteOutput, match=r"Manifest is not there.*\"reprocess\": true"):
        collect()
