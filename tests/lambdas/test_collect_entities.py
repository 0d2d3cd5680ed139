import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import collect_entities
from lambdas.entities import outputs
from lambdas.entities.jobs import note_ended
from lambdas.shared import storage
from lambdas.shared.errors import IncompleteOutput
from lambdas.shared.identity import digest
from lambdas.shared.layout import collected_key, collected_prefix, last_attempts
from lambdas.shared.ledger import Change, write
from lambdas.shared.ledger_keys import object_key
from lambdas.shared.object_items import read_object
from lambdas.shared.storage import list_keys, read_bytes

CLINICAL = "clinical-bucket"
OUTPUT = "entities/123456789012-EntitiesDetection-j/"
BATCH = {"batch_id": "batch", "prefix": "batches/batch/"}
OURS = {"execution": "batch"}
DOCUMENTS: Any = {"index_key": "batches/batch/documents-1.jsonl", "generation": 1}
PHI = {"ContentIdentificationType": "PHI"}


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
    for media_id in ("m1", "m2"):
        write(Change(object_key(f"o-{media_id}"), put={"sequence": 1, "version": media_id}))
    put_index(s3, *DOCUMENTS_OF_J)
    trait = {"Name": "NEGATION", "Score": 0.8}
    attribute = {
        "Type": "ACUITY", "Score": 0.7, "Text": "No", "BeginOffset": 0, "EndOffset": 2, "Id": 1,
        "Category": "MEDICAL_CONDITION", "RelationshipType": "ACUITY", "RelationshipScore": 0.6,
        "Traits": [{"Name": "FUTURE", "Score": 0.5}],
    }  # fmt: skip
    put(
        s3,
        OUTPUT + "m1-0000.txt.out",
        {"Entities": [entity("fever", 3, Traits=[trait], Attributes=[attribute])], "ModelVersion": "2.4.0"},
    )
    put(s3, OUTPUT + "m1-0001.txt.out", {"Entities": [entity("cough", 0)]})
    put(s3, OUTPUT + "m2-0000.txt.out", {"Entities": []})
    manifest(s3, succeeded=3)
    return s3


DOCUMENTS_OF_J = [
    ("m1-0000.txt", "m1", 0, "d1"),
    ("m1-0001.txt", "m1", 10, "d1"),
    ("m2-0000.txt", "m2", 0, "d1"),
]


def put_index(s3: Any, *documents: tuple[str, str, int, str | None]) -> None:
    lines = [
        json.dumps({"document": name, "media_id": media_id, "offset": offset, "characters": 9, "job": job})
        for name, media_id, offset, job in documents
    ]
    put(s3, DOCUMENTS["index_key"], "\n".join(lines) + "\n")


def manifest(s3: Any, succeeded: int, unprocessed: int = 0, **more: Any) -> None:
    summary = {"Status": "COMPLETED", "SuccessFilesCount": succeeded, "UnprocessedFilesCount": unprocessed, **more}
    put(s3, OUTPUT + "Manifest", {"Summary": summary})


def end(base: str, prefix: str, manifest_path: str) -> None:
    uri = f"s3://{CLINICAL}/{prefix}"
    note_ended(
        base, {"service_status": "COMPLETED", "model_version": None, "output_uri": uri, "manifest_path": manifest_path}
    )


def collect(
    manifest_path: str = OUTPUT + "Manifest",
    transcription: dict[str, Any] | None = None,
    media_ids: tuple[str, ...] = ("m1", "m2"),
    retries: int = 0,
    redrives: int = 0,
) -> Any:
    """The counts that the child over these recordings writes."""
    end("d1", OUTPUT, manifest_path)
    event: Any = {
        "batch": BATCH, "documents": DOCUMENTS, "parameters": transcription or {}, "media_ids": [*media_ids],
        "retry_count": retries, "redrive_count": redrives,
    }  # fmt: skip
    assert collect_entities.handler(event, None) == {}
    return json.loads(read_bytes(CLINICAL, collected_key("batch", 1, digest(*media_ids), redrives, retries)))


