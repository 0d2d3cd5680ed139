import io
import uuid
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import numpy as np
import pytest
from numpy.typing import NDArray

from local.engines.speech import Word
from local.services.transcribe import models
from tests.local.aws.in_process import eventually
from tests.local.services.one_service import policy, serving

WORDS = [Word("Good", 0.1, 0.4, 0.9), Word("morning", 0.4, 0.8, 0.95, "."), Word("Doctor", 0.9, 1.1, 0.9)]


@dataclass
class Aws:
    """A moto server with our Transcribe and IAM enforced."""

    endpoint: str

    def client(self, service: str, /, **credentials: str) -> Any:
        operator = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return boto3.client(  # type: ignore[call-overload]
            service, region_name="us-east-1", endpoint_url=self.endpoint, **(credentials or operator)
        )

    def client_allowed(self, statements: list[dict[str, Any]]) -> Any:
        """A Transcribe client of a role with these permissions and no others."""
        name = f"role-{uuid.uuid4()}"
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        iam_client = self.client("iam")
        arn = iam_client.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))["Role"]["Arn"]
        iam_client.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy(statements))
        given = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return self.client(
            "transcribe",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )


def wav(seconds: float = 1.2, rate: int = 16_000, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(bytes(2 * channels * int(seconds * rate)))
    return file.getvalue()


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with serving("transcribe") as endpoint:
        aws = Aws(endpoint)
        for bucket in ("media", "clinical"):
            aws.client("s3").create_bucket(Bucket=bucket)
        yield aws


@pytest.fixture(autouse=True)
def instant_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the service: its engine recognizes the same three words, by one speaker, in every recording."""

    def three_words(samples: NDArray[np.int16]) -> list[Word]:
        assert samples.dtype == np.int16 and samples.ndim == 1
        return WORDS

    monkeypatch.setattr(models, "engine", three_words)
    monkeypatch.setattr(models, "speakers", lambda samples, words, most: [0] * len(words))


@pytest.fixture
def client(aws: Aws) -> Any:
    return aws.client("transcribe")


@pytest.fixture
def s3(aws: Aws) -> Any:
    return aws.client("s3")


@pytest.fixture
def upload(s3: Any) -> Callable[..., str]:
    """Put a recording under a key of its own and return its URI."""

    def put(data: bytes, name: str = "visit.wav") -> str:
        key = f"media/{uuid.uuid4()}/{name}"
        s3.put_object(Bucket="media", Key=key, Body=data)
        return f"s3://media/{key}"

    return put


@pytest.fixture
def request_for() -> Callable[..., dict[str, Any]]:
    """The parameters of a start for a recording; keyword arguments add or replace some."""

    def build(uri: str, **parameters: Any) -> dict[str, Any]:
        return {
            "MedicalTranscriptionJobName": f"job-{uuid.uuid4()}",
            "LanguageCode": "en-US",
            "Media": {"MediaFileUri": uri},
            "OutputBucketName": "clinical",
            "Specialty": "PRIMARYCARE",
            "Type": "DICTATION",
            **parameters,
        }

    return build


@pytest.fixture
def wait(client: Any) -> Callable[[str], dict[str, Any]]:
    """The description of a job once it has ended."""

    def until_ended(name: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            answer = client.get_medical_transcription_job(MedicalTranscriptionJobName=name)
            job: dict[str, Any] = answer["MedicalTranscriptionJob"]
            return job if job["TranscriptionJobStatus"] in ("COMPLETED", "FAILED") else None

        job: dict[str, Any] = eventually(ended, seconds=20)
        return job

    return until_ended


@pytest.fixture
def run(client: Any, upload: Any, request_for: Any, wait: Any) -> Callable[..., dict[str, Any]]:
    """Transcribe bytes and describe the job once it has ended."""

    def start(data: bytes, **parameters: Any) -> dict[str, Any]:
        request = request_for(upload(data), **parameters)
        client.start_medical_transcription_job(**request)
        ended: dict[str, Any] = wait(request["MedicalTranscriptionJobName"])
        return ended

    return start
