"""The commands run, status, redrive and again."""

import os
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from operations import following
from operations.__main__ import app
from tests.docs.pages import json_keys
from tests.operations.conftest import Command
from tests.statemachine.conftest import Run


def recording(run: Run, path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(run.engines.recording(text))
    return path


def test_a_folder_of_patients_is_run_followed_and_its_rejections_told(
    run: Run, operate: Command, tmp_path: Path
) -> None:
    recording(run, tmp_path / "p-run-1" / "visit.wav", "Patient has asthma.")
    (tmp_path / "p-run-2").mkdir()
    (tmp_path / "p-run-2" / "empty.wav").touch()
    answer = operate("run", str(tmp_path), "--consent", "--wait")
    assert answer.code == 3, answer
    assert "media/p-run-2/empty.wav" in answer.output
    assert "The file is empty" in answer.output
    assert "SUCCEEDED" in answer.output
    head = run.s3.head_object(Bucket=run.pipeline.media_bucket, Key="media/p-run-1/visit.wav")
    assert head["Metadata"] == {"audience-consent": "true"}
    assert [row["text"] for row in run.records("p-run-1")] == ["asthma"]


def test_what_can_be_no_recording_stays_here_and_stops_no_other(run: Run, operate: Command, tmp_path: Path) -> None:
    path = recording(run, tmp_path / "visit.wav", "Patient has gout.")
    (tmp_path / "letter.pdf").write_bytes(b"%PDF")
    (tmp_path / "README").write_bytes(b"read me")
    answer = operate("run", str(tmp_path), "--user-id", "p-letter", "--json")
    assert (answer.code, list(answer.json)) == (3, json_keys("`run`"))
    uri = f"s3://{run.pipeline.media_bucket}/media/p-letter/{path.name}"
    assert answer.json["uploaded"] == [uri]
    assert [item["path"] for item in answer.json["refused"]] == [str(tmp_path / "README"), str(tmp_path / "letter.pdf")]
    assert f"Not uploaded: {tmp_path}/letter.pdf ends in 'pdf'; Transcribe Medical takes amr, flac," in answer.error
    run.execution_of(uri)
    listed = run.s3.list_objects_v2(Bucket=run.pipeline.media_bucket, Prefix="media/p-letter/")
    assert listed["KeyCount"] == 1


def test_a_letter_is_refused_before_aws_is_asked(tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF")
    command = ["run", str(tmp_path / "letter.pdf"), "--user-id", "p-1", "--env", "local"]
    answer = CliRunner().invoke(app, [*command, "--endpoint-url", "http://127.0.0.1:9"])
    assert answer.exit_code == 1
    assert answer.stderr == (
        f"{tmp_path}/letter.pdf ends in 'pdf'; Transcribe Medical takes amr, flac, m4a, mp3, mp4, ogg, wav, webm. "
        "Convert or rename it.\n"
    )


def test_a_file_without_wait_is_uploaded_and_without_consent(run: Run, operate: Command, tmp_path: Path) -> None:
    path = recording(run, tmp_path / "visit.wav", "Patient has fever.")
    answer = operate("run", str(path), "--user-id", "p-upload", "--json")
    key = "media/p-upload/visit.wav"
    assert (answer.code, answer.json["uploaded"]) == (0, [f"s3://{run.pipeline.media_bucket}/{key}"])
    assert list(answer.json) == json_keys("`run`")
    assert run.s3.head_object(Bucket=run.pipeline.media_bucket, Key=key)["Metadata"] == {}
    run.execution_of(f"s3://{run.pipeline.media_bucket}/{key}")


def test_what_failed_is_told_with_what_to_press_and_a_redrive_repairs_it(
    run: Run, operate: Command, tmp_path: Path
) -> None:
    run.engines.entity_errors = [RuntimeError("out of order")]
    path = recording(run, tmp_path / "visit.wav", "Patient has diabetes.")
    failed = operate("run", str(path), "--user-id", "p-failed", "--wait")
    assert failed.code == 1
    (name,) = [line.split()[0] for line in failed.output.splitlines() if "  FAILED" in line and "s3:" not in line][-1:]
    shown = operate("status", name)
    assert shown.code == 0
    assert "PollEntityDetection failed: JobFailed" in shown.output
    assert f"redrive {name}" in shown.output
    assert "1 total, 1 succeeded" in shown.output
    redriven = operate("redrive", name, "--wait", "--json")
    assert redriven.code == 0, redriven
    assert list(redriven.json) == json_keys("`run`, `redrive`, `again` with `--wait`")
    (execution,) = redriven.json["executions"]
    assert list(execution) == json_keys("`status EXECUTION`")
    assert (execution["status"], execution["redrives"], execution["counts"]["transcribed"]) == ("SUCCEEDED", 1, 1)
    assert [stage["name"] for stage in execution["stages"]][-1] == "Summarize"
    refused = operate("redrive", name)
    assert refused.code == 1
    assert "can't be redriven" in refused.error
    repeated = operate("again", name, "--wait", "--json")
    assert (repeated.code, repeated.json["executions"][0]["counts"]["reused"]) == (0, 1)
    listed = operate("status", "--json", "--number", "2")
    assert [item["name"] for item in listed.json] == [repeated.json["executions"][0]["name"], name]
    assert name in operate("status").output


def test_who_can_or_will_follow_no_longer_is_told_that_the_execution_goes_on(
    run: Run, operate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    def refused(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": ""}}, "DescribeExecution")

    path = recording(run, tmp_path / "visit.wav", "Patient has a cough.")
    with monkeypatch.context() as patch:
        patch.setattr(following, "read_execution", interrupted)
        stopped = operate("run", str(path), "--user-id", "p-stopped", "--wait", "--json")
        assert (stopped.code, stopped.output) == (130, "")
        execution = run.execution_of(f"s3://{run.pipeline.media_bucket}/media/p-stopped/visit.wav")
        look_at = f"The execution goes on: python -m operations status {execution['name']} --env local --endpoint-url "
        assert look_at + run.pipeline.aws.endpoint in stopped.error
        again = operate("again", execution["name"], "--wait")
        assert (again.code, "The execution goes on: python -m operations status " in again.error) == (130, True)
        patch.setattr(following, "read_execution", refused)
        lost = operate("again", execution["name"], "--wait")
        assert (lost.code, "The execution goes on: python -m operations status " in lost.error) == (1, True)
        assert lost.error.startswith("AWS doesn't take the credentials (ExpiredToken); log in again.")
        patch.setattr(following.Uptake, "update", interrupted)
        early = operate("run", str(path), "--user-id", "p-early", "--wait")
        assert early.code == 130
        assert "The recordings are uploaded and start executions: python -m operations status --env" in early.error
    assert execution["status"] == "SUCCEEDED"
    run.execution_of(f"s3://{run.pipeline.media_bucket}/media/p-early/visit.wav")


def test_ctrl_c_while_uploading_says_how_far_it_came(
    operate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    (tmp_path / "visit.wav").touch()
    monkeypatch.setattr("operations.__main__.upload", interrupted)
    stopped = operate("run", str(tmp_path), "--user-id", "p-1")
    assert stopped.code == 130
    assert stopped.error.startswith("Stopped by Ctrl-C: at least 0 of 1 recordings are uploaded")


def test_a_mistyped_environment_is_told_before_region_and_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for command in ("status", "verify", "unblock"):
        answer = CliRunner().invoke(app, [command, "--env", "prdo"])
        assert (answer.exit_code, answer.stderr) == (
            1,
            "There is no environment 'prdo' in cdk.json, only dev, local, prod, staging; correct --env.\n",
        )


def test_the_local_environment_is_where_the_variable_says_whatever_the_profile(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": run.pipeline.aws.endpoint,
        "AWS_PROFILE": "nobody",
        "AWS_CONFIG_FILE": __file__,
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("no_proxy", raising=False)
    answer = CliRunner().invoke(app, ["status", "--env", "local", "--json"])
    assert (answer.exit_code, answer.stderr) == (0, "")


def test_recordings_of_nobody_and_files_that_are_not_there_are_refused(operate: Command, tmp_path: Path) -> None:
    (tmp_path / "visit.wav").write_bytes(b"x")
    for arguments, told in (
        ([str(tmp_path / "visit.wav")], "Give --user-id"),
        ([str(tmp_path)], "Give --user-id"),
        ([str(tmp_path / "nothing.wav")], "neither a file nor a folder"),
        ([str(tmp_path / "visit.wav"), "--user-id", "a/b"], "has no slash"),
        ([str(tmp_path / "visit.wav"), "--user-id", "a\tb"], "it has the character U+0009"),
        ([str(tmp_path / "visit.wav")] * 2 + ["--user-id", "p-1"], "would both be media/p-1/visit.wav"),
    ):
        answer = operate("run", *arguments)
        assert answer.code == 1
        assert told in answer.error
        assert answer.error.count("\n") == 1


def test_a_recording_is_uploaded_under_the_one_spelling_of_its_patient(
    run: Run, operate: Command, tmp_path: Path
) -> None:
    path = recording(run, tmp_path / "Jose\u0301" / "visit.wav", "Patient has fever.")
    key = "media/Jos\u00e9/visit.wav"
    for arguments in ([str(tmp_path)], [str(path), "--user-id", "Jose\u0301 "]):
        answer = operate("run", *arguments, "--json")
        assert [uri.partition("/media/")[2] for uri in answer.json["uploaded"]] == [key.removeprefix("media/")]
    run.execution_of(f"s3://{run.pipeline.media_bucket}/{key}")


def test_what_a_dry_run_writes_for_scripts_is_documented(run: Run, operate: Command) -> None:
    run.execution_of(run.drop("media/p-dry/visit.wav", b""))
    answer = operate("forget", "p-dry", "--dry-run", "--json")
    assert (answer.code, list(answer.json)) == (0, json_keys("`forget --dry-run`"))


def test_an_execution_that_is_not_there_is_told(operate: Command) -> None:
    for command in ("status", "redrive", "again"):
        answer = operate(command, "nothing")
        assert answer.code == 1
        assert "There is no execution" in answer.error


def test_an_environment_without_a_stack_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    answer = CliRunner().invoke(
        app, ["status", "--env", "prod", "--endpoint-url", run.pipeline.aws.endpoint], catch_exceptions=False
    )
    assert answer.exit_code == 1
    assert "There is no stack clinical-media-prod at" in answer.stderr
    assert ", only clinical-media-local: correct --env prod" in answer.stderr


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "There are no AWS credentials"),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, "No Region is set"),
        ({"AWS_PROFILE": "nobody"}, "unset AWS_PROFILE"),
    ],
)
def test_missing_credentials_region_and_profile_are_told(
    variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **variables,
    }.items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(app, ["status", "--env", "prod"], catch_exceptions=False)
    assert answer.exit_code == 1
    assert told in answer.stderr


def test_a_local_aws_that_is_not_up_is_told() -> None:
    answer = CliRunner().invoke(app, ["status", "--env", "local", "--endpoint-url", "http://127.0.0.1:9"])
    assert answer.exit_code == 1
    assert "Nobody answers at http://127.0.0.1:9/" in answer.stderr


@pytest.mark.parametrize("command", ["run", "status", "redrive", "again", "forget", "unblock"])
def test_help_teaches_with_an_example_and_exit_codes(command: str) -> None:
    answer = CliRunner().invoke(app, [command, "--help"])
    assert answer.exit_code == 0
    (example,) = [line for line in answer.stdout.splitlines() if "Example:" in line]
    assert f"Example: python -m operations {command}" in example and "--env" in example, "whole, to be copied"
    assert "Exit codes: 0" in answer.stdout
