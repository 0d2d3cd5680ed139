from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.planning import recordings, versions
from lambdas.planning.versions import FoundVersion, plan_versions
from lambdas.shared import object_faults
from lambdas.shared.identity import digest
from lambdas.shared.layout import records_key
from lambdas.shared.members import Membership, read_members
from lambdas.shared.object_items import ObjectItem, read_object, read_objects, record

MEDIA, CLINICAL = "media-bucket", "clinical-bucket"
KEY = "media/p-1/a.wav"
OBJECT_ID = digest(MEDIA, KEY)
CONSENT = {"audience-consent": "true"}


def put(s3: Any, key: str = KEY, body: bytes = b"sound", metadata: dict[str, str] | None = None) -> str:
    """The media id of the new version."""
    return digest(MEDIA, key, s3.put_object(Bucket=MEDIA, Key=key, Body=body, Metadata=metadata or {})["VersionId"])


def plan(*keys: str) -> list[FoundVersion]:
    with ThreadPoolExecutor(2) as pool:
        return plan_versions(pool, keys or (KEY,))


def write_records(s3: Any, transcript_id: str) -> None:
    s3.put_object(Bucket=CLINICAL, Key=records_key(OBJECT_ID), Metadata={"transcript-id": transcript_id})


def finish(s3: Any, transcript_id: str, execution: str = "e-1") -> None:
    write_records(s3, transcript_id)
    assert record(OBJECT_ID, read_object(OBJECT_ID), transcript_id, execution, None)


def test_what_is_planned_is_written_down_each_time(s3: Any) -> None:
    version = put(s3, metadata=CONSENT)
    for sequence in (1, 2):
        ((found, recorded),) = plan()
        assert (found.media_id, recorded) == (version, "")
        assert read_object(OBJECT_ID) == ObjectItem(sequence, version, consent=True)


def test_recordings_come_back_in_the_order_they_were_asked_for(s3: Any) -> None:
    keys = [f"media/p-1/{name}.wav" for name in "cab"]
    for key in keys:
        put(s3, key)
    assert [one.recording.uri for one in plan(*keys)] == [f"s3://{MEDIA}/{key}" for key in keys]
    assert {*read_objects(digest(MEDIA, key) for key in [*keys, "media/p-1/never.wav"])} == {
        digest(MEDIA, key) for key in keys
    }


@pytest.mark.parametrize("body", [b"sound", b""], ids=["usable", "empty"])
def test_every_newer_version_ends_the_consent_of_those_before_it(s3: Any, body: bytes) -> None:
    put(s3, metadata=CONSENT)
    plan()
    version = put(s3, body=body)
    plan()
    assert read_object(OBJECT_ID) == ObjectItem(2, version, consent=False)


def test_a_version_that_consents_again_gives_consent_again(s3: Any) -> None:
    for metadata in (CONSENT, {}, CONSENT):
        put(s3, metadata=metadata)
        plan()
        assert read_object(OBJECT_ID).consent is bool(metadata)


@pytest.mark.parametrize("consents", [True, False])
def test_a_version_without_consent_ends_membership_in_cohorts_at_once(s3: Any, consents: bool) -> None:
    put(s3, metadata=CONSENT)
    plan()
    membership = Membership("p-1", frozenset({"one", "two"}), None)
    assert record(OBJECT_ID, read_object(OBJECT_ID), "t", "e-1", membership)
    put(s3, body=b"newer", metadata=CONSENT if consents else {})
    plan()
    members = {"p-1"} if consents else set()
    assert [read_members(index) for index in ("one", "two")] == [members, members]
    assert read_object(OBJECT_ID).indexes == (membership.indexes if consents else set())


def test_deleting_an_object_withdraws_nothing(s3: Any) -> None:
    version = put(s3, metadata=CONSENT)
    plan()
    s3.delete_object(Bucket=MEDIA, Key=KEY)
    assert plan()[0].recording.rejected == "The object does not exist (any more)."
    assert read_object(OBJECT_ID) == ObjectItem(1, version, consent=True)


def test_an_object_that_is_nobody_s_recording_is_not_written_down(s3: Any) -> None:
    key = "media/nobody-s.wav"
    put(s3, key)
    plan(key)
    assert read_object(digest(MEDIA, key)) == ObjectItem()


