"""The whole pipeline with an audience model that another account of the collaboration owns."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lambdas.report.labels import escape
from local.aws.credentials import administrator_credentials
from local.aws.open_points import DEFAULT, WAYS, OpenPoints
from local.pipeline import Pipeline, deploy_pipeline
from local.server import LocalAws
from local.services.cleanroomsml.models import cleanroomsml_backends
from local.services.cleanroomsml.seeding import provide_audience_model, provide_collaboration, share_audience_model
from samples.make_interactions import HYPERTENSION_PATIENTS, write_interactions
from tests.statemachine.assembly import assembly_with
from tests.statemachine.conftest import Run

OURS, THEIRS, REGION = "123456789012", "222233334444", "us-east-1"
MODEL = f"arn:aws:cleanrooms-ml:{REGION}:{THEIRS}:configured-audience-model/theirs"
COLLABORATION, ANOTHER = "01234567-89ab-cdef-0123-456789abcdef", "11111111-2222-3333-4444-555555555555"
OWNERS_BUCKET = f"audience-model-owner-{THEIRS}-{REGION}"

# Each test leaves out another person, so that each has a seed, and with it an audience, of its own.
leaver = itertools.cycle(HYPERTENSION_PATIENTS)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Two accounts: theirs with the model, ours with the stack that names it and the collaboration of both."""
    folder = tmp_path_factory.mktemp("app")
    assembly = assembly_with(folder, configuredAudienceModelArn=MODEL, collaborationId=COLLABORATION)
    write_interactions(folder / "interactions.csv", population=600)
    aws = LocalAws.start(time_scale=0.002, longest_wait=0.1)
    try:
        provide_collaboration(COLLABORATION, REGION, [THEIRS, OURS])
        provide_audience_model(aws, MODEL, folder / "interactions.csv")
        share_audience_model(aws, MODEL, OURS, COLLABORATION)
        yield deploy_pipeline(aws, assembly)
    finally:
        aws.stop()


@pytest.fixture(autouse=True)
def undisturbed(run: Run) -> Iterator[None]:
    yield
    run.pipeline.aws.faults.clear()
    run.pipeline.aws.open_points = DEFAULT
    share_audience_model(run.pipeline.aws, MODEL, OURS, COLLABORATION)


def their(run: Run, service: str) -> Any:
    return run.pipeline.aws.client(service, **administrator_credentials(THEIRS))


def drop(run: Run) -> str:
    """A recording without findings, whose execution makes the audience of people who are due for one."""
    out = next(leaver)
    run.remember([person for person in HYPERTENSION_PATIENTS if person != out])
    return run.drop(f"media/without-{out}/a.wav", run.engines.recording("She is well."), consent=True)


def audience_of(summary: dict[str, Any]) -> dict[str, Any]:
    (audience,) = summary["audiences"]
    assert audience["cohort"] == "hypertension"
    return dict(audience)


@pytest.mark.parametrize("listing", WAYS["foreign_model_listing"])
def test_the_audience_is_generated_with_their_model_and_exported_into_their_bucket(run: Run, listing: Any) -> None:
    run.pipeline.aws.open_points = OpenPoints(foreign_model_listing=listing)
    execution = run.execution_of(drop(run))
    audience = audience_of(run.summary(execution))
    assert audience["seed_size"] == len(HYPERTENSION_PATIENTS) - 1
    assert [item["audienceSize"]["value"] for item in audience["metrics"]["relevanceMetrics"]] == [1, 2, 5, 10, 20]
    assert (audience["export_uri"], audience["export_refused"]) == (None, None)
    assert set(audience["not_visible"]) == {"export_uri"}
    assert f"a bucket of account {THEIRS}" in audience["not_visible"]["export_uri"]
    page = run.clinical(f"batches/{execution['name']}/report.html")
    assert escape(audience["not_visible"]["export_uri"]) in page

    arn = audience["audience_generation_job_arn"]
    assert arn.split(":")[4] == OURS
    job_id = arn.partition("/")[2]
    (found,) = their(run, "s3").list_objects_v2(Bucket=OWNERS_BUCKET, Prefix=f"audiences/{job_id}/")["Contents"]
    lines = their(run, "s3").get_object(Bucket=OWNERS_BUCKET, Key=found["Key"])["Body"].read().splitlines()
    assert len(lines) > 100  # a fifth of some 650 people
    seen = their(run, "cleanroomsml").get_audience_generation_job(audienceGenerationJobArn=arn.replace(OURS, THEIRS))
    assert seen["name"].startswith(f"{OURS}-clinical-media-local-")
    assert "seedAudience" not in seen


