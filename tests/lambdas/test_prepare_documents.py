import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas import prepare_documents
from lambdas.entities.jobs import documents_of, note_ended, note_started
from lambdas.shared.claim_items import answer_for
from lambdas.shared.identity import digest
from lambdas.shared.ledger import Change
from lambdas.shared.ledger import write as write_item
from lambdas.shared.ledger_keys import claim_key, object_key
from lambdas.shared.object_faults import REPLACED
from lambdas.shared.spending_items import left_cents, settle

CLINICAL = "clinical-bucket"
BATCH = {"batch_id": "batch", "prefix": "batches/batch/"}


def recording(media_id: str, reused: bool = False) -> dict[str, Any]:
    return {
        "media_id": media_id,
        "object_id": f"o-{media_id}",
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


def put_plan(s3: Any, *recordings: dict[str, Any], **more: Any) -> None:
    """What PlanBatch has left: the plan, and in the ledger the planned versions and the claims on them."""
    write(s3, "batches/batch/plan.json", {"recordings": list(recordings), **more})
    for item in recordings:
        write_item(Change(object_key(item["object_id"]), put={"sequence": 1, "version": item["media_id"]}))
        write_item(Change(claim_key(item["transcript_id"]), put={"execution": "batch", "planning": 0}))


def prepare(language: str = "en") -> Any:
    return prepare_documents.handler({"batch": BATCH, "parameters": {"LanguageCode": language}}, None)


def read_index(s3: Any, answer: dict[str, Any]) -> list[dict[str, Any]]:
    body = s3.get_object(Bucket=CLINICAL, Key=answer["index_key"])["Body"].read().decode()
    return [json.loads(line) for line in body.splitlines()]


def read(s3: Any, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=CLINICAL, Key=key)["Body"].read())


def media_ids(s3: Any, answer: dict[str, Any]) -> list[str]:
    return [line["media_id"] for line in read_index(s3, answer)]


