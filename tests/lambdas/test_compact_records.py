"""The tables after compactions, compared with all records; crashes between any two steps; two compactions at once."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import msgspec
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lambdas import compact_records, mark_records
from lambdas.analysis import parquet
from lambdas.shared import ledger, storage
from lambdas.shared.analysis_items import CompactionAtWork, read_changed, read_months
from lambdas.shared.entity_record import EntityRecord
from lambdas.shared.layout import FINDINGS, UTTERANCES, findings_key, records_key, transcript_key, utterances_key
from lambdas.shared.ledger import Change, write
from lambdas.shared.object_items import read_object, record
from lambdas.shared.storage import list_keys
from local.aws import dynamodb_items
from tests.lambdas.conftest import CLINICAL, create_ledger, mocked
from tests.lambdas.report import visit

ALL: dict[str, Any] = {"user_id": "p-001", "uploaded_at": "2026-01-02T03:04:05+00:00"}


def commit(s3: Any, object_id: str, *categories: str, **more: Any) -> None:
    """Records of a finding in each of the categories, as CollectEntities commits them."""
    said = visit.words()
    lines = [visit.record(said, "chest pain", category, **{**ALL, **more}) for category in categories]
    s3.put_object(Bucket=CLINICAL, Key=records_key(object_id), Body=msgspec.json.Encoder().encode_lines(lines))
    assert record(object_id, read_object(object_id), "t", "execution", None)


def compact(digit: str = "a") -> dict[str, Any]:
    answer: dict[str, Any] = compact_records.handler({"execution_name": "e", "digit": digit}, None)
    return answer


def rows(s3: Any, prefix: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each file below the prefix, as JSON has them."""
    found = {}
    with TemporaryDirectory() as folder:
        for number, key in enumerate(list_keys(CLINICAL, prefix)):
            path = Path(folder, f"{number}.parquet")
            path.write_bytes(s3.get_object(Bucket=CLINICAL, Key=key)["Body"].read())
            query = f"SELECT to_json(t) FROM read_parquet('{path}', hive_partitioning = false) t"
            found[key] = [json.loads(line) for (line,) in duckdb.execute(query).fetchall()]
    return found


def objects(s3: Any, prefix: str = FINDINGS) -> dict[str, list[str]]:
    """The objects whose rows are in each file, without files that have no rows."""
    found = {key.removeprefix(prefix): [row["object_id"] for row in some] for key, some in rows(s3, prefix).items()}
    return {key: ids for key, ids in found.items() if ids}


def test_a_finding_is_a_row_with_every_member_of_its_record(s3: Any) -> None:
    said = visit.words()
    lines = [line for line in visit.records(said) if line.category == "MEDICATION"]
    s3.put_object(Bucket=CLINICAL, Key=records_key("a1"), Body=msgspec.json.Encoder().encode_lines(lines))
    assert record("a1", read_object("a1"), "t", "execution", None)
    assert compact() == {"more": False}
    written = s3.head_object(Bucket=CLINICAL, Key=records_key("a1"))["LastModified"]
    (row,) = rows(s3, FINDINGS)[findings_key("2026-01", "MEDICATION", "a")]
    expected = msgspec.json.decode(msgspec.json.encode(lines[0]))
    assert expected["attributes"] and expected.pop("category") == "MEDICATION"
    assert row == expected | {"object_id": "a1", "recorded_at": written.isoformat()}
    assert read_changed("a", 10) == []


def test_what_was_said_is_a_row_for_each_turn(s3: Any) -> None:
    spoken = visit.transcript(*visit.TURNS)
    s3.put_object(Bucket=CLINICAL, Key=transcript_key(visit.TRANSCRIPT_ID), Body=json.dumps(spoken).encode())
    commit(s3, "a1", "MEDICATION")
    compact()
    found = rows(s3, UTTERANCES)[utterances_key("2026-01", "a")]
    assert [(row["speaker"], row["text"], row["user_id"], row["object_id"]) for row in found] == [
        (speaker, text.replace("~", ""), "p-001", "a1") for speaker, text in visit.TURNS
    ]
    assert (found[0]["start_seconds"], found[0]["end_seconds"]) == (0.0, 4.25)


