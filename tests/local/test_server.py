import contextlib
import io
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoCredentialsError
from numpy.typing import NDArray

from local.aws import clock
from local.aws.open_points import OpenPoints, played
from local.engines.speech import Word
from local.server import ASSET_BUCKET, SERVICES, LocalAws
from local.services.transcribe import models

AWS_CLI = Path(sys.executable).with_name("aws")


@pytest.fixture
def start() -> Iterator[Any]:
    """start(**options) -> a local AWS that is stopped after the test"""
    running = []

    def begin(**options: Any) -> Any:
        running.append(LocalAws.start(**{"services": {}, **options}))
        return running[-1]

    yield begin
    for aws in running:
        aws.stop()


def test_a_proxy_is_asked_for_nothing_that_is_here(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "intranet.example")
    aws = start()
    assert aws.client("s3").list_buckets()["Buckets"][0]["Name"] == ASSET_BUCKET
    # Any client that is made in this process.
    client = boto3.client("sts", aws_access_key_id="local", aws_secret_access_key="local")
    assert client.get_caller_identity()["Account"] == "123456789012"
    aws.stop()
    assert os.environ["no_proxy"] == "intranet.example"


@pytest.fixture
def free_port() -> int:
    """A port that stays free: none of those from which the system picks (32768 to 60999) for connections."""
    for port in random.sample(range(20_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no port from 20000 to 29999 is free")


def test_it_serves_on_the_loopback_interface_at_a_free_port(start: Any) -> None:
    aws = start()
    assert aws.endpoint.startswith("http://127.0.0.1:")
    assert os.environ["AWS_ENDPOINT_URL"] == aws.endpoint
    client = boto3.client("sts", aws_access_key_id="local", aws_secret_access_key="local")
    assert client.get_caller_identity()["Account"] == "123456789012"


def test_code_that_brings_no_credentials_fails_instead_of_acting_as_the_operator(start: Any) -> None:
    start()
    with pytest.raises(NoCredentialsError):
        boto3.session.Session().client("s3").list_buckets()


def test_it_is_what_a_cdk_app_can_be_deployed_into(start: Any) -> None:
    aws = start()
    parameter = aws.client("ssm").get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]
    assert int(parameter["Value"]) >= 6
    aws.client("s3").head_bucket(Bucket=ASSET_BUCKET)


def test_a_second_one_starts_empty(start: Any) -> None:
    first = start()
    first.client("s3").create_bucket(Bucket="left-behind")
    first.stop()
    second = start()
    assert [bucket["Name"] for bucket in second.client("s3").list_buckets()["Buckets"]] == [ASSET_BUCKET]


def test_two_at_a_time_are_refused(start: Any) -> None:
    first = start()
    with pytest.raises(RuntimeError, match=f"already runs in this process, at {first.endpoint}"):
        start()
    assert first.client("s3").list_buckets()["Buckets"]


def test_a_port_in_use_is_named(start: Any, free_port: int) -> None:
    with (
        socket.create_server(("127.0.0.1", free_port)),
        pytest.raises(OSError, match=f"Port {free_port} cannot be used for the local AWS"),
    ):
        start(port=free_port)
    assert start(port=free_port).endpoint.endswith(f":{free_port}")


@pytest.mark.parametrize("port", [-1, 65_536, 80_000])
def test_a_number_that_is_no_port_is_named(start: Any, port: int) -> None:
    with pytest.raises(OSError, match=rf"Port {port} cannot be used for the local AWS \(ports are 0 to 65535\)"):
        start(port=port)
    assert start().endpoint


def test_stopping_frees_the_port_and_restores_the_environment(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "someone")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example")
    before = dict(os.environ)
    aws = start()
    assert "AWS_PROFILE" not in os.environ
    assert "AWS_ENDPOINT_URL_S3" not in os.environ
    s3 = aws.client("s3", config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=1))
    s3.list_buckets()
    aws.stop()
    aws.stop()
    assert dict(os.environ) == before
    with pytest.raises(BotoCoreError):
        s3.list_buckets()


def test_a_service_that_cannot_be_imported_leaves_nothing_running(start: Any) -> None:
    with pytest.raises(ImportError, match="no_such_service"):
        start(services={"transcribe": "no_such_service"})
    assert start().client("s3").list_buckets()["Buckets"]


def test_the_three_ai_services_are_served() -> None:
    aws = LocalAws.start()
    try:
        assert aws.client("transcribe").list_medical_transcription_jobs()["MedicalTranscriptionJobSummaries"] == []
        jobs = aws.client("comprehendmedical").list_entities_detection_v2_jobs()
        assert jobs["ComprehendMedicalAsyncJobPropertiesList"] == []
        assert aws.client("cleanroomsml").list_audience_generation_jobs()["audienceGenerationJobs"] == []
    finally:
        aws.stop()


def test_the_pace_of_time_is_set(start: Any) -> None:
    start(time_scale=0.25, longest_wait=3)
    assert clock.scaled(8) == 2
    assert clock.scaled(80) == 3


def test_the_ways_of_open_points_are_set_at_the_start_and_while_it_runs(start: Any) -> None:
    aws = start(open_points=OpenPoints(queue_key="nothing"))
    assert aws.open_points.queue_key == "nothing"
    aws.open_points = replace(aws.open_points, map_children="labelled")
    assert played() == OpenPoints(queue_key="nothing", map_children="labelled")
    aws.stop()
    assert start().open_points == OpenPoints()


