"""A local AWS with the pipeline, whose engines answer at once, for verifications of it."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from local.engines.speech import Word
from local.pipeline import Pipeline, start_pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models
from operations.__main__ import app
from operations.deployed import find
from operations.forgetting.versions import delete, list_versions
from tests.operations.conftest import deliver_access_logs
from tests.statemachine.assembly import local_assembly
from tests.statemachine.conftest import Engines, Run

SAID = "The patient has hypertension."
PATIENCE_SECONDS = 20


class Verified(NamedTuple):
    """A verification's exit code, and its document."""

    code: int
    document: dict[str, Any]

    def points(self, verdict: str) -> set[str]:
        return {point["point"] for point in self.document["points"] if point["verdict"] == verdict}

    def seen(self) -> list[str]:
        """What is not as it has to be, with its evidence."""
        return [
            f"{point['point']} {point['verdict']}: {point['evidence']}"
            for point in self.document["points"]
            if point["verdict"] != "holds"
        ]


Verify = Callable[..., Verified]


def words(samples: Any) -> list[Word]:
    return [
        Word(word.rstrip("."), index / 4, (index + 1) / 4, 0.9, "." if word.endswith(".") else "")
        for index, word in enumerate(SAID.split())
    ]


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    pipeline = start_pipeline(local_assembly(), time_scale=0.002, longest_wait=0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcription_models, "engine", words)
        patch.setattr(entity_jobs, "engine", Engines().detect)
        try:
            # Of each request there would be a log, which is read when the patient is forgotten.
            deliver_access_logs(Run(pipeline, Engines()), False)
            yield pipeline
        finally:
            pipeline.aws.stop()


@pytest.fixture(scope="module")
def verify(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Verify:
    report = tmp_path_factory.mktemp("reports") / "report.md"

    def verify(*arguments: str) -> Verified:
        given = ["--env", "local", "--endpoint-url", pipeline.aws.endpoint, "--json", "--report", str(report)]
        patience = ["--patience", str(PATIENCE_SECONDS)]
        answer = CliRunner().invoke(app, ["verify", *given, *patience, *arguments], catch_exceptions=False)
        # The batches of every verification stay, without the patient; the next one's proof would read them all.
        deployed = find("local", pipeline.aws.endpoint)
        s3 = deployed.client("s3")
        delete(s3, list(list_versions(s3, deployed.clinical)))
        return Verified(answer.exit_code, json.loads(answer.stdout))

    return verify
