import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.model import OperationModel

from local.server import LocalAws
from local.services.cleanroomsml.seeding import provide_audience_model
from local.services.shapes import violations
from samples.make_interactions import HYPERTENSION_PATIENTS, write_interactions

CONFIGURED_MODEL = "arn:aws:cleanrooms-ml:us-east-1:123456789012:configured-audience-model/local"


class Aws:
    """A local AWS with our Clean Rooms ML and no other AI service.

    Every answer that a client of Clean Rooms ML gets is checked against botocore's model of it.
    """

    def __init__(self, local_aws: LocalAws) -> None:
        self._local_aws = local_aws
        self._clients: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> Any:
        named = json.dumps([service, options])
        if named not in self._clients:
            self._clients[named] = self._local_aws.client(service, **options)
            self._clients[named].meta.events.register("after-call.cleanroomsml", _check_answer)
        return self._clients[named]

    def role(self, name: str, statement: dict[str, Any], service: str = "cleanrooms-ml.amazonaws.com") -> str:
        """Make a role that `service` may assume, and return its ARN."""
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        documents = [json.dumps({"Version": "2012-10-17", "Statement": [part]}) for part in (trust, statement)]
        client = self.client("iam")
        arn: str = client.create_role(RoleName=name, AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
        client.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=documents[1])
        return arn


def _check_answer(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
    if parsed["ResponseMetadata"]["HTTPStatusCode"] == 200 and model.output_shape:
        assert not list(violations(model.output_shape, parsed)), model.name


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A local AWS with the owner's audience model, a seed bucket and a role to read it."""
    local_aws = LocalAws.start(services={"cleanroomsml": "local.services.cleanroomsml"})
    try:
        aws = Aws(local_aws)
        interactions: Path = tmp_path_factory.mktemp("interactions") / "interactions.csv"
        write_interactions(interactions, population=600)
        provide_audience_model(aws, CONFIGURED_MODEL, interactions)
        aws.client("s3").create_bucket(Bucket="seeds")
        aws.role("seed-reader", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::seeds/*"})
        yield aws
    finally:
        local_aws.stop()


@pytest.fixture
def client(aws: Aws) -> Any:
    return aws.client("cleanroomsml")


@pytest.fixture
def configured_model() -> str:
    """The ARN of the model that `aws` has."""
    return CONFIGURED_MODEL


@pytest.fixture
def name() -> str:
    """A unique name."""
    return f"test-{uuid.uuid4()}"


@pytest.fixture
def seed(aws: Aws, name: str) -> Callable[..., dict[str, Any]]:
    """Put a seed, of user ids or of any text, into S3 and return it as a `seedAudience`."""

    def put(content: str | Iterable[str] = HYPERTENSION_PATIENTS, role: str = "seed-reader") -> dict[str, Any]:
        if not isinstance(content, str):
            content = "\n".join(json.dumps({"user_id": user_id}) for user_id in content)
        aws.client("s3").put_object(Bucket="seeds", Key=f"{name}.jsonl", Body=content.encode())
        return {
            "dataSource": {"s3Uri": f"s3://seeds/{name}.jsonl"},
            "roleArn": f"arn:aws:iam::123456789012:role/{role}",
        }

    return put


@pytest.fixture
def wait() -> Callable[[Callable[[], dict[str, Any]]], dict[str, Any]]:
    """Call `describe` until its resource is neither pending nor in progress, and return the description."""

    def until_ended(describe: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while (answer := describe())["status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)
        return answer

    return until_ended


@pytest.fixture
def generate(client: Any, name: str, seed: Any, wait: Any) -> Callable[..., dict[str, Any]]:
    """Run a generation job to its end and return its description; keyword arguments are the request's."""

    def run(**request: Any) -> dict[str, Any]:
        request = {"name": name, "configuredAudienceModelArn": CONFIGURED_MODEL, **request}
        request["seedAudience"] = request.get("seedAudience") or seed()
        arn = client.start_audience_generation_job(**request)["audienceGenerationJobArn"]
        ended: dict[str, Any] = wait(lambda: client.get_audience_generation_job(audienceGenerationJobArn=arn))
        return ended

    return run


@pytest.fixture
def export(client: Any, wait: Any) -> Callable[..., dict[str, Any]]:
    """Run an export of a generation job to its end and return its description."""

    def run(job: dict[str, Any], percent: int) -> dict[str, Any]:
        name, arn = f"test-{uuid.uuid4()}", job["audienceGenerationJobArn"]
        size = {"type": "PERCENTAGE", "value": percent}
        client.start_audience_export_job(name=name, audienceGenerationJobArn=arn, audienceSize=size)

        def describe() -> dict[str, Any]:
            jobs = client.list_audience_export_jobs(audienceGenerationJobArn=arn)["audienceExportJobs"]
            return next(job for job in jobs if job["name"] == name)

        ended: dict[str, Any] = wait(describe)
        return ended

    return run