def test_executions_do_not_outlive_it(start: Any) -> None:
    aws = start(time_scale=1)
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=role)["Role"]["Arn"]
    states = aws.client("stepfunctions")
    machine = states.create_state_machine(
        name="waiting",
        roleArn=arn,
        definition='{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":600,"End":true}}}',
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    assert states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    begun = time.monotonic()
    aws.stop()
    assert time.monotonic() - begun < 10


def test_no_transcription_reaches_the_next_one(start: Any, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[float] = []
    entered, finish = threading.Event(), threading.Event()

    def slow_if_long(samples: NDArray[np.int16]) -> list[Word]:
        heard.append(len(samples) / 16_000)
        if len(samples) > 16_000 * 4:
            entered.set()
            assert finish.wait(20)
        return []

    def start_job(aws: LocalAws, seconds: int) -> None:
        recording = io.BytesIO()
        with wave.open(recording, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(bytes(2 * 16_000 * seconds))
        aws.client("s3").create_bucket(Bucket=f"recordings-{seconds}")
        aws.client("s3").put_object(Bucket=f"recordings-{seconds}", Key="a.wav", Body=recording.getvalue())
        aws.client("transcribe").start_medical_transcription_job(
            MedicalTranscriptionJobName=f"seconds-{seconds}",
            LanguageCode="en-US",
            Media={"MediaFileUri": f"s3://recordings-{seconds}/a.wav"},
            OutputBucketName="clinical",
            Specialty="PRIMARYCARE",
            Type="DICTATION",
        )

    monkeypatch.setattr(models, "engine", slow_if_long)
    services = {"transcribe": SERVICES["transcribe"]}
    first = start(services=services, port=free_port)
    first.client("s3").create_bucket(Bucket="clinical")
    start_job(first, 5)
    start_job(first, 3)
    assert entered.wait(20)
    [worker] = [thread for thread in threading.enumerate() if thread.name == "medical-transcription"]
    first.stop()

    # On the same port, which the first one's threads would call.
    second = start(services=services, port=free_port)
    s3 = second.client("s3")
    s3.create_bucket(Bucket="clinical")
    start_job(second, 2)  # is not kept waiting
    s3.get_waiter("object_exists").wait(Bucket="clinical", Key="seconds-2.json", WaiterConfig={"Delay": 1})
    finish.set()
    worker.join(20)
    assert not worker.is_alive()
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="clinical")["Contents"]] == ["seconds-2.json"]
    assert heard == [5, 2]


@pytest.fixture
def aws_cli(start: Any, tmp_path: Path) -> Any:
    """aws_cli(*arguments) -> the standard output of the real AWS CLI"""
    aws = start()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def run(*arguments: Any) -> Any:
        command = [sys.executable, AWS_CLI, "--endpoint-url", aws.endpoint, "--output", "text", *arguments]
        return subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=60).stdout

    return run


def test_the_aws_cli_uploads_with_metadata_and_asks_for_executions(aws_cli: Any, tmp_path: Path) -> None:
    recording = tmp_path / "visit é+1.wav"
    recording.write_bytes(b"RIFF")
    aws_cli("s3", "mb", "s3://media")
    aws_cli("s3", "cp", str(recording), "s3://media/media/p-001/", "--metadata", "audience-consent=true")
    query = ["--query", '[ContentLength, Metadata."audience-consent"]']
    head = aws_cli("s3api", "head-object", "--bucket", "media", "--key", f"media/p-001/{recording.name}", *query)
    assert head.split() == ["4", "true"]
    trust = '{"Version":"2012-10-17","Statement":[]}'
    role = ["iam", "create-role", "--role-name", "states", "--assume-role-policy-document", trust]
    role_arn = aws_cli(*role, "--query", "Role.Arn").strip()
    definition = '{"StartAt":"Done","States":{"Done":{"Type":"Succeed"}}}'
    machine = ["--name", "pipeline", "--role-arn", role_arn, "--definition", definition, "--query", "stateMachineArn"]
    arn = aws_cli("stepfunctions", "create-state-machine", *machine).strip()
    aws_cli("stepfunctions", "start-execution", "--state-machine-arn", arn, "--name", "batch-1")
    executions = ["--state-machine-arn", arn, "--query", "executions[].name"]
    assert aws_cli("stepfunctions", "list-executions", *executions).strip() == "batch-1"


def test_it_begins_with_the_stack_of_cdk_bootstrap(start: Any) -> None:
    aws = start()
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="CDKToolkit")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs == {"BucketName": ASSET_BUCKET, "BootstrapVersion": "31"}
    assert aws.client("s3").list_objects_v2(Bucket=ASSET_BUCKET)["KeyCount"] == 0
    parameter = aws.client("ssm").get_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    assert parameter["Parameter"]["Value"] == outputs["BootstrapVersion"]


def test_what_the_account_s_owner_has_set_is_forgotten_with_the_rest(start: Any) -> None:
    aws = start()
    concurrent = ("lambda", "Concurrent executions")
    aws.account.quotas[concurrent] = 10
    settings = aws.client("lambda").get_account_settings()["AccountLimit"]
    assert settings["ConcurrentExecutions"] == 10
    aws.stop()
    assert start().client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 1000
