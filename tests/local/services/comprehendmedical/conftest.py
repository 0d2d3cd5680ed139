import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.model import OperationModel

from local.services.comprehendmedical import jobs
from local.services.shapes import violations
from tests.local.aws.in_process import eventually
from tests.local.services.one_service import policy, serving

ACCOUNT = "123456789012"
ENDED = ("COMPLETED", "PARTIAL_SUCCESS", "FAILED", "STOPPED")
DATA_ACCESS: list[dict[str, Any]] = [
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::clinical"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::clinical/documents/*"},
    {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::clinical/entities/*"},
    {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"},
]


@dataclass
class Aws:
    """A moto server with our Comprehend Medical and IAM enforced; every answer is checked against botocore's model."""

    endpoint: str

    def client(self, service: str, /, region: str = "us-east-1") -> Any:
        client = boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}),
        )
        client.meta.events.register("after-call.comprehendmedical", _check_answer)
        return client

    def role(
        self, statements: list[dict[str, Any]], source_arn: str = f"arn:aws:comprehendmedical:us-east-1:{ACCOUNT}:*"
    ) -> str:
        """Make a role that Comprehend Medical may assume for jobs of `source_arn`, and return its ARN."""
        name = f"role-{uuid.uuid4()}"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "comprehendmedical.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": source_arn}},
        }
        client = self.client("iam")
        arn: str = client.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))["Role"]["Arn"]
        client.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy(statements))
        return arn


def _check_answer(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
    if parsed["ResponseMetadata"]["HTTPStatusCode"] == 200 and model.output_shape:
        assert not list(violations(model.output_shape, parsed)), model.name


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with serving("comprehendmedical") as endpoint:
        aws = Aws(endpoint)
        aws.client("s3").create_bucket(Bucket="clinical")
        yield aws


@pytest.fixture(autouse=True)
def instant_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the service: its engine finds one entity, the whole text, without a vocabulary."""

    def whole_text(text: str) -> dict[str, Any]:
        entity = {
            "Id": 0, "BeginOffset": 0, "EndOffset": len(text), "Score": 0.9, "Text": text,
            "Category": "MEDICAL_CONDITION", "Type": "DX_NAME", "Traits": [],
        }  # fmt: skip
        return {"Entities": [entity], "UnmappedAttributes": [], "ModelVersion": "test"}

    monkeypatch.setattr(jobs, "engine", whole_text)


@pytest.fixture
def client(aws: Aws) -> Any:
    return aws.client("comprehendmedical")


@pytest.fixture
def s3(aws: Aws) -> Any:
    return aws.client("s3")


@pytest.fixture(scope="module")
def role(aws: Aws) -> str:
    """A role that may do what a job needs."""
    return aws.role(DATA_ACCESS)


@pytest.fixture
def documents(s3: Any) -> Callable[[dict[str, bytes]], str]:
    """Put documents, content by name, below a unique prefix, and return the prefix."""

    def put(contents: dict[str, bytes]) -> str:
        prefix = f"documents/{uuid.uuid4()}/"
        for name, content in contents.items():
            s3.put_object(Bucket="clinical", Key=prefix + name, Body=content)
        return prefix

    return put


@pytest.fixture
def request_for(role: str) -> Callable[..., dict[str, Any]]:
    """The parameters of a start for the documents below a prefix; keyword arguments add or replace some."""

    def build(prefix: str, **parameters: Any) -> dict[str, Any]:
        return {
            "InputDataConfig": {"S3Bucket": "clinical", "S3Key": prefix},
            "OutputDataConfig": {"S3Bucket": "clinical", "S3Key": "entities/"},
            "DataAccessRoleArn": role,
            "LanguageCode": "en",
            **parameters,
        }

    return build


@pytest.fixture
def wait(client: Any) -> Callable[[str], dict[str, Any]]:
    """The description of a job once it has ended."""

    def until_ended(job_id: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            answer = client.describe_entities_detection_v2_job(JobId=job_id)
            job: dict[str, Any] = answer["ComprehendMedicalAsyncJobProperties"]
            return job if job["JobStatus"] in ENDED else None

        job: dict[str, Any] = eventually(ended, seconds=20)
        return job

    return until_ended


@pytest.fixture
def run(client: Any, request_for: Any, wait: Any) -> Callable[..., dict[str, Any]]:
    """Start a job over a prefix and describe it once it has ended."""

    def start(prefix: str, **parameters: Any) -> dict[str, Any]:
        job_id = client.start_entities_detection_v2_job(**request_for(prefix, **parameters))["JobId"]
        ended: dict[str, Any] = wait(job_id)
        return ended

    return start


@pytest.fixture
def read_json(s3: Any) -> Callable[[str], Any]:
    """The parsed content of an object of the clinical bucket."""

    def read(key: str) -> Any:
        return json.loads(s3.get_object(Bucket="clinical", Key=key)["Body"].read())

    return read