def left(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """The recordings left to others, and to whom."""
    return [(item["media_id"], item["execution_name"]) for item in answer["elsewhere"]]


def read(s3: Any, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=CLINICAL, Key=key)["Body"].read())


def reason(s3: Any, media_id: str) -> str:
    told: str = read(s3, f"batches/batch/rejections/{media_id}.json")["reason"]
    return told


def records(s3: Any, media_id: str) -> list[dict[str, Any]]:
    body = s3.get_object(Bucket=CLINICAL, Key=f"records/o-{media_id}.jsonl")["Body"].read().decode()
    return [json.loads(line) for line in body.splitlines()]


def test_records_know_patient_recording_offset_and_second(batch: Any) -> None:
    answer = collect()
    assert answer == {
        "records": 2,
        "by_category": {"MEDICAL_CONDITION": 2},
        "phi_labels": 0,
        "documents": 3,
        "documents_unprocessed": 0,
        "rejected": 0,
        "elsewhere": [],
    }
    first, second = records(batch, "m1")
    assert first == {
        "user_id": "p-m1",
        "media_id": "m1",
        "media_uri": "s3://media-bucket/media/p-m1/a.wav",
        "uploaded_at": "2026-01-01T00:00:00+00:00",
        "audience_consent": True,
        "transcript_id": "m1-t",
        "source": "comprehend_medical",
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
                "id": 1,
                "category": "MEDICAL_CONDITION",
                "type": "ACUITY",
                "text": "No",
                "score": 0.7,
                "relationship_type": "ACUITY",
                "relationship_score": 0.6,
                "begin_offset": 0,
                "end_offset": 2,
                "traits": [{"name": "FUTURE", "score": 0.5}],
            }
        ],
        "attribute_of": None,
        "model_version": "2.4.0",
        "speaker": None,
        "channel": None,
        "confidence": None,
        "alternatives": [],
    }
    assert (second["begin_offset"], second["end_offset"]) == (10, 15)
    assert (second["start_seconds"], second["end_seconds"]) == (2.0, 2.5)


def test_a_child_touches_only_its_own_recordings(batch: Any) -> None:
    assert collect(media_ids=("m2",))["documents"] == 1
    assert "Contents" not in batch.list_objects_v2(Bucket=CLINICAL, Prefix="records/o-m1")
    assert (read_object("o-m1").recorded, read_object("o-m2").recorded) == ("", "m2-t")


def test_the_last_attempt_of_a_child_counts_even_if_an_earlier_one_ends_after_it(batch: Any) -> None:
    collect(redrives=1)
    collect(media_ids=("m2",))
    collect(retries=10)
    collect(retries=9)
    counted = last_attempts(list_keys(CLINICAL, collected_prefix("batch", 1)))
    children = {("m1", "m2"): (1, 0), ("m2",): (0, 0)}
    assert set(counted) == {collected_key("batch", 1, digest(*ids), *attempt) for ids, attempt in children.items()}


