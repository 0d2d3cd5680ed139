import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas import ingest
from lambdas.planning.object_created import NotAnEvent, ObjectCreated, read_message
from lambdas.shared.identity import digest

EVENT: dict[str, Any] = {
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Object Created",
    "time": "2026-11-12T00:00:00Z",
    "detail": {
        "bucket": {"name": "media-bucket"},
        "object": {"key": "media/p-1/a.wav", "size": 1, "etag": "e", "version-id": "v"},
    },
}
WRONG = [None, "", 5, 0.5, True, [], {}, ["x"], {"x": "y"}, "\ud800"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def message(event: Any, message_id: str = "m") -> dict[str, Any]:
    return {"messageId": message_id, "body": event if isinstance(event, str) else json.dumps(event)}


def changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    event = copy.deepcopy(EVENT)
    holder: dict[str, Any] = event
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    return event


def test_an_event_tells_the_version_of_an_object() -> None:
    media = digest("media-bucket", "media/p-1/a.wav", "v")
    uri, event_id = "s3://media-bucket/media/p-1/a.wav", "17793124-05d4-b198-2fde-7ededc63b103"
    assert read_message(message(EVENT)) == ObjectCreated("m", event_id, uri, "v", media, "2026-11-12T00:00:00Z")


@pytest.mark.parametrize("version", [None, ""])
def test_without_a_version_the_etag_names_it(version: str | None) -> None:
    assert read_message(message(changed(("detail", "object", "version-id"), version))).version == "e"


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize(
    "path",
    [
        ("detail",),
        ("detail", "bucket"),
        ("detail", "object"),
        ("detail", "bucket", "name"),
        ("detail", "object", "key"),
    ],
    ids=".".join,
)
def test_a_member_that_holds_something_else_makes_it_no_event(path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(NotAnEvent, match=r"^detail\.[a-z.]+ is"):
        read_message(message(changed(path, value)))


@pytest.mark.parametrize("value", [5, ["v"], {"v": 1}, True, "\ud800"], ids=repr)
def test_a_version_that_is_no_text_makes_it_no_event(value: Any) -> None:
    with pytest.raises(NotAnEvent, match="version-id"):
        read_message(message(changed(("detail", "object", "version-id"), value)))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("detail", "bucket", "name"), "another-bucket", "media bucket"),
        (("detail", "object", "key"), "media/p-1/" + "é" * 512, "1024 bytes"),
        (("detail-type",), "Object Deleted", "Object Created"),
    ],
)
def test_an_event_about_what_this_bucket_cannot_have_is_none_of_ours(path: Any, value: str, problem: str) -> None:
    with pytest.raises(NotAnEvent, match=problem):
        read_message(message(changed(path, value)))


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, "null", "5", '"text"', "[]", "1" * 5000, "NaN"], ids=len)
def test_a_body_that_is_no_object_is_no_event(body: str) -> None:
    with pytest.raises(NotAnEvent):
        read_message(message(body))


@pytest.mark.parametrize("event_id", [5, None, "Jane Doe", "\ud800", "x" * 65], ids=repr)
def test_an_id_that_eventbridge_does_not_give_is_not_logged(event_id: Any) -> None:
    assert read_message(message(changed(("id",), event_id))).event_id is None


@given(ANYTHING)
def test_any_json_is_an_event_or_is_none(value: Any) -> None:
    for event in (value, {"detail": value}, {"detail": {"bucket": value, "object": value}}):
        with pytest.raises(NotAnEvent):
            read_message(message(event))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    inputs: list[list[str]] = []
    monkeypatch.setattr(
        ingest.stepfunctions, "start_execution", lambda **call: inputs.append(json.loads(call["input"])["media"])
    )
    monkeypatch.setattr("lambdas.ingest.time.sleep", lambda seconds: None)
    return inputs


PATHS = st.sampled_from(
    [
        ("id",),
        ("time",),
        ("detail-type",),
        ("detail",),
        ("detail", "bucket"),
        ("detail", "object"),
        ("detail", "bucket", "name"),
        ("detail", "object", "key"),
        ("detail", "object", "etag"),
        ("detail", "object", "version-id"),
    ]
)
_GOOD = [
    message(changed(("detail", "object", "key"), f"media/p-{number}/a.wav"), f"good-{number}") for number in (1, 2)
]


def test_whatever_one_message_holds_the_others_of_its_batch_start(started: list[list[str]]) -> None:
    @given(PATHS, ANYTHING)
    def holds(path: tuple[str, ...], value: Any) -> None:
        started.clear()
        odd = message(changed(path, value), "odd")
        answer = ingest.handler({"Records": [_GOOD[0], odd, _GOOD[1]]}, None)
        assert answer["batchItemFailures"] in ([], [{"itemIdentifier": "odd"}])
        (uris,) = started
        assert {f"s3://media-bucket/media/p-{number}/a.wav" for number in (1, 2)} <= set(uris)

    holds()


def test_the_log_says_what_is_wrong_and_not_what_the_message_holds(
    started: list[list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    ingest.handler({"Records": [message(changed(("detail", "object", "key"), {"Jane": "Doe"}))]}, None)
    (record,) = caplog.records
    assert vars(record)["problem"] == "detail.object.key is no text"
    assert "Jane" not in str(vars(record))
