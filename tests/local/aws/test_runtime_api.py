import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.runtime_api import Invocation, Outcome, RuntimeApi

NEXT = "/2018-06-01/runtime/invocation/next"


@pytest.fixture
def api() -> Iterator[Any]:
    api = RuntimeApi()
    yield api
    api.close()


def test_an_invocation_is_handed_out_once_and_its_response_comes_back(api: Any) -> None:
    runtime = http.client.HTTPConnection(api.address)
    api.submit(Invocation("request-1", b'{"a": 1}', "arn:f", timeout=30))
    runtime.request("GET", NEXT)
    answer = runtime.getresponse()
    assert (answer.status, answer.read()) == (200, b'{"a": 1}')
    assert answer.headers["Lambda-Runtime-Aws-Request-Id"] == "request-1"
    assert answer.headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:f"
    assert 29_000 < int(answer.headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000 <= 30_001
    runtime.request("POST", "/2018-06-01/runtime/invocation/request-1/response", b"[2]")
    assert runtime.getresponse().status == 202
    assert [api.outcomes.get(timeout=1) for _ in range(2)] == [Outcome("started"), Outcome("response", b"[2]")]
    runtime.close()


@pytest.mark.parametrize(("path", "kind"), [("invocation/1/error", "error"), ("init/error", "init_error")])
def test_errors_come_back_as_what_they_are(api: Any, path: Any, kind: Any) -> None:
    runtime = http.client.HTTPConnection(api.address)
    payload = json.dumps({"errorType": "ValueError"}).encode()
    runtime.request("POST", f"/2018-06-01/runtime/{path}", payload)
    assert runtime.getresponse().status == 202
    assert api.outcomes.get(timeout=1) == Outcome(kind, payload)
    runtime.close()


def test_the_deadline_runs_from_when_the_invocation_is_taken(api: Any) -> None:
    api.submit(Invocation("1", b"{}", "arn:f", timeout=10))
    time.sleep(0.3)
    runtime = http.client.HTTPConnection(api.address)
    runtime.request("GET", NEXT)
    deadline = int(runtime.getresponse().headers["Lambda-Runtime-Deadline-Ms"])
    assert deadline > (time.time() + 9.8) * 1000
    runtime.close()


def test_closing_ends_the_wait_for_an_invocation(api: Any) -> None:
    failures = []

    def wait() -> None:
        runtime = http.client.HTTPConnection(api.address)
        runtime.request("GET", NEXT)
        try:
            runtime.getresponse()
        except http.client.HTTPException as failure:
            failures.append(failure)
        runtime.close()

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    api.close()
    waiting.join(5)
    assert isinstance(failures[0], http.client.RemoteDisconnected)
