import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.exec import environment, run
from local.ports import listen
from operations.errors import OperationError

ENDPOINT = "http://127.0.0.1:4566"
PRINT = "import json, os; print(json.dumps(dict(os.environ)))"


def test_nothing_of_the_users_aws_is_left() -> None:
    users = {
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL_S3": "https://s3.us-east-1.amazonaws.com",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_REGION": "eu-west-1",
        "PATH": "/bin",
    }
    found = environment(ENDPOINT, users)
    assert found["PATH"] == "/bin" and found["AWS_ENDPOINT_URL"] == ENDPOINT
    assert {name for name in found if name.startswith("AWS_")} == {
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
    }
    assert found["AWS_ACCESS_KEY_ID"] == "local" and found["AWS_REGION"] == "us-east-1"
    assert found["AWS_CONFIG_FILE"] == found["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_no_proxy_is_used_for_this_machine_and_the_users_exceptions_stay() -> None:
    found = environment(ENDPOINT, {"NO_PROXY": "example.org", "HTTPS_PROXY": "http://proxy"})
    assert (found["NO_PROXY"], found["no_proxy"]) == ("127.0.0.1,example.org", "127.0.0.1")
    assert found["HTTPS_PROXY"] == "http://proxy"


def test_the_command_gets_that_environment_and_its_exit_code_is_returned(capfd: pytest.CaptureFixture[str]) -> None:
    with listen(0, "a test") as listener:
        port = listener.getsockname()[1]
        assert run([sys.executable, "-c", f"{PRINT}; raise SystemExit(7)"], port) == 7
    assert json.loads(capfd.readouterr().out)["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{port}"


def test_without_a_local_aws_the_command_is_not_run(tmp_path: Path) -> None:
    with listen(0, "a test") as listener:
        port = listener.getsockname()[1]
    with pytest.raises(
        OperationError, match=rf"No local AWS answers at http://127.0.0.1:{port}: start it in another terminal"
    ):
        run([sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"], port)
    assert not (tmp_path / "ran").exists()


def test_a_command_that_does_not_exist_is_named() -> None:
    with listen(0, "a test") as listener, pytest.raises(OperationError, match="There is no command nothing-like-it"):
        run(["nothing-like-it"], listener.getsockname()[1])


@pytest.mark.parametrize("target", ["bootstrap", "diff", "deploy", "verify", "destroy"])
def test_make_can_reach_only_the_local_aws_for_the_local_environment(target: str) -> None:
    def lines(environment: str) -> list[str]:
        command = ["make", "--dry-run", target, f"ENV={environment}", "PORT=5000"]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        return [
            line for line in made.stdout.splitlines() if f"env={environment}" in line or f"--env {environment}" in line
        ]

    assert lines("local") and all(
        line.startswith(".venv/bin/python -m local.exec --port 5000 -- ") for line in lines("local")
    )
    assert lines("prod") and not any("local" in line for line in lines("prod"))
