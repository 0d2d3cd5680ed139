"""A local AWS with the pipeline, whose engines answer at once, for verifications of it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from lambdas.searching.versions import list_versions
from local.engines.speech import Word
from local.pipeline import Pipeline, start_pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models
from operations.deployed import Deployed, find
from operations.environments import environment_of
from operations.forgetting import at_work
from operations.forgetting.versions import delete
from operations.verify import observed, rehearsal, verification
from operations.verify.account import Account
from operations.verify.checks import Finding, Verdict
from operations.verify.verification import Verification
from tests.operations.conftest import deliver_access_logs
from tests.statemachine.assembly import local_assembly
from tests.statemachine.conftest import Engines, Run

SAID = "The patient has hypertension."
PATIENCE_SECONDS = 60

Verify = Callable[..., Verification]


def points(findings: list[Finding], verdict: Verdict) -> set[str]:
    return {found.point for found in findings if found.verdict is verdict}


def seen(findings: list[Finding]) -> list[str]:
    """The points that don't hold, with their evidence."""
    return [
        f"{found.point} {found.verdict}: {found.evidence}" for found in findings if found.verdict is not Verdict.HOLDS
    ]


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
        for module in (observed, rehearsal):
            # Each look at an execution is several calls.
            patch.setattr(module, "pause", lambda deployed: 0.1)
        # A redriven execution might have left a function behind.
        patch.setattr(at_work, "_LONGEST_LOCAL_RUN", timedelta(seconds=4))
        try:
            # Each request would write a log, which `forget` reads.
            deliver_access_logs(Run(pipeline, Engines()), False)
            yield pipeline
        finally:
            pipeline.aws.stop()


@pytest.fixture(scope="module")
def deployed(pipeline: Pipeline) -> Deployed:
    return find("local", pipeline.aws.endpoint)


@pytest.fixture(scope="module")
def verify(deployed: Deployed) -> Verify:
    """verify(): all points; verify(account_only=True): the points that need no stack."""
    account = Account(deployed.connection, environment_of("local"))
    s3 = deployed.client("s3")

    def verify(*, account_only: bool = False) -> Verification:
        if account_only:
            return verification.verify_account(account, "local", ())
        verified = verification.verify(account, deployed, "local", (), PATIENCE_SECONDS, lambda step: None)
        # The batches of every verification stay, without the patient; the next one's proof would read them all.
        delete(s3, list(list_versions(s3, deployed.clinical)))
        return verified

    return verify
