import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lambdas import prepare_documents
from lambdas.prepare_documents import cut
from lambdas.shared.identity import digest
from lambdas.shared.object_faults import REPLACED

CLINICAL = "clinical-bucket"
BATCH = {"batch_id": "batch", "prefix": "batches/batch/"}


@given(st.text(alphabet="ab .!?é😀\n", max_size=300), st.integers(5, 60))
def test_documents_joined_are_the_text_and_stay_below_the_limit(text: str, limit: int) -> None:
    documents = list(cut(text, limit))
    assert "".join(document.text for document in documents) == text
    assert all(0 < len(document.text.encode()) < limit for document in documents)
    assert all(text[document.offset :].startswith(document.text) for document in documents)


def test_cuts_are_at_sentence_ends_where_there_are_any() -> None:
    text = "No fever today. He has no cough. The rest is fine."
    assert [document.text for document in cut(text, 36)] == ["No fever today. He has no cough. ", "The rest is fine."]


def test_without_a_sentence_end_cuts_are_between_words() -> None:
    assert [document.text for document in cut("no fever and no cough", 14)] == ["no fever and ", "no cough"]


@pytest.mark.parametrize("end", ["No fever. ", 'He said "no." ', ". " + " " * 3000, "?!)\n\n"])
def test_a_cut_is_at_the_last_sentence_end_however_far_from_the_limit_it_is(end: str) -> None:
    first, *_ = cut("Yes. " + end + "x" * 5000, len(end) + 4000)
    assert first.text == "Yes. " + end


def test_a_text_below_the_limit_is_one_document() -> None:
    assert [document.text for document in cut("x" * 39, 40)] == ["x" * 39]
    assert len(list(cut("x" * 40, 40))) == 2


def recording(media_id: str, reused: bool = False) -> dict[str, Any]:
    return {
        "media_id": media_id,
        "user_id": "p-1",
        "uri": f"s3://media-bucket/media/p-1/{media_id}.wav",
        "transcript_id": f"{media_id}-t",
        "reused": reused,
    }


def write(s3: Any, key: str, document: Any) -> None:
    s3.put_object(Bucket=CLINICAL, Key=key, Body=json.dumps(document).encode())


def put_transcript(s3: Any, media_id: str, text: str, seconds: float = 1.0) -> None:
    words = [
        {"type": "pronunciation", "start_time": "0.1", "end_time": str(seconds), "alternatives": [{"content": "x"}]}
    ]
    results = {"transcripts": [{"transcript": text}], "items": words if text else []}
    write(s3, f"transcripts/{media_id}-t.json", {"results": results})


def put_plan(s3: Any, *recordings: dict[str, Any]) -> None:
    write(s3, "batches/batch/plan.json", {"recordings": list(recordings)})


def test_each_transcript_becomes_documents_that_know_where_they_come_from(s3: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("MAXIMUM_DOCUMENT_BYTES", "20")
    put_plan(s3, recording("m1"), recording("m2"))
    put_transcript(s3, "m1", "Keine Übelkeit. No pain.", seconds=20.2)
    put_transcript(s3, "m2", "No fever.")
    answer = prepare_documents.handler({"batch": BATCH}, None)
    lines = s3.get_object(Bucket=CLINICAL, Key="batches/batch/documents.jsonl")["Body"].read().decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"document": "m1-0000.txt", "media_id": "m1", "offset": 0, "characters": 16},
        {"document": "m1-0001.txt", "media_id": "m1", "offset": 16, "characters": 8},
        {"document": "m2-0000.txt", "media_id": "m2", "offset": 0, "characters": 9},
    ]
    prefix = answer["uri"].removeprefix(f"s3://{CLINICAL}/")
    assert s3.get_object(Bucket=CLINICAL, Key=prefix + "m1-0000.txt")["Body"].read().decode() == "Keine Übelkeit. "
    listed = s3.list_objects_v2(Bucket=CLINICAL, Prefix=prefix)["Contents"]
    assert len(listed) == answer["count"] == 3
    assert (answer["characters"], answer["estimated_usd"], answer["transcribed"]) == (33, 0.03, 2)
    assert answer["billable_seconds"] == 21 + 15


def test_the_prefix_is_the_same_for_the_same_transcripts_and_another_for_others(s3: Any) -> None:
    put_transcript(s3, "m1", "No fever.")
    put_transcript(s3, "m2", "No pain.")
    put_plan(s3, recording("m1"), recording("m2"))
    both = prepare_documents.handler({"batch": BATCH}, None)
    put_plan(s3, recording("m2"), recording("m1"))
    assert prepare_documents.handler({"batch": BATCH}, None)["uri"] == both["uri"]
    put_plan(s3, recording("m1"))
    assert prepare_documents.handler({"batch": BATCH}, None)["uri"] != both["uri"]


def test_a_recording_without_speech_is_rejected(s3: Any) -> None:
    put_plan(s3, recording("m1"))
    put_transcript(s3, "m1", "")
    assert prepare_documents.handler({"batch": BATCH}, None)["count"] == 0
    body = s3.get_object(Bucket=CLINICAL, Key="batches/batch/rejections/m1.json")["Body"].read()
    assert json.loads(body)["reason"] == "No speech was recognised in the recording."


def test_reused_recordings_make_no_documents(s3: Any) -> None:
    put_plan(s3, recording("m1", reused=True))
    assert prepare_documents.handler({"batch": BATCH}, None)["count"] == 0


