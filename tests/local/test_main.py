"""The command line of the local AWS."""

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from local import __main__, demo
from local.pipeline import Pipeline
from local.ports import listen

Command = Callable[..., int]


@pytest.fixture
def command() -> Command:
    """Run `python -m local` with these arguments, and return its exit code."""

    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            __main__.app([*arguments], prog_name="python -m local")
        return int(ended.value.code or 0)

    return run


def test_a_console_port_that_is_taken_is_told_before_anything_is_deployed(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "start_pipeline", lambda **_: pytest.fail("it was deployed"))
    with listen(0, "a test") as taken:
        port = str(taken.getsockname()[1])
        assert command("up", "--port", "0", "--console-port", port) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"Port {port} cannot be used for the console (")
    assert told.endswith("free it, or use 0 for any port\n")


def test_open_without_a_report_tells_how_to_get_one(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "OUT", tmp_path)
    assert command("open") == 1
    assert capsys.readouterr().err == f"There is no report in {tmp_path}; make demo writes one.\n"


def test_up_prints_where_the_console_is_and_stops_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    @contextmanager
    def serving(deployed: Any, listener: Any) -> Iterator[str]:
        try:
            yield "http://127.0.0.1:4567/"
        finally:
            done.append("console")

    def interrupted(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(__main__, "find", lambda environment, endpoint: None)
    monkeypatch.setattr(__main__, "serving", serving)
    monkeypatch.setattr(threading.Event, "wait", interrupted)
    aws: Any = SimpleNamespace(endpoint="http://127.0.0.1:4566", stop=lambda: done.append("aws"))
    printed = io.StringIO()
    with listen(0, "the console") as listener:
        __main__.serve(
            Pipeline(aws, "m", "c", "a", "arn", "arn", "arn", "arn"), listener, Console(file=printed, soft_wrap=True)
        )
    assert "console         http://127.0.0.1:4567/\n" in printed.getvalue()
    assert done == ["console", "aws"]


def test_what_is_printed_for_another_terminal_goes_past_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(__main__, "find", lambda environment, endpoint: None)
    monkeypatch.setattr(__main__, "serving", lambda *_: nullcontext("http://127.0.0.1:4567/"))
    monkeypatch.setattr(threading.Event, "wait", interrupted)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    aws: Any = SimpleNamespace(endpoint="http://127.0.0.1:4566", stop=lambda: None)
    printed = io.StringIO()
    with listen(0, "the console") as listener:
        __main__.serve(
            Pipeline(aws, "m", "c", "a", "arn", "arn", "arn", "arn"), listener, Console(file=printed, soft_wrap=True)
        )
    assert "  export no_proxy=127.0.0.1,$NO_PROXY\n" in printed.getvalue()


def test_the_user_s_own_aws_configuration_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default\nregion")
    broken = {"AWS_PROFILE": "nobody", "AWS_CONFIG_FILE": str(tmp_path / "config")}
    ended = subprocess.run(
        [sys.executable, "-m", "local", "--help"], env={**os.environ, **broken}, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", ["demo", "open", "up"])
def test_help_teaches_with_an_example_and_exit_codes(
    command: Command, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(name, "--help") == 0
    told = capsys.readouterr().out
    assert f"Example: python -m local {name}" in told
    assert "Exit codes: 0" in told


def test_a_ctrl_c_is_no_failure_and_a_wrong_option_is_told(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupted)
    assert command("demo") == 130
    assert command("demo", "--medium", "visit.wav") == 2
    assert "--medium" in capsys.readouterr().err