def test_a_job_with_many_outputs_is_listed_up_to_the_first(batch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def listed(bucket: str, prefix: str) -> Iterator[str]:
        for key in list_keys(bucket, prefix):
            seen.append(key)
            yield key

    monkeypatch.setattr(outputs, "list_keys", listed)
    collect()
    assert [key for key in seen if key.endswith(".out")] == [OUTPUT + "m1-0000.txt.out"]


def test_a_recording_without_entities_is_finished_too(batch: Any) -> None:
    collect()
    assert records(batch, "m2") == []
    metadata = batch.head_object(Bucket=CLINICAL, Key="records/o-m2.jsonl")["Metadata"]
    assert metadata == OURS | {"transcript-id": "m2-t"}
    item = read_object("o-m2")
    assert (item.recorded, item.recorded_by) == ("m2-t", "batch")


@pytest.mark.parametrize(
    "path",
    [OUTPUT + "Manifest", f"s3://{CLINICAL}/{OUTPUT}Manifest", "123456789012-EntitiesDetection-j/Manifest", "Manifest"],
)
def test_the_manifest_is_found_however_its_path_is_given(batch: Any, path: str) -> None:
    assert collect(path)["records"] == 2


@pytest.mark.parametrize(
    ("unprocessed", "given"),
    [
        (
            {"Files": [{"Input": "documents/d/m1-0001.txt", "ErrorCode": "TOO_LARGE", "ErrorMessage": "over 40 KB"}]},
            "TOO_LARGE: over 40 KB",
        ),
        ("documents/d/m1-0001.txt\n", "no error was given"),
    ],
)
def test_a_partial_success_keeps_what_there_is_and_tells_what_is_missing(
    batch: Any, unprocessed: Any, given: str
) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out")
    put(batch, OUTPUT + "unprocessed", unprocessed)
    manifest(batch, succeeded=2, unprocessed=1, UnprocessedFilesListLocation=OUTPUT + "unprocessed")
    answer = collect()
    assert (answer["records"], answer["documents_unprocessed"], answer["rejected"]) == (1, 1, 1)
    assert reason(batch, "m1") == (
        f"The entities of 1 of 2 documents of the transcript are missing: {given}. The entities of the other documents "
        "are stored. Start again with this recording: only documents without output are analysed and charged again. If "
        "an output can't be read, delete it first."
    )
    assert [record["text"] for record in records(batch, "m1")] == ["fever"]


def test_a_partial_recording_is_not_marked_as_finished(batch: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out")
    manifest(batch, succeeded=2)
    collect()
    assert batch.head_object(Bucket=CLINICAL, Key="records/o-m1.jsonl")["Metadata"] == OURS
    assert read_object("o-m1").recorded == ""


def test_an_output_that_is_not_there_rejects_its_recording_and_no_other(batch: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m2-0000.txt.out")
    answer = collect()
    assert (answer["records"], answer["documents_unprocessed"], answer["rejected"]) == (2, 1, 1)
    assert "no output and no error was written" in reason(batch, "m2")


def test_outputs_none_of_which_is_there_stop_the_execution(batch: Any) -> None:
    for name in ("m1-0000", "m1-0001", "m2-0000"):
        batch.delete_object(Bucket=CLINICAL, Key=f"{OUTPUT}{name}.txt.out")
    with pytest.raises(IncompleteOutput, match=r"has no output, but the manifest counts 3.*\"reprocess\": true"):
        collect()


UNREADABLE = [
    b"",
    b"\xff",
    b"<html>",
    b"[]",
    b"null",
    b'{"Entities": [{"Text": "fe',
    b'{"Entities": [{}]}',
    b'{"Entities": [5]}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:40]))
def test_an_output_that_is_none_rejects_its_recording_and_no_other(batch: Any, body: bytes) -> None:
    batch.put_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out", Body=body)
    answer = collect()
    assert (answer["documents_unprocessed"], answer["rejected"]) == (1, 1)
    assert "m1-0001.txt.out can't be understood" in reason(batch, "m1")
    assert [record["text"] for record in records(batch, "m1")] == ["fever"]
    assert batch.head_object(Bucket=CLINICAL, Key="records/o-m2.jsonl")["Metadata"]["transcript-id"] == "m2-t"


@pytest.mark.parametrize("body", [*UNREADABLE, b'{"results": {}}'], ids=lambda body: repr(body[:40]))
def test_a_transcript_that_is_none_rejects_its_recording_and_no_other(batch: Any, body: bytes) -> None:
    batch.put_object(Bucket=CLINICAL, Key="transcripts/m1-t.json", Body=body)
    answer = collect()
    assert (answer["documents_unprocessed"], answer["rejected"]) == (0, 1)
    assert "transcripts/m1-t.json can't be understood" in reason(batch, "m1")
    assert batch.head_object(Bucket=CLINICAL, Key="records/o-m2.jsonl")["Metadata"]["transcript-id"] == "m2-t"


def test_a_transcript_that_is_gone_rejects_its_recording(batch: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key="transcripts/m1-t.json")
    assert collect()["rejected"] == 1
    assert "transcripts/m1-t.json is not there" in reason(batch, "m1")


@pytest.mark.parametrize("body", ["", "[]", '{"Summary": 5}', '{"Summary": {"SuccessFilesCount": "x"}}', "<html>"])
def test_a_manifest_that_is_none_says_what_to_do(batch: Any, body: str) -> None:
    put(batch, OUTPUT + "Manifest", body)
    with pytest.raises(IncompleteOutput, match=r"Manifest isn't a manifest.*\"reprocess\": true"):
        collect()


@pytest.mark.parametrize("unprocessed", [None, [1], {"Files": [{}]}, {"Files": 5}, {"Files": [{"Input": 5}]}])
def test_a_list_of_reasons_that_cannot_be_read_decides_nothing(batch: Any, unprocessed: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out")
    if unprocessed is not None:
        put(batch, OUTPUT + "unprocessed", unprocessed)
    manifest(batch, succeeded=2, unprocessed=1, UnprocessedFilesListLocation=OUTPUT + "unprocessed")
    assert collect()["rejected"] == 1
    assert "no output and no error was written" in reason(batch, "m1")


def test_a_manifest_that_has_expired_says_what_to_do(batch: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "Manifest")
    with pytest.raises(IncompleteOutput, match=r"Manifest is not there.*\"reprocess\": true"):
        collect()


@pytest.fixture
def labelled(batch: Any) -> Any:
    """The first recording again, with all that Transcribe may say of it: "cough" is a name, on the second channel."""
    document = read(batch, "transcripts/m1-t.json")
    results = document["results"]
    for item, channel, confidence in zip(results["items"], (0, 0, 1), ("0.9", "0.8", "0.7"), strict=True):
        item |= {"speaker_label": f"spk_{channel}", "channel_label": f"ch_{channel}"}
        item["alternatives"][0]["confidence"] = confidence
    said = [{"transcript": "cough"}, {"transcript": "calf"}]
    results["segments"] = [{"start_time": "1.9", "end_time": "2.6", "alternatives": said}]
    results["entities"] = [
        {"content": "cough", "category": "PHI-Personal", "startTime": 2.0, "endTime": 2.6, "confidence": 0.95},
        {"content": "Bertrand", "category": "PHI-Personal", "startTime": 9.0, "endTime": 9.5, "confidence": 0.6},
    ]
    put(batch, "transcripts/m1-t.json", document)
    return batch


def test_records_know_who_said_it_and_how_sure_that_is(labelled: Any) -> None:
    collect()
    first, second, *_ = records(labelled, "m1")
    assert (first["speaker"], first["channel"], first["confidence"], first["alternatives"]) == (
        "spk_0",
        "ch_0",
        0.8,
        [],
    )
    assert (second["speaker"], second["channel"], second["confidence"]) == ("spk_1", "ch_1", 0.7)
    assert second["alternatives"] == ["calf"]


def test_labels_become_records_that_are_counted_apart(labelled: Any) -> None:
    answer = collect()
    assert (answer["records"], answer["by_category"], answer["phi_labels"]) == (2, {"MEDICAL_CONDITION": 2}, 2)
    entity_record, _, label, unplaced = records(labelled, "m1")
    assert set(label) == set(entity_record)
    common = ("user_id", "media_id", "media_uri", "uploaded_at", "audience_consent", "transcript_id")
    assert all(label[name] == entity_record[name] for name in common)
    assert {name: value for name, value in label.items() if name not in common} == {
        "source": "transcribe_medical",
        "document": None,
        "entity_id": None,
        "category": "PROTECTED_HEALTH_INFORMATION",
        "type": "PHI-Personal",
        "text": "cough",
        "score": 0.95,
        "begin_offset": 10,
        "end_offset": 15,
        "start_seconds": 2.0,
        "end_seconds": 2.6,
        "traits": [],
        "attributes": [],
        "attribute_of": None,
        "model_version": None,
        "speaker": "spk_1",
        "channel": "ch_1",
        "confidence": 0.7,
        "alternatives": ["calf"],
    }
    assert (unplaced["text"], unplaced["begin_offset"], unplaced["end_offset"]) == ("Bertrand", None, None)
    assert (unplaced["start_seconds"], unplaced["end_seconds"], unplaced["speaker"]) == (9.0, 9.5, None)


def test_an_attribute_of_no_entity_is_a_record_that_no_count_and_no_cohort_takes(batch: Any) -> None:
    dose = {
        "Type": "DOSAGE", "Score": 0.7, "Text": "cough", "BeginOffset": 0, "EndOffset": 5, "Id": 4, "Traits": [],
    }  # fmt: skip
    unmapped = [{"Type": "MEDICATION", "Attribute": dose}]
    put(batch, OUTPUT + "m1-0001.txt.out", {"Entities": [], "UnmappedAttributes": unmapped, "ModelVersion": "2.4.0"})
    assert collect()["by_category"] == {"MEDICAL_CONDITION": 1}
    entity_record, record = records(batch, "m1")
    assert set(record) == set(entity_record)
    assert (record["category"], record["type"], record["attribute_of"]) == (
        "UNMAPPED_ATTRIBUTE",
        "DOSAGE",
        "MEDICATION",
    )
    assert (record["document"], record["entity_id"], record["model_version"]) == ("m1-0001.txt", 4, "2.4.0")
    assert (record["begin_offset"], record["end_offset"], record["start_seconds"]) == (10, 15, 2.0)


def test_a_transcript_is_deidentified_by_the_labels_and_the_entities(labelled: Any) -> None:
    name = entity("fever", 3, Category="PROTECTED_HEALTH_INFORMATION", Type="NAME")
    put(labelled, OUTPUT + "m1-0000.txt.out", {"Entities": [name]})
    collect(transcription=PHI)
    document = read(labelled, "deidentified/m1-t.json")
    assert (document["transcript_id"], document["complete"]) == ("m1-t", True)
    assert document["text"] == "No [NAME]. [PHI-Personal]"
    assert [word["text"] for word in document["words"]] == ["No", "[NAME]", "[PHI-Personal]"]
    assert [(mask["category"], mask["source"], mask["start_seconds"]) for mask in document["masked"]] == [
        ("NAME", "comprehend_medical", 0.6),
        ("PHI-Personal", "transcribe_medical", 2.0),
        ("PHI-Personal", "transcribe_medical", 9.0),
    ]
    assert read(labelled, "deidentified/m2-t.json")["text"] == "No fever. cough"


def test_a_recording_of_which_documents_are_missing_is_deidentified_as_far_as_is_known(labelled: Any) -> None:
    labelled.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0000.txt.out")
    manifest(labelled, succeeded=2)
    collect(transcription=PHI)
    document = read(labelled, "deidentified/m1-t.json")
    assert (document["text"], document["complete"]) == ("No fever. [PHI-Personal]", False)
    assert read(labelled, "deidentified/m2-t.json")["complete"] is True


def test_nothing_is_deidentified_unless_phi_was_asked_for(labelled: Any) -> None:
    collect()
    assert labelled.list_objects_v2(Bucket=CLINICAL, Prefix="deidentified/")["KeyCount"] == 0


def test_a_recording_of_which_a_newer_version_was_planned_keeps_what_there_is(batch: Any) -> None:
    write(Change(object_key("o-m1"), put={"version": "newer", "sequence": 2}))
    batch.put_object(Bucket=CLINICAL, Key="records/o-m1.jsonl", Body=b"newer")
    answer = collect()
    assert (answer["records"], answer["rejected"]) == (0, 1)
    assert batch.get_object(Bucket=CLINICAL, Key="records/o-m1.jsonl")["Body"].read() == b"newer"
    assert reason(batch, "m1") == (
        "A newer version of the object was planned meanwhile; the records of the newer version count."
    )


def test_records_of_another_version_of_the_object_are_replaced(batch: Any) -> None:
    batch.put_object(Bucket=CLINICAL, Key="records/o-m1.jsonl", Body=b"older", Metadata={"transcript-id": "older"})
    assert (collect()["rejected"], [row["text"] for row in records(batch, "m1")]) == (0, ["fever", "cough"])


def test_what_this_execution_has_recorded_already_is_counted_again_and_not_written(batch: Any) -> None:
    first = collect()
    before = batch.head_object(Bucket=CLINICAL, Key="records/o-m1.jsonl")["VersionId"]
    assert collect() == first
    assert batch.head_object(Bucket=CLINICAL, Key="records/o-m1.jsonl")["VersionId"] == before


def test_what_another_execution_has_recorded_is_left_to_it(batch: Any) -> None:
    write(Change(object_key("o-m1"), put={"recorded": "m1-t", "recorded_by": "another"}))
    answer = collect()
    assert left(answer) == [("m1", "another")]
    assert (answer["records"], answer["rejected"]) == (0, 0)
    assert "Contents" not in batch.list_objects_v2(Bucket=CLINICAL, Prefix="records/o-m1")


def test_complete_records_that_another_execution_is_about_to_record_are_kept_from_incomplete_ones(batch: Any) -> None:
    theirs = {"transcript-id": "m1-t", "execution": "another"}
    batch.put_object(Bucket=CLINICAL, Key="records/o-m1.jsonl", Body=b"theirs", Metadata=theirs)
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out")
    assert left(collect()) == [("m1", "another")]
    assert batch.get_object(Bucket=CLINICAL, Key="records/o-m1.jsonl")["Body"].read() == b"theirs"


def test_records_that_another_execution_writes_at_the_same_moment_are_looked_at_again(
    batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_head = storage.find_head

    def overtaken(bucket: str, key: str) -> Any:
        there = find_head(bucket, key)
        if key == "records/o-m2.jsonl":
            monkeypatch.setattr(collect_entities, "find_head", find_head)
            batch.put_object(Bucket=CLINICAL, Key=key, Body=b"theirs")
            write(Change(object_key("o-m2"), put={"recorded": "m2-t", "recorded_by": "another"}))
        return there

    monkeypatch.setattr(collect_entities, "find_head", overtaken)
    assert left(collect()) == [("m2", "another")]
    assert batch.get_object(Bucket=CLINICAL, Key="records/o-m2.jsonl")["Body"].read() == b"theirs"


def test_records_that_keep_changing_fail_the_step(batch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_entities, "write_records", lambda *arguments, **named: False)
    with pytest.raises(RuntimeError, match=r"records/o-m1.jsonl changed 10 times while execution batch"):
        collect()


def test_a_missing_right_to_write_records_fails_the_step(batch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(collect_entities, "write_json_lines", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        collect()


def test_the_documents_of_a_recording_may_come_from_several_jobs(batch: Any) -> None:
    put_index(batch, ("m1-0000.txt", "m1", 0, "d1"), ("m1-0001.txt", "m1", 10, "d2"), ("m2-0000.txt", "m2", 0, None))
    other = "entities/other/"
    put(batch, other + "m1-0001.txt.out", {"Entities": [entity("calf", 0)]})
    put(batch, other + "Manifest", {"Summary": {"SuccessFilesCount": 1, "UnprocessedFilesCount": 0}})
    end("d2", other, other + "Manifest")
    assert collect()["documents_unprocessed"] == 1
    assert [row["text"] for row in records(batch, "m1")] == ["fever", "calf"]
    assert "no job has analysed it" in reason(batch, "m2")


def page(s3: Any, media_id: str) -> str:
    html: str = s3.get_object(Bucket=CLINICAL, Key=f"reports/{media_id}-t.html")["Body"].read().decode()
    return html


def test_each_recording_gets_a_page_with_its_transcript_and_findings(batch: Any) -> None:
    collect()
    assert ">fever<" in page(batch, "m1")
    assert "Incomplete." not in page(batch, "m1")
    assert "Nothing was found in this recording." in page(batch, "m2")


def test_the_page_of_a_recording_with_an_unprocessed_document_says_so(batch: Any) -> None:
    batch.delete_object(Bucket=CLINICAL, Key=OUTPUT + "m1-0001.txt.out")
    manifest(batch, succeeded=2, unprocessed=1)
    assert collect()["rejected"] == 1
    assert "Incomplete." in page(batch, "m1")
    assert "Incomplete." not in page(batch, "m2")


def test_a_page_that_can_not_be_written_leaves_its_recording_unfinished(
    batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(collect_entities, "write_page", refuse)
    with pytest.raises(ClientError):
        collect()
    assert "Contents" not in batch.list_objects_v2(Bucket=CLINICAL, Prefix="records/")