def test_a_rejected_recording_needs_no_transcript(s3: Any) -> None:
    put_plan(s3, recording("m1"))
    write(s3, "batches/batch/rejections/m1.json", {"media_id": "m1"})
    assert prepare_documents.handler({"batch": BATCH}, None)["transcribed"] == 0


def reason(s3: Any, media_id: str) -> str:
    body = s3.get_object(Bucket=CLINICAL, Key=f"batches/batch/rejections/{media_id}.json")["Body"].read()
    told: str = json.loads(body)["reason"]
    return told


def test_a_recording_whose_transcript_is_gone_is_rejected_with_what_to_do(s3: Any) -> None:
    put_plan(s3, recording("m1"), recording("m2"))
    put_transcript(s3, "m2", "She has asthma.")
    assert prepare_documents.handler({"batch": BATCH}, None)["transcribed"] == 1
    assert "transcripts/m1-t.json is not there" in reason(s3, "m1")
    assert '"reprocess": true' in reason(s3, "m1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"<html>",
        b"[]",
        b"null",
        b'{"results": {"transcripts": [{"transcript": 5}]}}',
        b'{"results": {"transcripts": [{"transcript": "She has asth',
        b'{"results": {"transcripts": [{"transcript": "\\ud800 is alone"}]}}',
        b'{"results": {"transcripts": [{"transcript": "\xe9"}]}}',
        b'{"results": {"transcripts": [{"transcript": "She"}], "items": [{"end_time": "..."}]}}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:60]),
)
def test_a_transcript_that_is_none_rejects_its_recording_and_no_other(s3: Any, body: bytes) -> None:
    put_plan(s3, recording("m1"), recording("m2"))
    s3.put_object(Bucket=CLINICAL, Key="transcripts/m1-t.json", Body=body)
    put_transcript(s3, "m2", "She has asthma.")
    assert prepare_documents.handler({"batch": BATCH}, None)["transcribed"] == 1
    assert "transcripts/m1-t.json can't be understood" in reason(s3, "m1")
    assert "asth" not in reason(s3, "m1")


def test_a_rejection_is_final_for_its_batch(s3: Any) -> None:
    put_plan(s3, recording("m1"))
    put_transcript(s3, "m1", "She has asthma.")
    write(s3, "batches/batch/rejections/m1.json", {"media_id": "m1"})
    documents = prepare_documents.handler({"batch": BATCH}, None)
    assert (documents["transcribed"], documents["count"]) == (0, 0)


def test_recordings_that_another_execution_took_over_are_left_to_it(s3: Any) -> None:
    put_plan(s3, recording("m1"), recording("m2"))
    for media_id in ("m1", "m2"):
        put_transcript(s3, media_id, "She has asthma.")
    s3.put_object(Bucket=CLINICAL, Key="claims/m1-t", Metadata={"execution": "batch"})
    s3.put_object(Bucket=CLINICAL, Key="claims/m2-t", Metadata={"execution": "later"})
    marker = s3.put_object(Bucket=CLINICAL, Key="batches/batch/taken-over.json", Body=b"{}")["ETag"]
    documents = prepare_documents.handler({"batch": BATCH}, None)
    assert (documents["count"], documents["takeover"]) == (1, marker)
    taken = json.loads(s3.get_object(Bucket=CLINICAL, Key="batches/batch/taken.json")["Body"].read())
    assert [(item["media_id"], item["execution_name"]) for item in taken] == [("m2", "later")]


def put_recording(s3: Any, media_id: str) -> dict[str, Any]:
    """A recording as its plan has it, with a transcript."""
    bucket, key = "media-bucket", f"media/p-1/{media_id}.wav"
    version = s3.put_object(Bucket=bucket, Key=key, Body=b"sound")["VersionId"]
    planned = recording(media_id) | {"media_id": digest(bucket, key, version)}
    put_transcript(s3, media_id, f"{media_id} has asthma.")
    return planned


def test_a_recording_that_was_replaced_while_it_was_transcribed_is_rejected(s3: Any) -> None:
    """Transcribe Medical is told the object and no version: the words may be those of the newer one."""
    planned = [put_recording(s3, media_id) for media_id in ("m1", "m2", "m3")]
    put_plan(s3, *planned)
    s3.put_object(Bucket="media-bucket", Key="media/p-1/m1.wav", Body=b"another")
    s3.delete_object(Bucket="media-bucket", Key="media/p-1/m2.wav")
    assert prepare_documents.handler({"batch": BATCH}, None)["transcribed"] == 2
    assert reason(s3, planned[0]["media_id"]) == REPLACED


def test_a_recording_of_which_s3_tells_no_head_any_more_is_used(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_plan(s3, put_recording(s3, "m1"))
    for code in ("403", "400"):
        denied = ClientError({"Error": {"Code": code}}, "HeadObject")
        monkeypatch.setattr("lambdas.shared.object_faults.find_head", raising(denied))
        assert prepare_documents.handler({"batch": BATCH}, None)["transcribed"] == 1
    monkeypatch.setattr(
        "lambdas.shared.object_faults.find_head", raising(ClientError({"Error": {"Code": "503"}}, "HeadObject"))
    )
    with pytest.raises(ClientError, match="503"):
        prepare_documents.handler({"batch": BATCH}, None)


def raising(error: Exception) -> Any:
    def raises(*arguments: Any) -> None:
        raise error

    return raises
