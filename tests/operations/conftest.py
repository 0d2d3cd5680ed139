"""The commands on a running local AWS, whose engines answer at once."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from lambdas.searching.versions import list_versions
from local.pipeline import start_pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models
from operations.__main__ import app
from operations.deployed import Deployed, find
from operations.forgetting.versions import delete
from tests.statemachine.assembly import local_assembly
from tests.statemachine.conftest import Engines, Run


class Answer(NamedTuple):
    code: int
    output: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.output)


Command = Callable[..., Answer]


@pytest.fixture(scope="module")
def world() -> Iterator[Run]:
    engines = Engines()
    pipeline = start_pipeline(local_assembly(), time_scale=0.002, longest_wait=0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcription_models, "engine", engines.transcribe)
        patch.setattr(entity_jobs, "engine", engines.detect)
        try:
            run = Run(pipeline, engines)
            deliver_access_logs(run, False)
            clear_access_logs(run)
            yield run
        finally:
            pipeline.aws.stop()


def log_bucket(run: Run) -> str:
    (name,) = [item["Name"] for item in run.s3.list_buckets()["Buckets"] if "accesslogs" in item["Name"]]
    return str(name)


def clear_access_logs(run: Run) -> None:
    """Delete the access logs, all of which every search would read."""
    delete(run.s3, list(list_versions(run.s3, log_bucket(run))))


def deliver_access_logs(run: Run, wanted: bool) -> None:
    """Turn access logs on or off; moto writes them slowly, one object per request."""
    logs = log_bucket(run)
    for name in [item["Name"] for item in run.s3.list_buckets()["Buckets"] if "-storage" in item["Name"]]:
        if name != logs:
            to = {"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": "clinical/"}} if wanted else {}
            run.s3.put_bucket_logging(Bucket=name, BucketLoggingStatus=to)


@pytest.fixture
def run(world: Run) -> Iterator[Run]:
    yield world
    world.engines.seconds_per_job = 0.0
    world.engines.entity_errors = []


@pytest.fixture(scope="module")
def deployed(world: Run) -> Deployed:
    return find("local", world.pipeline.aws.endpoint)


@pytest.fixture
def operate(world: Run) -> Command:
    """Run a command, whose output isn't wrapped."""

    def operate(*arguments: str, stdin: str | None = None) -> Answer:
        options = ["--env", "local", "--endpoint-url", world.pipeline.aws.endpoint]
        done = CliRunner().invoke(app, [*arguments, *options], input=stdin, env={"COLUMNS": "400"})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Answer(done.exit_code, done.stdout, done.stderr)

    return operate