def test_each_transcript_becomes_documents_that_know_where_they_come_from(s3: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("MAXIMUM_DOCUMENT_BYTES", "20")
    put_plan(s3, recording("m1"), recording("m2"))
    put_transcript(s3, "m1", "Keine Übelkeit. No pain.", seconds=20.2)
    put_transcript(s3, "m2", "No fever.")
    answer = prepare()
    lines, base = read_index(s3, answer), answer["new"]["base"]
    assert [line | {"document": line["document"][-8:]} for line in lines] == [
        {"document": "0000.txt", "media_id": "m1", "offset": 0, "characters": 16, "job": base},
        {"document": "0001.txt", "media_id": "m1", "offset": 16, "characters": 8, "job": base},
        {"document": "0000.txt", "media_id": "m2", "offset": 0, "characters": 9, "job": base},
    ]
    assert [line["document"].rsplit("-", 2)[0] for line in lines] == ["m1-t", "m1-t", "m2-t"]
    body = s3.get_object(Bucket=CLINICAL, Key=f"documents/{base}/{lines[0]['document']}")["Body"].read()
    assert body.decode() == "Keine Übelkeit. "
    listed = s3.list_objects_v2(Bucket=CLINICAL, Prefix=f"documents/{base}/")["Contents"]
    assert len(listed) == len(documents_of(CLINICAL, base).names) == answer["count"] == answer["new"]["count"] == 3
    assert (answer["characters"], answer["estimated_usd"], answer["new"]["estimated_usd"]) == (33, 0.03, 0.03)
    assert answer["billable_seconds"] == 21 + 15
    assert read(s3, answer["jobs_key"]) == [{"base": base, "documents": 3, "estimated_usd": 0.03}]
    assert read(s3, answer["elsewhere_key"]) == []
    assert read(s3, answer["documented_key"]) == [{"media_id": "m1"}, {"media_id": "m2"}]


def test_the_same_documents_make_the_same_job_and_others_another(s3: Any) -> None:
    put_transcript(s3, "m1", "No fever.")
    put_transcript(s3, "m2", "No pain.")
    put_plan(s3, recording("m1"), recording("m2"))
    both = prepare()["new"]["base"]
    put_plan(s3, recording("m2"), recording("m1"))
    assert prepare()["new"]["base"] == both
    put_plan(s3, recording("m1"))
    assert prepare()["new"]["base"] != both


def test_each_attempt_writes_lists_of_its_own(s3: Any) -> None:
    put_plan(s3)
    first, second = prepare(), prepare()
    assert second["generation"] == first["generation"] + 1
    for name in ("index_key", "jobs_key", "elsewhere_key", "documented_key"):
        assert first[name] != second[name]


def two_and_a_job(s3: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A batch of two recordings, the first in two documents, has answered for its job, which was started."""
    monkeypatch.setenv("MAXIMUM_DOCUMENT_BYTES", "20")
    put_plan(s3, recording("m1"), recording("m2"))
    put_transcript(s3, "m1", "Keine Übelkeit. No pain.")
    put_transcript(s3, "m2", "No fever.")
    answer: dict[str, Any] = prepare()
    assert answer_for("batch", answer["new"]["base"], answer["generation"])
    note_started(answer["new"]["base"], "job-1", 1)
    return answer


def end(s3: Any, base: str, *documents: str) -> None:
    for name in [*(f"{document}.out" for document in documents), "Manifest"]:
        write(s3, f"entities/{base}/{name}", {})
    uri, manifest = f"s3://{CLINICAL}/entities/{base}/", f"entities/{base}/Manifest"
    note_ended(
        base,
        {"service_status": "COMPLETED", "model_version": None, "output_uri": uri, "manifest_path": manifest},
    )


def test_what_a_job_of_ours_covers_is_taken_from_it(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = two_and_a_job(s3, monkeypatch)
    again = prepare()
    assert (again["new"]["base"], again["new"]["count"], again["new"]["estimated_usd"]) == ("", 0, 0)
    assert read_index(s3, again) == read_index(s3, before)
    # It is this batch that has paid.
    assert again["estimated_usd"] == 0.03


def test_what_a_job_of_an_earlier_owner_covers_is_taken_from_it(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base = two_and_a_job(s3, monkeypatch)["new"]["base"]
    later = {"batch_id": "later", "prefix": "batches/later/"}
    put_transcript(s3, "m3", "No cough.")
    write(s3, "batches/later/plan.json", {"recordings": [recording("m1"), recording("m3")]})
    write_item(Change(object_key("o-m3"), put={"sequence": 1, "version": "m3"}))
    write_item(Change(claim_key("m1-t"), put={"execution": "later", "planning": 0}, add={"jobs": {base}}))
    write_item(Change(claim_key("m3-t"), put={"execution": "later", "planning": 0}))
    answer: Any = prepare_documents.handler({"batch": later, "parameters": {"LanguageCode": "en"}}, None)
    assert [(line["media_id"], line["job"] == base) for line in read_index(s3, answer)] == [
        ("m1", True),
        ("m1", True),
        ("m3", False),
    ]
    assert (answer["count"], answer["new"]["count"], answer["estimated_usd"]) == (3, 1, 0.01)
    assert {job["base"] for job in read(s3, answer["jobs_key"])} == {base, answer["new"]["base"]}


def test_what_an_earlier_owner_only_meant_to_start_is_paid_by_this_batch(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = two_and_a_job(s3, monkeypatch)["new"]["base"]
    write_item(Change(f"job#{base}", remove=["id"]))
    write(s3, "batches/later/plan.json", {"recordings": [recording("m1")]})
    write_item(Change(claim_key("m1-t"), put={"execution": "later", "planning": 0}, add={"jobs": {base}}))
    later = {"batch_id": "later", "prefix": "batches/later/"}
    answer: Any = prepare_documents.handler({"batch": later, "parameters": {"LanguageCode": "en"}}, None)
    assert (answer["new"]["count"], answer["estimated_usd"]) == (0, 0.03)


def test_after_a_partial_success_only_what_has_no_output_is_looked_at_again(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = two_and_a_job(s3, monkeypatch)
    names = [line["document"] for line in read_index(s3, first)]
    end(s3, first["new"]["base"], names[0], names[2])
    answer = prepare()
    assert [line["job"] == first["new"]["base"] for line in read_index(s3, answer)] == [True, False, True]
    assert documents_of(CLINICAL, answer["new"]["base"]).names == [names[1]]


def test_a_job_over_what_an_earlier_one_left_out_has_another_name_each_time(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bases = [two_and_a_job(s3, monkeypatch)["new"]["base"]]
    for _ in range(2):
        end(s3, bases[-1])
        answer = prepare()
        bases.append(answer["new"]["base"])
        assert answer_for("batch", bases[-1], answer["generation"])
    assert len({*bases}) == 3


def test_what_decides_how_documents_are_looked_at_is_in_their_names(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    two_and_a_job(s3, monkeypatch)
    assert prepare(language="other")["new"]["count"] == 3
    monkeypatch.setenv("MAXIMUM_DOCUMENT_BYTES", "30")
    assert prepare()["new"]["count"] == 2
    monkeypatch.setenv("MAXIMUM_DOCUMENT_BYTES", "20")
    assert prepare()["new"]["count"] == 0


def test_what_this_batch_has_recorded_already_is_never_looked_at_again(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = two_and_a_job(s3, monkeypatch)["new"]["base"]
    end(s3, base)
    write_item(Change(object_key("o-m1"), put={"recorded": "m1-t", "recorded_by": "batch"}))
    answer = prepare()
    assert documents_of(CLINICAL, answer["new"]["base"]).names == [read_index(s3, answer)[2]["document"]]
    assert media_ids(s3, answer) == ["m1", "m1", "m2"]


def test_a_recording_without_speech_is_rejected(s3: Any) -> None:
    put_plan(s3, recording("m1"))
    put_transcript(s3, "m1", "")
    assert prepare()["count"] == 0
    body = s3.get_object(Bucket=CLINICAL, Key="batches/batch/rejections/m1.json")["Body"].read()
    assert json.loads(body)["reason"] == "No speech was recognised in the recording."


def test_reused_recordings_make_no_documents(s3: Any) -> None:
    put_plan(s3, recording("m1", reused=True))
    assert prepare()["count"] == 0


def test_a_rejected_recording_needs_no_transcript(s3: Any) -> None:
    put_plan(s3, recording("m1"))
    write(s3, "batches/batch/rejections/m1.json", {"media_id": "m1"})
    assert prepare()["count"] == 0


def reason(s3: Any, media_id: str) -> str:
    body = s3.get_object(Bucket=CLINICAL, Key=f"batches/batch/rejections/{media_id}.json")["Body"].read()
    told: str = json.loads(body)["reason"]
    return told


def test_a_recording_whose_transcript_is_gone_is_rejected_with_what_to_do(s3: Any) -> None:
    put_plan(s3, recording("m1"), recording("m2"))
    put_transcript(s3, "m2", "She has asthma.")
    assert media_ids(s3, prepare()) == ["m2"]
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
    assert media_ids(s3, prepare()) == ["m2"]
    assert "transcripts/m1-t.json can't be understood" in reason(s3, "m1")
    assert "asth" not in reason(s3, "m1")


def test_a_rejection_is_final_for_its_batch(s3: Any) -> None:
    put_plan(s3, recording("m1"))
    put_transcript(s3, "m1", "She has asthma.")
    write(s3, "batches/batch/rejections/m1.json", {"media_id": "m1"})
    assert prepare()["count"] == 0


def test_recordings_that_another_execution_took_over_are_left_to_it(s3: Any) -> None:
    put_plan(s3, *(recording(media_id) for media_id in ("m1", "m2", "m3")))
    for media_id in ("m1", "m2", "m3"):
        put_transcript(s3, media_id, "She has asthma.")
    write_item(Change(claim_key("m2-t"), put={"execution": "later", "planning": 0}))
    write_item(Change(object_key("o-m3"), put={"recorded": "m3-t", "recorded_by": "another"}))
    answer = prepare()
    assert media_ids(s3, answer) == ["m1"]
    left = read(s3, answer["elsewhere_key"])
    assert [(item["media_id"], item["execution_name"]) for item in left] == [("m2", "later"), ("m3", "another")]


def test_a_recording_of_which_a_newer_version_was_planned_is_rejected(s3: Any) -> None:
    put_plan(s3, recording("m1"))
    put_transcript(s3, "m1", "She has asthma.")
    write_item(Change(object_key("o-m1"), put={"version": "newer"}))
    assert prepare()["count"] == 0
    assert reason(s3, "m1") == REPLACED


@pytest.mark.parametrize("key", [object_key("o-m1"), claim_key("m1-t")])
def test_a_recording_that_the_ledger_does_not_know_is_rejected(s3: Any, key: str) -> None:
    put_plan(s3, recording("m1"))
    put_transcript(s3, "m1", "She has asthma.")
    boto3.client("dynamodb").delete_item(TableName="ledger-table", Key={"pk": {"S": key}})
    assert prepare()["count"] == 0
    assert "The ledger has no claim on this recording" in reason(s3, "m1")


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
    assert media_ids(s3, prepare()) == [item["media_id"] for item in planned[1:]]
    assert reason(s3, planned[0]["media_id"]) == REPLACED


def test_a_recording_of_which_s3_tells_no_head_any_more_is_used(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_plan(s3, put_recording(s3, "m1"))
    for code in ("403", "400"):
        denied = ClientError({"Error": {"Code": code}}, "HeadObject")
        monkeypatch.setattr("lambdas.shared.object_faults.find_head", raising(denied))
        assert prepare()["count"] == 1
    monkeypatch.setattr(
        "lambdas.shared.object_faults.find_head", raising(ClientError({"Error": {"Code": "503"}}, "HeadObject"))
    )
    with pytest.raises(ClientError, match="503"):
        prepare()


def raising(error: Exception) -> Any:
    def raises(*arguments: Any) -> None:
        raise error

    return raises


def planned_costs(transcription_usd: float, reserved_on: str | None = "2026-11-27") -> dict[str, Any]:
    costs = {"transcribe_medical": transcription_usd, "comprehend_medical": 5, "total": transcription_usd + 5}
    return {"estimate": costs, "bound": costs, "reserved_on": reserved_on}


def left_of_a_dollar() -> int:
    return left_cents("2026-11-27", "another", 100)


def test_the_real_cost_replaces_the_reservation_of_the_day(s3: Any) -> None:
    settle("batch", "2026-11-27", 501)
    put_plan(s3, recording("m1"), costs=planned_costs(0.01))
    put_transcript(s3, "m1", "No fever.", seconds=160)
    for _ in range(2):
        prepare()
        # 0.20 of transcription, more than estimated, and one unit.
        assert left_of_a_dollar() == 100 - 21


def test_silence_that_was_transcribed_stays_in_the_sum_of_the_day(s3: Any) -> None:
    settle("batch", "2026-11-27", 515)
    put_plan(s3, recording("m1"), costs=planned_costs(0.15))
    put_transcript(s3, "m1", "")
    prepare()
    assert left_of_a_dollar() == 100 - 15


def test_without_a_reservation_nothing_is_put_into_a_day(s3: Any) -> None:
    put_transcript(s3, "m1", "No fever.")
    put_plan(s3, recording("m1"), costs=planned_costs(0.15, None))
    prepare()
    put_plan(s3, recording("m1"))
    prepare()
    assert left_of_a_dollar() == 100