def test_each_row_is_in_the_file_of_its_month_category_and_digit(s3: Any) -> None:
    commit(s3, "a1", "MEDICATION", "ANATOMY", uploaded_at="2026-01-31T23:30:00-02:00")
    commit(s3, "a2", "ANATOMY", uploaded_at="2026-01-31T23:30:00+00:00")
    commit(s3, "b1", "ANATOMY", uploaded_at="2026-01-31T23:30:00+00:00")
    compact("a")
    compact("b")
    assert objects(s3) == {
        "month=2026-01/category=ANATOMY/a.parquet": ["a2"],
        "month=2026-01/category=ANATOMY/b.parquet": ["b1"],
        "month=2026-02/category=ANATOMY/a.parquet": ["a1"],
        "month=2026-02/category=MEDICATION/a.parquet": ["a1"],
    }


def test_the_rows_of_a_recording_that_is_uploaded_again_replace_the_old_ones_in_every_file(s3: Any) -> None:
    commit(s3, "a1", "MEDICATION", "ANATOMY")
    commit(s3, "a2", "MEDICATION")
    compact()
    commit(s3, "a1", "ANATOMY", uploaded_at="2026-03-01T00:00:00+00:00")
    compact()
    assert objects(s3) == {
        "month=2026-01/category=MEDICATION/a.parquet": ["a2"],
        "month=2026-03/category=ANATOMY/a.parquet": ["a1"],
    }
    assert read_months(["a1"]) == {"a1": {"2026-03"}}


def test_a_file_that_nothing_changes_is_not_written_again(s3: Any) -> None:
    commit(s3, "a1", "MEDICATION", "ANATOMY")
    compact()
    commit(s3, "a2", "ANATOMY")
    compact()
    versions = s3.list_object_versions(Bucket=CLINICAL, Prefix=FINDINGS)["Versions"]
    assert sorted(item["Key"].split("=")[-1] for item in versions) == ["ANATOMY/a.parquet"] * 2 + [
        "MEDICATION/a.parquet"
    ]


def test_rows_are_sorted_by_patient(s3: Any) -> None:
    for object_id, user_id in (("a1", "p-3"), ("a2", "p-1"), ("a3", "p-2")):
        commit(s3, object_id, "ANATOMY", user_id=user_id)
    compact()
    assert objects(s3) == {"month=2026-01/category=ANATOMY/a.parquet": ["a2", "a3", "a1"]}


