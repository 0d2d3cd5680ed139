import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from lambdas import ingest


def message(key: str, version: str = "v1", message_id: str = "m") -> dict[str, Any]:
    created = {"key": key, "size": 1, "etag": "e", "version-id": version, "sequencer": "00"}
    body = {
        "id": "random",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "media-bucket"}, "object": created},
    }
    return {"messageId": message_id, "body": json.dumps(body)}


def expect(stub: Stubber, *uris: str) -> None:
    stub.add_response(
        "start_execution",
        {"executionArn": "arn:aws:states:us-east-1:123456789012:execution:x:y", "startDate": 0},
        {"stateMachineArn": ANY, "name": ANY, "input": json.dumps({"media": list(uris)})},
    )


def test_one_batch_of_events_starts_one_execution(stubbed: Callable[[Any], Stubber]) -> None:
    expect(stubbed(ingest.stepfunctions), "s3://media-bucket/media/p/a b+c%20é.wav", "s3://media-bucket/media/p/z.wav")
    records = [message("media/p/z.wav"), message("media/p/a b+c%20é.wav")]
    assert ingest.handler({"Records": records}, None) == {"batchItemFailures": []}


def test_a_duplicate_within_the_batch_counts_once(stubbed: Callable[[Any], Stubber]) -> None:
    expect(stubbed(ingest.stepfunctions), "s3://media-bucket/media/p/a.wav")
    ingest.handler({"Records": [message("media/p/a.wav"), message("media/p/a.wav")]}, None)


def test_events_that_were_handled_before_are_done(stubbed: Callable[[Any], Stubber]) -> None:
    stubbed(ingest.stepfunctions).add_client_error("start_execution", "ExecutionAlreadyExists")
    assert ingest.handler({"Records": [message("media/p/a.wav")]}, None) == {"batchItemFailures": []}


def test_the_name_depends_on_the_events_and_not_on_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(ingest.stepfunctions, "start_execution", lambda **call: names.append(call["name"]))
    first, second = message("media/p/a.wav"), message("media/p/b.wav")
    for records in ([first, second], [second, first], [first], [message("media/p/a.wav", version="v2")]):
        ingest.handler({"Records": records}, None)
    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert all(len(name) <= 80 for name in names)


def test_two_versions_in_one_batch_name_the_same_execution_in_whatever_order_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: list[str] = []
    monkeypatch.setattr(ingest.stepfunctions, "start_execution", lambda **call: names.append(call["name"]))
    versions = [message("media/p/a.wav", version=version) for version in ("v1", "v2")]
    for records in (versions, versions[::-1], versions[1:]):
        ingest.handler({"Records": records}, None)
    assert names[0] == names[1] != names[2]


def test_a_message_that_is_no_event_is_returned_and_the_others_go_on(stubbed: Callable[[Any], Stubber]) -> None:
    expect(stubbed(ingest.stepfunctions), "s3://media-bucket/media/p/a.wav")
    broken = {"messageId": "bad", "body": "{not json"}
    answer = ingest.handler({"Records": [broken, message("media/p/a.wav")]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_an_execution_that_cannot_be_started_gives_back_its_own_messages_only(
    stubbed: Callable[[Any], Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MAXIMUM_INPUT_BYTES", 30)
    stub = stubbed(ingest.stepfunctions)
    expect(stub, "s3://media-bucket/media/p/a.wav")
    stub.add_client_error("start_execution", "ServiceUnavailable")
    records = [message("media/p/a.wav", message_id="a"), message("media/p/b.wav", message_id="b")]
    assert ingest.handler({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "b"}]}


def test_the_function_lasts_about_as_long_as_the_planning_of_what_it_started(
    stubbed: Callable[[Any], Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("lambdas.ingest.time.sleep", slept.append)
    stub = stubbed(ingest.stepfunctions)
    expect(stub, *(f"s3://media-bucket/media/p/{number}.wav" for number in range(10, 60)))
    stub.add_client_error("start_execution", "ExecutionAlreadyExists")
    ingest.handler({"Records": [message(f"media/p/{number}.wav") for number in range(10, 60)]}, None)
    ingest.handler({"Records": [message("media/p/a.wav")]}, None)
    assert slept == [0.5]


def test_the_console_s_empty_folders_start_nothing(stubbed: Callable[[Any], Stubber]) -> None:
    stubbed(ingest.stepfunctions)
    assert ingest.handler({"Records": [message("media/p/")]}, None) == {"batchItemFailures": []}


@given(st.lists(st.text(min_size=1, max_size=1024), max_size=40, unique=True))
def test_chunks_keep_every_uri_in_order_and_fit_into_an_input(uris: list[str]) -> None:
    parts = list(ingest.chunks([uri * 20 for uri in uris]))
    assert [uri for part in parts for uri in part] == [uri * 20 for uri in uris]
    assert all(len(json.dumps({"media": part})) < 262_144 for part in parts)