def deny(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    find = object_faults.find_recording

    def denied(bucket: str, key: str) -> Any:
        if key in keys:
            raise ClientError({"Error": {"Code": "403"}}, "HeadObject")
        return find(bucket, key)

    monkeypatch.setattr(recordings, "find_recording", denied)


def test_a_version_that_s3_denies_is_taken_to_withdraw(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3, metadata=CONSENT)
    put(s3, "media/p-1/b.wav")
    plan()
    deny(monkeypatch, KEY)
    assert plan(KEY, "media/p-1/b.wav")[0].recording.unseen
    assert not read_object(OBJECT_ID).consent


def test_a_right_of_ours_that_is_lacking_withdraws_nothing(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    version = put(s3, metadata=CONSENT)
    plan()
    deny(monkeypatch, KEY)
    with pytest.raises(ClientError, match="403"):
        plan()
    assert read_object(OBJECT_ID) == ObjectItem(1, version, consent=True)


def test_what_is_recorded_stands_while_its_version_and_its_records_do(s3: Any) -> None:
    transcript_id = f"{put(s3)}-t"
    plan()
    finish(s3, transcript_id)
    assert plan()[0].recorded == transcript_id
    assert read_object(OBJECT_ID).recorded_by == "e-1"
    s3.delete_object(Bucket=CLINICAL, Key=records_key(OBJECT_ID))
    assert plan()[0].recorded == ""
    assert read_object(OBJECT_ID)[3:5] == ("", "")


def test_a_version_that_is_current_again_is_not_recorded_any_more(s3: Any) -> None:
    first = put(s3)
    plan()
    finish(s3, f"{first}-t")
    newer = s3.put_object(Bucket=MEDIA, Key=KEY, Body=b"newer")["VersionId"]
    assert plan()[0].recorded == ""
    s3.delete_object(Bucket=MEDIA, Key=KEY, VersionId=newer)
    ((found, recorded),) = plan()
    assert (found.media_id, recorded) == (first, "")


def test_records_from_before_there_was_a_ledger_are_taken_into_it(s3: Any) -> None:
    transcript_id = f"{put(s3)}-t"
    write_records(s3, transcript_id)
    assert plan()[0].recorded == transcript_id
    assert read_object(OBJECT_ID).recorded == transcript_id


def test_records_of_another_version_from_before_are_not(s3: Any) -> None:
    put(s3)
    write_records(s3, "another-t")
    assert plan()[0].recorded == ""


def test_incomplete_records_are_not_recorded(s3: Any) -> None:
    transcript_id = f"{put(s3)}-t"
    plan()
    finish(s3, transcript_id)
    assert record(OBJECT_ID, read_object(OBJECT_ID), "", "e-2", None)
    assert read_object(OBJECT_ID)[3:5] == ("", "e-2")


def test_nothing_is_recorded_once_the_object_was_planned_again(s3: Any) -> None:
    transcript_id = f"{put(s3)}-t"
    plan()
    seen = read_object(OBJECT_ID)
    plan()
    assert not record(OBJECT_ID, seen, transcript_id, "e-1", None)
    assert read_object(OBJECT_ID).recorded == ""


def test_an_object_that_is_planned_meanwhile_is_looked_at_again(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the ledger follows the bucket, whichever of two executions is faster."""
    put(s3, metadata=CONSENT)
    inspect = recordings.inspect

    def overtaken(key: str) -> Any:
        found = inspect(key)
        monkeypatch.setattr(versions, "inspect", inspect)
        put(s3)
        plan()
        return found

    monkeypatch.setattr(versions, "inspect", overtaken)
    ((found, _),) = plan()
    item = read_object(OBJECT_ID)
    assert (item.version, item.consent, item.sequence) == (found.media_id, False, 2)


def test_an_object_that_is_planned_all_the_time_fails_the_step(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3)

    def refused(found: Any, seen: Any) -> None:
        return None

    monkeypatch.setattr(versions, "_plan", refused)
    with pytest.raises(RuntimeError, match="1 objects were planned by other executions during each of 10 attempts"):
        plan()


def test_many_objects_are_planned_in_one_go(s3: Any) -> None:
    keys: Sequence[str] = [f"media/p-1/{number}.wav" for number in range(130)]
    for key in keys:
        put(s3, key)
    plan(*keys)
    assert len(read_objects(digest(MEDIA, key) for key in keys)) == 130