@pytest.mark.parametrize("body", [None, b'{"user_id": "p-001"}\n', b"\xff", b""])
def test_records_that_are_gone_or_unreadable_have_no_rows_and_do_not_stop_the_others(
    s3: Any, body: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    commit(s3, "a1", "ANATOMY")
    commit(s3, "a2", "ANATOMY")
    compact()
    commit(s3, "a1", "MEDICATION")
    commit(s3, "a2", "MEDICATION")
    if body is None:
        s3.delete_object(Bucket=CLINICAL, Key=records_key("a1"))
    else:
        s3.put_object(Bucket=CLINICAL, Key=records_key("a1"), Body=body)
    compact()
    assert objects(s3) == {"month=2026-01/category=MEDICATION/a.parquet": ["a2"]}
    assert read_changed("a", 10) == [] and read_months(["a1"])["a1"] == frozenset()
    named = [entry.__dict__["file"] for entry in caplog.records if entry.message.startswith("left out")]
    assert (f"s3://{CLINICAL}/{records_key('a1')}" in named) is bool(body)
    assert "p-001" not in caplog.text


def test_rows_are_left_out_once_their_records_have_expired(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(s3, "a1", "ANATOMY")
    compact()
    monkeypatch.setenv("RESULTS_EXPIRE_AFTER_DAYS", "120")
    later = datetime.now(UTC) + timedelta(days=121)
    monkeypatch.setattr(compact_records, "datetime", type("Later", (datetime,), {"now": classmethod(lambda *_: later)}))
    commit(s3, "a2", "ANATOMY")
    monkeypatch.setattr("lambdas.analysis.sources.moment", lambda time: later.isoformat(timespec="seconds"))
    compact()
    assert objects(s3) == {"month=2026-01/category=ANATOMY/a.parquet": ["a2"]}


def test_a_call_takes_a_bite_and_says_whether_more_is_left(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact_records, "MOST_OBJECTS", 2)
    for number in range(5):
        commit(s3, f"a{number}", "ANATOMY")
    assert [compact()["more"] for _ in range(3)] == [True, True, False]
    assert objects(s3) == {"month=2026-01/category=ANATOMY/a.parquet": [f"a{number}" for number in range(5)]}


def test_a_bite_ends_when_it_has_enough_bytes(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact_records, "MOST_BYTES", 1)
    monkeypatch.setattr(compact_records, "_OBJECTS_AT_ONCE", 2)
    for number in range(4):
        commit(s3, f"a{number}", "ANATOMY")
    assert [compact()["more"] for _ in range(2)] == [True, False]
    assert len(read_changed("a", 10)) == 0


def test_records_that_are_committed_during_a_compaction_stay_listed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(s3, "a1", "ANATOMY")
    real = compact_records.compact

    def with_a_commit(*arguments: Any) -> int:
        commit(s3, "a1", "MEDICATION")
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(compact_records, "compact", with_a_commit)
        compact()
    assert objects(s3) == {"month=2026-01/category=ANATOMY/a.parquet": ["a1"]}
    assert [one.object_id for one in read_changed("a", 10)] == ["a1"]
    compact()
    assert objects(s3) == {"month=2026-01/category=MEDICATION/a.parquet": ["a1"]}


def test_a_second_compaction_of_the_same_digit_waits_for_the_first(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that, it could be overtaken between its reading and its writing, and write older rows."""
    commit(s3, "a1", "ANATOMY")
    commit(s3, "b1", "ANATOMY")
    real = compact_records.read_bite

    def with_others_meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(compact_records, "read_bite", real)
        with pytest.raises(CompactionAtWork, match="digit a for up to 960 more seconds"):
            compact()
        assert compact("b") == {"more": False}
        return real(*arguments)

    monkeypatch.setattr(compact_records, "read_bite", with_others_meanwhile)
    monkeypatch.setattr("lambdas.shared.analysis_items.time.time", lambda: 1_800_000_000.0)
    compact()
    assert objects(s3) == {
        "month=2026-01/category=ANATOMY/a.parquet": ["a1"],
        "month=2026-01/category=ANATOMY/b.parquet": ["b1"],
    }


def test_a_compaction_that_was_killed_keeps_the_digit_until_lambda_must_have_ended_it(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(s3, "a1", "ANATOMY")
    now = 1_800_000_000.0
    monkeypatch.setattr("lambdas.shared.analysis_items.time.time", lambda: now)
    write(Change("compaction#a", put={"until": int(now) + 5, "owner": "killed"}))
    with pytest.raises(CompactionAtWork):
        compact()
    now += 5
    assert compact() == {"more": False}


def test_a_file_that_changes_during_a_compaction_fails_it_and_nothing_is_lost(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(s3, "a1", "ANATOMY", user_id="p-001")
    commit(s3, "a2", "ANATOMY", user_id="p-002")
    compact()
    key = findings_key("2026-01", "ANATOMY", "a")
    commit(s3, "a3", "ANATOMY", user_id="p-003")
    real = parquet.load

    def with_a_patient_forgotten(*arguments: Any) -> Any:
        body = s3.get_object(Bucket=CLINICAL, Key=key)["Body"].read()
        s3.put_object(Bucket=CLINICAL, Key=key, Body=parquet.without(body, lambda user_id, _: user_id == "p-001"))
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("lambdas.analysis.files.load", with_a_patient_forgotten)
        with pytest.raises(ClientError, match="PreconditionFailed"):
            compact()
    compact()
    assert objects(s3) == {"month=2026-01/category=ANATOMY/a.parquet": ["a2", "a3"]}


def test_a_rebuild_lists_every_object_and_leaves_what_is_listed(s3: Any) -> None:
    for object_id in ("a1", "a2"):
        commit(s3, object_id, "ANATOMY")
    listed = read_changed("a", 10)
    keys = [records_key(object_id) for object_id in ("a1", "a2", "a3")]
    mark_records.handler({"execution_name": "e", "keys": keys}, None)
    assert read_changed("a", 10) == [*listed, ("a3", 0)]
    compact()
    mark_records.handler({"execution_name": "e", "keys": keys[:2]}, None)
    assert read_changed("a", 10) == [("a1", 0), ("a2", 0)]
    compact()
    assert objects(s3) == {"month=2026-01/category=ANATOMY/a.parquet": ["a1", "a2"]}


class Crash(Exception):
    """The function ends here."""


@contextmanager
def crashing(after: int) -> Iterator[None]:
    """Let the compaction end before its write number `after`, in S3 or in the ledger."""
    calls = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > after:
                raise Crash
            return real(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.s3, "put_object", counted(storage.s3.put_object))
        patch.setattr(ledger.dynamodb, "update_item", counted(ledger.dynamodb.update_item))
        patch.setattr(ledger.dynamodb, "transact_write_items", counted(ledger.dynamodb.transact_write_items))
        yield


MONTHS, CATEGORIES, OBJECTS = ("2026-01", "2026-02"), ("ANATOMY", "MEDICATION"), ("a1", "a2", "a3")
COMMIT = st.tuples(
    st.just("commit"),
    st.sampled_from(OBJECTS),
    st.sampled_from(MONTHS),
    st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True),
)
STEP = st.one_of(
    COMMIT,
    COMMIT,
    st.tuples(st.just("crash"), st.integers(0, 14)),
    st.tuples(st.just("compact")),
    st.tuples(st.just("expire"), st.sampled_from(OBJECTS)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=9))
def test_after_any_commits_and_crashes_the_tables_are_what_all_records_say(steps: list[Any]) -> None:
    with mock_aws():
        s3 = mocked("s3")
        s3.create_bucket(Bucket=CLINICAL)
        create_ledger()
        dynamodb_items.install()
        for kind, *details in steps:
            match kind:
                case "commit":
                    object_id, month, categories = details
                    commit(s3, object_id, *categories, uploaded_at=f"{month}-05T00:00:00+00:00")
                case "crash":
                    with crashing(after=details[0]), suppress(Crash):
                        compact()
                    write(Change("compaction#a", put={"until": 0}))
                case "compact":
                    compact()
                case "expire":
                    # Forgetting and the lifecycle rule list nothing; a rebuild or a later commit does.
                    s3.delete_object(Bucket=CLINICAL, Key=records_key(details[0]))
                    mark_records.handler({"execution_name": "e", "keys": [records_key(details[0])]}, None)
        compact()
        expected: dict[str, list[str]] = {}
        decoder = msgspec.json.Decoder(EntityRecord)
        for key in list_keys(CLINICAL, "records/"):
            for line in decoder.decode_lines(s3.get_object(Bucket=CLINICAL, Key=key)["Body"].read()):
                file = findings_key(line.uploaded_at[:7], line.category, "a").removeprefix(FINDINGS)
                expected.setdefault(file, []).append(key.removeprefix("records/").removesuffix(".jsonl"))
        assert objects(s3) == {file: sorted(ids) for file, ids in expected.items()}
        assert read_changed("a", 10) == []
