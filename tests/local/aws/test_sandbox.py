import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws import sandbox
from local.aws.function_processes import FunctionProcesses
from local.aws.sandbox import FunctionConfiguration, Sandbox


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """start(source, **configuration) -> a sandbox of a function with this source in its module `handler`"""
    started = []
    processes = FunctionProcesses()

    def begin(source: Any, **configuration: Any) -> Any:
        code = tmp_path / "code"
        code.mkdir()
        (code / "handler.py").write_text(source)
        function = FunctionConfiguration(
            **{
                "name": "f",
                "arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "version": "$LATEST",
                "handler": "handler.handler",
                "role_arn": "arn:aws:iam::123456789012:role/r",
                "code_sha256": "",
                "region": "us-east-1",
                "timeout": 5.0,
                "memory_mb": 128,
                "log_group": "/aws/lambda/f",
                "environment": (),
                **configuration,
            }
        )
        credentials = {"aws_access_key_id": "A", "aws_secret_access_key": "S", "aws_session_token": "T"}
        started.append(Sandbox(function, code, tmp_path / "log", "http://127.0.0.1:1", credentials, processes))
        return started[-1]

    yield begin
    for box in started:
        box.close()
    processes.close()


def test_a_function_cannot_change_what_the_runtime_needs(start: Any) -> None:
    environment = (("AWS_ENDPOINT_URL", "https://aws"), ("AWS_ACCESS_KEY_ID", "other"), ("TZ", "Europe/Vienna"))
    box = start("import os\ndef handler(event, context): return dict(os.environ)", environment=environment)
    environ = json.loads(box.invoke(b"{}").payload)
    assert environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert [environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")] == list("AST")
    assert environ["TZ"] == "Europe/Vienna"


def test_a_function_sees_nothing_of_this_process(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    box = start("import os\ndef handler(event, context): return 'SECRET_OF_THE_DEVELOPER' in os.environ")
    assert box.invoke(b"{}").payload == b"false"


def test_the_packages_of_the_runtime_come_from_this_interpreter(start: Any) -> None:
    box = start("import botocore\ndef handler(event, context): return botocore.__name__")
    assert box.invoke(b"{}").payload == b'"botocore"'


def test_a_killed_process_is_reported_with_its_signal_and_not_used_again(start: Any) -> None:
    box = start("import os, signal\ndef handler(event, context): os.kill(os.getpid(), signal.SIGKILL)")
    result = box.invoke(b"{}")
    assert result.function_error == "Unhandled"
    assert "signal: SIGKILL" in json.loads(result.payload)["errorMessage"]
    assert not box.alive


def test_an_import_that_takes_too_long_is_reported(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_INITIALIZATION_SECONDS", 0.5)
    result = start("import time\ntime.sleep(60)").invoke(b"{}")
    assert "Initialization timed out" in json.loads(result.payload)["errorMessage"]


def test_the_time_of_the_import_is_not_the_handlers(start: Any) -> None:
    box = start("import time\ntime.sleep(1.2)\ndef handler(event, context): return 1", timeout=1.0)
    assert box.invoke(b"{}").payload == b"1"


def test_each_result_has_the_log_of_its_own_invocation(start: Any) -> None:
    box = start("print('imported')\ndef handler(event, context): print(event)")
    first, second = box.invoke(b"1").log.splitlines(), box.invoke(b"2").log.splitlines()
    assert first[1:3] == ["imported", "1"]
    assert second[1] == "2"
    assert [line.split(" ")[0] for line in second] == ["START", "2", "END", "REPORT"]


def test_closing_ends_the_process_and_removes_its_log(start: Any, tmp_path: Path) -> None:
    box = start("def handler(event, context): return 1")
    box.invoke(b"{}")
    box.close()
    assert box._process.over.is_set()
    assert not (tmp_path / "log").exists()
