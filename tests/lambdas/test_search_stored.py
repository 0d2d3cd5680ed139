"""DivideSearch and SearchRange, from the request to the parts."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import search_stored
from lambdas.searching.files import Scope, request
from lambdas.searching.traces import Traces
from lambdas.shared.layout import search_part_key, search_parts_prefix, search_ranges_key, search_request_key
from lambdas.shared.ledger import dynamodb
from lambdas.shared.storage import find_json
from tests.lambdas.conftest import ACCESS_LOGS, AUDIENCE, CLINICAL, LEDGER, MEDIA, MEMBERS, OPERATIONS

ID = "0123456789abcdef" * 2


class Context:
    """Lambda's context of a call with so much time left."""

    def __init__(self, milliseconds: int = 900_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def read(s3: Any, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=CLINICAL, Key=key)["Body"].read())


def begin(s3: Any, scope: Scope = "stored") -> list[int]:
    wanted = request(Traces(["p-1"], [ID]), scope)
    s3.put_object(Bucket=CLINICAL, Key=search_request_key("s"), Body=json.dumps(wanted).encode())
    divided = search_stored.divide({"search_id": "s"}, None)
    assert divided == {"search_id": "s", "numbers": list(range(len(divided["numbers"])))}
    return divided["numbers"]


def run(s3: Any, scope: Scope = "stored", milliseconds: int = 900_000) -> list[Any]:
    """All parts of a search."""
    for number in begin(s3, scope):
        state: Any = {"search_id": "s", "number": number, "step": 0}
        while True:
            state = search_stored.search(state, Context(milliseconds))
            assert state.keys() == {"search_id", "number", "step", "more"}
            if not state.pop("more"):
                break
    listed = s3.list_objects_v2(Bucket=CLINICAL, Prefix=search_parts_prefix("s"))["Contents"]
    return [read(s3, item["Key"]) for item in listed]


@pytest.fixture
def planted(s3: Any) -> Any:
    """Something about the patient in every bucket and table, and beside it something about another."""
    theirs, others = b'{"user_id": "p-1"}', b'{"user_id": "p-2"}'
    for bucket, key in (
        (MEDIA, "media/{}/a.wav"),
        (OPERATIONS, "notes about {}.txt"),
        (ACCESS_LOGS, "notes about {}.txt"),
    ):
        for name in ("p-1", "p-2"):
            s3.put_object(Bucket=bucket, Key=key.format(name), Body=b"")
    for bucket, key in ((CLINICAL, "batches/drop-{}/plan.json"), (AUDIENCE, "seeds/{}/a.jsonl")):
        for number, body in enumerate((theirs, others)):
            s3.put_object(Bucket=bucket, Key=key.format(number), Body=body)
    for name in ("p-1", "p-2"):
        dynamodb.put_item(TableName=LEDGER, Item={"pk": {"S": f"execution#{name}"}})
        dynamodb.put_item(TableName=MEMBERS, Item={"pk": {"S": "outline#x"}, "sk": {"S": name}})
    return s3


FOUND = [
    (ACCESS_LOGS, "notes about p-1.txt"),
    (AUDIENCE, "seeds/0/a.jsonl"),
    (CLINICAL, "batches/drop-0/plan.json"),
    (MEDIA, "media/p-1/a.wav"),
    (OPERATIONS, "notes about p-1.txt"),
]


def versions(parts: list[Any]) -> list[tuple[str, str]]:
    return sorted((one["bucket"], one["key"]) for part in parts for one in part["versions"])


@pytest.mark.parametrize("milliseconds", [900_000, 0])
def test_everything_about_the_patient_is_found_and_nothing_else_however_long_a_step_may_take(
    planted: Any, milliseconds: int
) -> None:
    parts = run(planted, milliseconds=milliseconds)
    assert versions(parts) == FOUND
    assert sorted((item["table"], *item["key"].values()) for part in parts for item in part["items"]) == [
        (LEDGER, "execution#p-1"),
        (MEMBERS, "outline#x", "p-1"),
    ]
    # The search's own files are looked at, too; their number depends on how far it is.
    assert sum(part["looked_at"] for part in parts) >= 2 * 7


def test_a_search_of_the_logs_looks_at_nothing_else(planted: Any) -> None:
    parts = run(planted, "logs")
    assert read(planted, search_ranges_key("s")) == [{"bucket": ACCESS_LOGS, "after": "", "until": None}]
    assert versions(parts) == [(ACCESS_LOGS, "notes about p-1.txt")]
    assert [part["looked_at"] for part in parts] == [2]


def test_a_repeated_step_keeps_what_the_first_attempt_has_written(planted: Any) -> None:
    begin(planted)
    state: Any = {"search_id": "s", "number": 0, "step": 0}
    first = search_stored.search(state, Context())
    written = read(planted, search_part_key("s", 0, 0))
    planted.put_object(Bucket=MEDIA, Key="media/p-1/written later.wav", Body=b"")
    assert search_stored.search(state, Context()) == first
    assert read(planted, search_part_key("s", 0, 0)) == written


def test_of_two_attempts_at_a_step_the_second_takes_over_where_the_first_has_ended(
    planted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(planted)
    key = search_part_key("s", 0, 0)
    theirs = {"looked_at": 1, "versions": [], "items": [], "next": {"key": "media/p-1/a.wav"}}

    def meanwhile(bucket: str, wanted: str) -> Any:
        found = find_json(bucket, wanted)
        planted.put_object(Bucket=bucket, Key=key, Body=json.dumps(theirs).encode())
        return found

    monkeypatch.setattr(search_stored, "find_json", meanwhile)
    assert search_stored.search({"search_id": "s", "number": 0, "step": 0}, Context())["more"]
    assert read(planted, key) == theirs


def test_a_repeated_division_keeps_the_ranges_by_which_children_may_work(planted: Any) -> None:
    earlier = [{"bucket": MEDIA, "after": "", "until": "m"}, {"bucket": MEDIA, "after": "m", "until": None}]
    planted.put_object(Bucket=CLINICAL, Key=search_ranges_key("s"), Body=json.dumps(earlier).encode())
    assert begin(planted) == [0, 1]
    assert read(planted, search_ranges_key("s")) == earlier


def test_a_search_without_a_request_fails(s3: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        search_stored.divide({"search_id": "s"}, None)


def test_what_is_logged_has_numbers_only(planted: Any, caplog: pytest.LogCaptureFixture) -> None:
    run(planted)
    logged = [vars(record) for record in caplog.records]
    assert [record["ranges"] for record in logged if "ranges" in record] == [7]
    assert [record["range"] for record in logged if "range" in record] == [*range(7)]
    assert "p-1" not in str(logged)
