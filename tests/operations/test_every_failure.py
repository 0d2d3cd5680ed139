"""No command ends in a stack trace, for any failure between the user's machine and AWS.

The commands are read from the command line itself, so a new one is tested automatically.
"""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from typer.testing import CliRunner

from local.__main__ import app as local_app
from operations.__main__ import app
from operations.asking import ask
from operations.errors import OperationError
from tests.operations import canned_aws
from tests.operations.canned_aws import Answer, after_the_stack, page, raising, refusal

SESSION = boto3.Session
KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
URL = "https://cloudformation.us-east-1.amazonaws.com/"
GROUP: Any = typer.main.get_command(app)
COMMANDS: dict[str, Any] = GROUP.commands
FLAGS = [
    (name, option.opts[0])
    for name, command in COMMANDS.items()
    for option in command.params
    if getattr(option, "is_flag", False) and option.opts[0] not in ("--yes", "--help")
]
FAILURES: dict[str, Answer] = {
    "refused": raising(EndpointConnectionError(endpoint_url=URL, error=ConnectionRefusedError(111, "refused"))),
    "unknown name": raising(EndpointConnectionError(endpoint_url=URL, error=OSError("Name or service not known"))),
    "connect timeout": raising(ConnectTimeoutError(endpoint_url=URL, error=TimeoutError())),
    "read timeout": raising(ReadTimeoutError(endpoint_url=URL, error=TimeoutError())),
    "TLS": raising(SSLError(endpoint_url=URL, error=OSError("CERTIFICATE_VERIFY_FAILED"))),
    "proxy": raising(ProxyConnectionError(proxy_url="http://proxy:3128", error=OSError("407"))),
    "closed": raising(ConnectionClosedError(endpoint_url=URL)),
    "broken": raising(HTTPClientError(error=ValueError("{broken}"))),
    **{f"page {status}": page(status) for status in (200, 302, 403, 407, 502, 503)},
    "plain": page(200, "<html><p>Please log in</html>"),
    "other XML": lambda request: canned_aws.response(request, 403, "no XML", {"content-type": "text/xml"}),
    "empty 403": lambda request: canned_aws.response(request, 403, "", {}),
    "empty 503": lambda request: canned_aws.response(request, 503, "", {}),
    **{
        f"{status} {code}": refusal(code, message, status)
        for status, code, message in (
            (400, "ExpiredToken", "The security token included in the request is expired"),
            (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
            (400, "UnrecognizedClientException", None),
            (403, "SignatureDoesNotMatch", "Signature expired: 20261126T000000Z is now earlier than 20261127T000000Z"),
            (403, "RequestTimeTooSkewed", "The difference is too large."),
            (403, "AccessDenied", 'User: {"arn": "x"} is not authorized'),
            (400, "AccessDeniedException", None),
            (400, "Throttling", "Rate exceeded"),
            (400, "ThrottlingException", None),
            (503, "SlowDown", "Please reduce your request rate."),
            (503, "RequestLimitExceeded", None),
            (500, "InternalFailure", None),
            (503, "ServiceUnavailable", None),
            (400, "IllegalLocationConstraintException", "The eu-west-1 location constraint is incompatible."),
            (301, "PermanentRedirect", "The bucket must be addressed using the specified endpoint."),
            (400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-west-1'"),
            (400, "ValidationError", "Stack with id clinical-media-dev does not exist"),
            (404, "NoSuchBucket", "The specified bucket does not exist"),
            (400, "ExecutionDoesNotExist", None),
            (400, "KMS.DisabledException", None),
        )
    },
}
WHAT_TO_DO = re.compile(
    r"\b(wait|log in|set|look at|correct|ask for|use other|repair|repeat|start|deploy it|give|report|unset|choose)\b"
)


@pytest.fixture(scope="module", autouse=True)
def one_session() -> Iterator[None]:
    """Creating clients takes longer than their failing calls."""
    session = boto3.Session("id", "secret", region_name="us-east-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "Session", lambda *_, **__: session)
        yield


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "visit.wav"
    path.write_bytes(b"RIFF")
    return path


def arguments(name: str, recording: Path) -> list[str]:
    """Values for the command's required parameters."""
    given = [name]
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "argument":
            given.append(str(recording) if "PATH" in (parameter.metavar or "") else "drop-1")
        elif parameter.name == "env":
            given += ["--env", "dev"]
        elif parameter.name == "user_id":
            given += ["--user-id", "p-1"]
        elif parameter.name == "path":
            given += ["--report", str(recording.with_name("report.md"))]
        elif parameter.name in ("name", "database", "table"):
            given += [parameter.opts[0], "readers"]
        elif parameter.name == "prefix":
            given += ["--prefix", f"s3://{canned_aws.MEDIA}/media/"]
        elif parameter.name == "output":
            given += ["--output", "s3://bucket/audiences"]
        elif parameter.name == "yes":
            given.append("--yes")
    return given


def check(code: int, output: str, error: str, *, is_verdict: bool = False) -> None:
    assert is_verdict or code == 1, (code, output, error)
    assert "Traceback" not in output + error
    if not is_verdict:
        assert "{" not in output + error, (output, error)
        assert WHAT_TO_DO.search(error), (output, error)
        assert error.endswith(".\n"), error
    assert not re.search(r"\bNone\b", output + error), (output, error)


def run(given: list[str], answer: Answer, *, is_verdict: bool = False) -> None:
    with pytest.MonkeyPatch.context() as patch:
        canned_aws.install(patch, answer)
        # Otherwise it would be created for each command, which takes longer than most commands here.
        patch.setattr("typer.testing._get_command", lambda _: GROUP)
        ended = CliRunner().invoke(app, given)
    assert ended.exception is None or isinstance(ended.exception, SystemExit), repr(ended.exception)
    assert "unexpected" not in ended.stderr
    check(ended.exit_code, ended.stdout, ended.stderr, is_verdict=is_verdict)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_command_says_what_is_wrong_with_aws_and_what_to_do(failure: str, recording: Path) -> None:
    for name in COMMANDS:
        run(arguments(name, recording), FAILURES[failure])


@pytest.mark.parametrize("failure", FAILURES)
def test_a_command_that_has_found_the_environment_says_so_too(failure: str, recording: Path) -> None:
    for name in COMMANDS:
        run(arguments(name, recording), after_the_stack(FAILURES[failure]))


@pytest.mark.parametrize(("name", "flag"), FLAGS)
def test_whatever_else_is_asked_for(name: str, flag: str, recording: Path) -> None:
    for failure in ("page 200", "500 InternalFailure"):
        # A verification of the account needs no stack.
        is_verdict = flag == "--preflight"
        run([*arguments(name, recording), flag], FAILURES[failure], is_verdict=is_verdict)


@pytest.mark.parametrize(
    ("config", "credentials", "variables"),
    [
        (None, None, {}),
        ("[default\nregion", None, {}),
        ("[default]\nregion = us-east-1", None, {}),
        ("[default]\nregion = us-east-1", None, {"AWS_PROFILE": "nobody"}),
        ("[default]\nregion = us-east-1", "[default\naws", {}),
        ("[default]\nregion = us-east-1", "[default]\naws_access_key_id = a", {}),
        ("[default]\nregion = us-east-1", None, {"AWS_ACCESS_KEY_ID": "a"}),
        ("[default]\nregion = us east", None, KEYS),
        ("[default]\nregion = us-east-1\ncredential_process = false", None, {}),
        ("[default]\nregion = us-east-1\ncredential_process = no-such-program", None, {}),
        ("[default]\nregion = us-east-1\ncredential_process = echo {", None, {}),
        ("[default]\nregion = us-east-1\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = gone", None, {}),
        ("[default]\nregion = us-east-1\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default", None, {}),
        (
            "[default]\nregion = us-east-1\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
            "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://s.example/start",
            None,
            {},
        ),
        (
            "[default]\nregion = us-east-1\nsso_account_id = 1\nsso_role_name = r\nsso_region = us-east-1\n"
            "sso_start_url = https://s.example/start",
            None,
            {},
        ),
        ("[default]\nregion = us-east-1\nlogin_session = s", None, {}),
        ("[default]\nregion = us-east-1\nretry_mode = often", None, {}),
        (None, None, {"AWS_ENDPOINT_URL": "nonsense", "AWS_REGION": "us-east-1", **KEYS}),
        (
            "[default]\nregion = us-east-1",
            None,
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/none", "AWS_ROLE_ARN": "arn:r:r:r"},
        ),
        ("[default]\nregion = us-east-1", None, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/"}),
    ],
)
def test_a_broken_configuration_is_told(
    config: str | None,
    credentials: str | None,
    variables: dict[str, str],
    recording: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, text in (("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", credentials)):
        path = tmp_path / name
        if text is not None:
            path.write_text(text)
        monkeypatch.setenv(name, str(path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "Session", SESSION)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name in COMMANDS:
        run(arguments(name, recording), page(200))


OF_THE_MACHINE: dict[str, tuple[BaseException, int]] = {
    "full": (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/report.html"), 1),
    "full, somewhere": (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1),
    "not ours": (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "out"), 1),
    "a fault of ours": (KeyError("media/p-secret/visit.wav"), 1),
    "an end": (EOFError(), 1),
    "Ctrl-C": (KeyboardInterrupt(), 130),
}


@pytest.mark.parametrize("failure", OF_THE_MACHINE)
@pytest.mark.parametrize("commands", [app, local_app], ids=["operations", "local"])
def test_a_failure_of_the_machine_is_told_by_every_command(
    commands: typer.Typer, failure: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error, expected = OF_THE_MACHINE[failure]

    def fails(**_: Any) -> None:
        raise error

    group: Any = typer.main.get_command(commands)
    for name, command in group.commands.items():
        command.callback = fails
        with pytest.raises(SystemExit) as ended:
            group.main(arguments(name, recording) if commands is app else [name])
        output = capsys.readouterr()
        assert ended.value.code == expected
        check(1, output.out, output.err)
        assert "p-secret" not in output.err


@pytest.mark.parametrize(
    ("given", "answer", "told"),
    [
        (["forget", "p-1"], "", "give --yes or --dry-run."),
        (["forget", "p-1"], "n\n", "Nothing was changed, because the answer was no."),
        (["verify"], "", "give --yes or --preflight."),
    ],
)
def test_a_question_that_nobody_answers_is_no_yes(
    given: list[str], answer: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.forgetting.commands.forgetting.plan_removal", lambda *_, **__: None)
    monkeypatch.setattr("operations.forgetting.commands.forgetting.forget", lambda *_, **__: pytest.fail("it was done"))
    monkeypatch.setattr("operations.forgetting.commands.refuse_unknown", lambda *_: None)
    monkeypatch.setattr("operations.forgetting.commands.forgetting_output.print_plan", lambda _: None)
    canned_aws.install(monkeypatch, after_the_stack(page(200)))
    ended = CliRunner().invoke(app, [*given, "--env", "dev"], input=answer)
    assert ended.exit_code == 1
    assert told in ended.stderr
    assert "Aborted" not in ended.stderr


def test_ctrl_c_at_a_question_stops_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def confirm(_: str) -> bool:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise typer.Abort from None

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr("sys.stdin", object())
    with pytest.raises(KeyboardInterrupt):
        ask("Go on?", "--yes")
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(OperationError, match="give --yes"):
        ask("Go on?", "--yes")


def ended(shell: str, **variables: str) -> tuple[int, str]:
    """Run a command in a new shell, and return its exit code and standard error."""
    environment = {**os.environ, **variables, "PYTHON": sys.executable}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", shell], env=environment, capture_output=True, text=True)
    return done.returncode, done.stderr


def test_whoever_has_read_enough_ends_the_command_without_a_word() -> None:
    assert ended("(sleep 1; exec $PYTHON -m operations verify --help) | head -0") == (1, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_is_full_is_told(unbuffered: str) -> None:
    code, error = ended("$PYTHON -m operations --help > /dev/full", PYTHONUNBUFFERED=unbuffered)
    check(code, "", error)
    assert "No space left on device" in error


def test_a_proxy_in_the_way_of_a_real_process_is_told() -> None:
    code, error = ended(
        "$PYTHON -m operations status --env dev", HTTPS_PROXY="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1"
    )
    check(code, "", error)
    assert error.startswith("The proxy http://127.0.0.1:9 lets nothing through;")