def test_metrics_that_the_owner_does_not_share_have_a_reason_in_the_summary(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = cleanroomsml_backends[THEIRS][REGION].configured_audience_models[MODEL]
    monkeypatch.setattr(model, "request", {**model.request, "sharedAudienceMetrics": ["NONE"]})
    execution = run.execution_of(drop(run))
    audience = audience_of(run.summary(execution))
    assert audience["metrics"] is None
    assert set(audience["not_visible"]) == {"metrics", "export_uri"}
    assert audience["not_visible"]["metrics"].startswith(f"Account {THEIRS}, which owns the configured audience model")
    assert escape(audience["not_visible"]["metrics"]) in run.clinical(f"batches/{execution['name']}/report.html")


def test_a_lost_answer_a_redrive_and_a_new_execution_come_to_the_same_job_and_export(run: Run) -> None:
    def generations(client: Any) -> list[str]:
        listed = client.list_audience_generation_jobs()["audienceGenerationJobs"]
        return [job["audienceGenerationJobArn"].partition("/")[2] for job in listed]

    ours = run.pipeline.aws.client("cleanroomsml")
    before = set(generations(ours))
    faults = run.pipeline.aws.faults
    faults.inject("cleanroomsml", "StartAudienceGenerationJob", "drop_after", function="start_audience_generation")
    faults.inject("cleanroomsml", "GetAudienceGenerationJob", "access_denied", function="poll_audience_generation")
    faults.inject("cleanroomsml", "ListAudienceExportJobs", "access_denied", function="poll_audience_export")
    uri = drop(run)
    execution = run.execution_of(uri)
    for last in ("PollAudienceGeneration", "PollAudienceExport"):
        assert (execution["status"], run.states(execution["executionArn"])[-1]) == ("FAILED", last)
        run.stepfunctions.redrive_execution(executionArn=execution["executionArn"])
        execution = run.ended(execution["executionArn"])
    redriven, repeated = audience_of(run.summary(execution)), audience_of(run.summary(run.start(media=[uri])))
    assert repeated == redriven
    (job_id,) = set(generations(ours)) - before
    assert redriven["audience_generation_job_arn"].endswith(job_id)
    assert job_id in generations(their(run, "cleanroomsml"))
    exports = ours.list_audience_export_jobs(audienceGenerationJobArn=redriven["audience_generation_job_arn"])
    assert len(exports["audienceExportJobs"]) == 1


@contextmanager
def left(run: Run, account: str) -> Iterator[None]:
    """The account without its membership in the collaboration."""
    client = run.pipeline.aws.client("cleanrooms", **(administrator_credentials(account) if account != OURS else {}))
    (membership,) = client.list_memberships()["membershipSummaries"]
    client.delete_membership(membershipIdentifier=membership["id"])
    try:
        yield
    finally:
        provide_collaboration(COLLABORATION, REGION, [account])


@contextmanager
def in_another_collaboration(run: Run) -> Iterator[None]:
    """The model shared in another collaboration than the one that cdk.json names."""
    share_audience_model(run.pipeline.aws, MODEL, OURS, ANOTHER)
    try:
        yield
    finally:
        share_audience_model(run.pipeline.aws, MODEL, OURS, COLLABORATION)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (in_another_collaboration, "AccessDeniedException: User: "),
        (lambda run: left(run, OURS), f"ValidationException: Account {OURS} is no active member"),
        (lambda run: left(run, THEIRS), f"ValidationException: Account {THEIRS} is no active member"),
    ],
    ids=["another collaboration", "we left", "they left"],
)
def test_a_collaboration_that_is_not_both_accounts_is_refused_with_its_reason_until_it_is(
    run: Run, wrong: Any, says: str
) -> None:
    uri = drop(run)
    with wrong(run):
        summary = run.summary(run.execution_of(uri))
        assert summary["audiences"] == []
        (refused,) = [item for item in summary["cohorts_without_audience"] if item["cohort"] == "hypertension"]
        assert refused["reason"].startswith(f"Clean Rooms ML: {says}")
        assert f"The model belongs to account {THEIRS}" in refused["reason"]
    assert audience_of(run.summary(run.start(media=[uri])))["metrics"]
