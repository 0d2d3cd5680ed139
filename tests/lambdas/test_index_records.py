import json
from typing import Any

import boto3
import pytest

from lambdas import index_records
from lambdas.cohorts.people import read_people
from lambdas.shared import recording_files
from lambdas.shared.analysis_items import read_changed
from lambdas.shared.ledger import Change, write
from lambdas.shared.ledger_keys import object_key
from lambdas.shared.members import read_alike
from lambdas.shared.object_items import ObjectItem, plan, read_object
from tests.lambdas.rebuilding import FEVER, rebuild

CLINICAL = "clinical-bucket"


@pytest.fixture(autouse=True)
def cohorts(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COHORTS", json.dumps([FEVER]))


def put(s3: Any, object_id: str = "o", metadata: dict[str, str] | None = None, **more: Any) -> None:
    line = {
        "user_id": "p-1", "media_id": "v1", "audience_consent": True, "category": "MEDICAL_CONDITION", "score": 0.9,
        "text": "fever", "traits": [], **more,
    }  # fmt: skip
    body = json.dumps(line).encode() + b"\n"
    s3.put_object(Bucket=CLINICAL, Key=f"records/{object_id}.jsonl", Body=body, Metadata=metadata or {})


def planned(object_id: str, *, consents: bool) -> None:
    assert plan(object_id, read_object(object_id), "v2", "", consents=consents)


def members() -> set[str] | None:
    return read_people([FEVER])["fever"]


@pytest.mark.parametrize("consents", [True, False])
def test_the_newest_planned_version_decides_on_consent(s3: Any, consents: bool) -> None:
    put(s3)
    planned("o", consents=consents)
    rebuild()
    assert members() == ({"p-1"} if consents else set())
    assert read_alike("p-1") == {"p-1"}


def test_the_consent_of_a_newer_version_makes_nobody_a_member_by_records_without_it(s3: Any) -> None:
    put(s3, audience_consent=False)
    planned("o", consents=True)
    rebuild()
    assert members() == set()


def test_a_person_stays_a_member_by_another_recording(s3: Any) -> None:
    for object_id in ("one", "other"):
        put(s3, object_id)
    planned("one", consents=False)
    rebuild()
    assert members() == {"p-1"}


def test_a_consent_that_is_withdrawn_while_records_are_read_counts(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3)
    planned("o", consents=True)
    read = recording_files.read_stored_file
    read_times: list[str] = []

    def withdrawn_meanwhile(bucket: str, key: str) -> Any:
        stored = read(bucket, key)
        if not read_times:
            planned("o", consents=False)
        read_times.append(key)
        return stored

    monkeypatch.setattr(index_records, "read_stored_file", withdrawn_meanwhile)
    rebuild()
    assert members() == set()
    assert len(read_times) == 2


def test_an_object_that_is_read_is_written_so_that_an_earlier_read_of_it_is_refused(s3: Any) -> None:
    put(s3, text="cough")
    planned("o", consents=True)
    before = read_object("o")
    rebuild()
    assert read_object("o") == before._replace(sequence=before.sequence + 1)


def test_an_object_leaves_the_indexes_that_its_records_belong_to_no_more(s3: Any) -> None:
    put(s3)
    planned("o", consents=True)
    rebuild()
    assert members() == {"p-1"}
    put(s3, text="cough")
    rebuild()
    assert members() == set()
    assert read_object("o").indexes == set()


def test_records_that_are_gone_make_nobody_a_member(s3: Any) -> None:
    put(s3)
    planned("o", consents=True)
    rebuild()
    s3.delete_object(Bucket=CLINICAL, Key="records/o.jsonl")
    index_records.handler({"batch_id": "b", "keys": ["records/o.jsonl", "records/never.jsonl"]}, None)
    assert members() == set()
    assert read_object("never") == ObjectItem()


@pytest.mark.parametrize("transcript_id", ["v1-settings", ""])
def test_an_object_without_an_item_gets_it_back_from_its_records(s3: Any, transcript_id: str) -> None:
    metadata = {"execution": "e-1"} | ({"transcript-id": transcript_id} if transcript_id else {})
    put(s3, metadata=metadata)
    rebuild()
    item = read_object("o")
    assert (item.version, item.consent, item.recorded, item.recorded_by) == ("v1", True, transcript_id, "e-1")
    assert members() == {"p-1"}


def test_an_object_that_gets_its_item_back_is_listed_for_the_compaction_and_one_that_is_only_indexed_is_not(
    s3: Any,
) -> None:
    put(s3)
    planned("o", consents=True)
    rebuild()
    assert read_changed("o", 10) == []
    boto3.client("dynamodb").delete_item(TableName="ledger-table", Key={"pk": {"S": object_key("o")}})
    rebuild()
    index_records.handler({"batch_id": "b", "keys": ["records/o.jsonl"]}, None)
    assert read_changed("o", 10) == [("o", 1)]


def test_records_without_findings_give_an_item_back_and_no_member(s3: Any) -> None:
    s3.put_object(Bucket=CLINICAL, Key="records/o.jsonl", Body=b"", Metadata={"transcript-id": "v1-settings"})
    s3.put_object(Bucket=CLINICAL, Key="records/unknown.jsonl", Body=b"")
    rebuild()
    assert read_object("o").recorded == "v1-settings"
    assert read_object("unknown") == ObjectItem()
    assert members() == set()


@pytest.mark.parametrize(
    "body", [b"\xff", b"{", b"[]", b"5", b'{"user_id": null}', b"[" * 100_000], ids=lambda body: repr(body[:20])
)
def test_unreadable_records_are_reported_and_the_others_count(s3: Any, body: bytes) -> None:
    put(s3)
    s3.put_object(Bucket=CLINICAL, Key="records/spoiled.jsonl", Body=body)
    answer = rebuild()
    assert members() == {"p-1"}
    assert answer["unreadable_records"]["count"] == 1
    (sentence,) = answer["unreadable_records"]["first"]
    assert sentence.startswith(f"s3://{CLINICAL}/records/spoiled.jsonl can't be understood")


def test_all_unreadable_records_are_counted_and_the_first_are_named(s3: Any) -> None:
    for number in range(30):
        s3.put_object(Bucket=CLINICAL, Key=f"records/{number:02}.jsonl", Body=b"?")
    unreadable = rebuild()["unreadable_records"]
    assert (unreadable["count"], len(unreadable["first"])) == (30, 20)


def test_unreadable_records_end_the_membership_by_earlier_ones(s3: Any) -> None:
    put(s3)
    planned("o", consents=True)
    rebuild()
    s3.put_object(Bucket=CLINICAL, Key="records/o.jsonl", Body=b"?")
    rebuild()
    assert members() == set()


def test_an_item_that_changes_each_time_fails_the_step(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3)
    planned("o", consents=True)
    read = recording_files.read_stored_file

    def changed_meanwhile(bucket: str, key: str) -> Any:
        write(Change(object_key("o"), add={"sequence": 1}))
        return read(bucket, key)

    monkeypatch.setattr(index_records, "read_stored_file", changed_meanwhile)
    with pytest.raises(RuntimeError, match=r"item of records/o.jsonl changed 10 times while it was indexed"):
        rebuild()
