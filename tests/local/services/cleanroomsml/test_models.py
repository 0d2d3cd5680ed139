import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.services.cleanroomsml import models, storage

Run = Callable[..., dict[str, Any]]
IN_PROGRESS = ("CREATE_PENDING", "CREATE_IN_PROGRESS")


@pytest.fixture
def hold(client: Any, wait: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Jobs stop before they read their data until this event is set; the fixture waits for their end."""
    released = threading.Event()
    client_of = storage.Role.client

    def client_later(role: storage.Role, service: str) -> Any:
        released.wait(30)
        return client_of(role, service)

    monkeypatch.setattr(storage.Role, "client", client_later)
    yield released
    released.set()
    for job in client.list_audience_generation_jobs()["audienceGenerationJobs"]:
        arn = job["audienceGenerationJobArn"]
        wait(lambda arn=arn: client.get_audience_generation_job(audienceGenerationJobArn=arn))


@pytest.fixture
def start(client: Any, name: str, configured_model: str, seed: Run) -> Callable[..., str]:
    """Start a generation job and return its ARN; keyword arguments are the request's."""

    def start_job(**request: Any) -> str:
        request = {"name": name, "configuredAudienceModelArn": configured_model, "seedAudience": seed(), **request}
        arn: str = client.start_audience_generation_job(**request)["audienceGenerationJobArn"]
        return arn

    return start_job


def refusal(call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    """The error response to a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    return dict(caught.value.response)


def test_a_job_is_in_progress_without_metrics_until_its_work_is_done(
    client: Any, start: Run, wait: Run, hold: threading.Event
) -> None:
    arn = start()
    job = client.get_audience_generation_job(audienceGenerationJobArn=arn)
    assert job["status"] in IN_PROGRESS
    assert "metrics" not in job
    hold.set()
    job = wait(lambda: client.get_audience_generation_job(audienceGenerationJobArn=arn))
    assert job["status"] == "ACTIVE"
    assert job["updateTime"] > job["createTime"]


def test_the_eleventh_job_in_progress_exceeds_the_quota(start: Run, name: str, hold: threading.Event) -> None:
    for number in range(10):
        start(name=f"{name}-{number}")
    error = refusal(start, name=f"{name}-10")
    assert error["Error"]["Code"] == "ServiceQuotaExceededException"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 402
    assert error["quotaName"] == "Audience generation jobs in progress"
    assert error["quotaValue"] == 10


def test_the_21st_export_in_progress_exceeds_the_quota(
    client: Any, generate: Run, wait: Run, name: str, hold: threading.Event
) -> None:
    hold.set()
    job = generate()
    hold.clear()
    request = {
        "audienceGenerationJobArn": job["audienceGenerationJobArn"],
        "audienceSize": {"type": "PERCENTAGE", "value": 1},
    }
    for number in range(20):
        client.start_audience_export_job(name=f"{name}-{number}", **request)
    error = refusal(client.start_audience_export_job, name=f"{name}-20", **request)
    assert error["Error"]["Code"] == "ServiceQuotaExceededException"
    assert error["quotaValue"] == 20


def test_a_generation_job_has_only_so_many_exports_that_have_not_failed(
    client: Any, generate: Run, export: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert models.EXPORTS_OF_A_GENERATION_JOB == 25
    monkeypatch.setattr(models, "EXPORTS_OF_A_GENERATION_JOB", 2)
    job, other = generate(), generate(name=f"{name}-other")
    with monkeypatch.context() as broken:
        broken.setattr(storage, "AUDIENCE_FILE", None)
        assert export(job, 1)["status"] == "CREATE_FAILED"
    for percent in (1, 2):
        assert export(job, percent)["status"] == "ACTIVE"
    error = refusal(
        client.start_audience_export_job,
        name=name,
        audienceGenerationJobArn=job["audienceGenerationJobArn"],
        audienceSize={"type": "PERCENTAGE", "value": 5},
    )
    assert error["Error"]["Code"] == "ServiceQuotaExceededException"
    assert error["quotaValue"] == 2
    assert export(other, 5)["status"] == "ACTIVE"


def test_a_name_that_is_taken_is_a_conflict(client: Any, generate: Run, export: Run, start: Run, name: str) -> None:
    job = generate(name=name)
    error = refusal(start, name=name)
    assert error["Error"]["Code"] == "ConflictException"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert name in error["Error"]["Message"]
    finished = export(job, 1)
    error = refusal(
        client.start_audience_export_job,
        name=finished["name"],
        audienceGenerationJobArn=job["audienceGenerationJobArn"],
        audienceSize={"type": "PERCENTAGE", "value": 1},
    )
    assert error["Error"]["Code"] == "ConflictException"


def test_an_unknown_model_or_job_is_not_found(client: Any, start: Run, configured_model: str) -> None:
    unknown_model = configured_model + "-unknown"
    unknown_job = configured_model.replace("configured-audience-model", "audience-generation-job")
    for error in (
        refusal(start, configuredAudienceModelArn=unknown_model),
        refusal(client.get_configured_audience_model, configuredAudienceModelArn=unknown_model),
        refusal(client.get_audience_generation_job, audienceGenerationJobArn=unknown_job),
        refusal(client.delete_audience_generation_job, audienceGenerationJobArn=unknown_job),
        refusal(
            client.start_audience_export_job,
            name="e",
            audienceGenerationJobArn=unknown_job,
            audienceSize={"type": "PERCENTAGE", "value": 1},
        ),
    ):
        assert error["Error"]["Code"] == "ResourceNotFoundException"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize("size", [{"type": "PERCENTAGE", "value": 3}, {"type": "ABSOLUTE", "value": 20}])
def test_a_size_that_the_model_does_not_offer_cannot_be_exported(
    client: Any, generate: Run, name: str, size: Any
) -> None:
    arn = generate()["audienceGenerationJobArn"]
    error = refusal(client.start_audience_export_job, name=name, audienceGenerationJobArn=arn, audienceSize=size)
    assert error["Error"]["Code"] == "ValidationException"
    assert "[1, 2, 5, 10, 20]" in error["Error"]["Message"]


def test_a_job_that_is_not_active_cannot_be_exported(client: Any, start: Run, name: str, hold: threading.Event) -> None:
    error = refusal(
        client.start_audience_export_job,
        name=name,
        audienceGenerationJobArn=start(),
        audienceSize={"type": "PERCENTAGE", "value": 1},
    )
    assert error["Error"]["Code"] == "ValidationException"
    assert "must be ACTIVE" in error["Error"]["Message"]


def test_a_deleted_job_is_gone_with_its_exports_and_its_name_is_free(
    client: Any, generate: Run, export: Run, name: str
) -> None:
    job = generate(name=name)
    arn = job["audienceGenerationJobArn"]
    export(job, 1)
    client.delete_audience_generation_job(audienceGenerationJobArn=arn)
    error = refusal(client.get_audience_generation_job, audienceGenerationJobArn=arn)
    assert error["Error"]["Code"] == "ResourceNotFoundException"
    assert client.list_audience_export_jobs(audienceGenerationJobArn=arn)["audienceExportJobs"] == []
    assert generate(name=name)["status"] == "ACTIVE"


def test_a_job_in_progress_cannot_be_deleted(client: Any, start: Run, hold: threading.Event) -> None:
    error = refusal(client.delete_audience_generation_job, audienceGenerationJobArn=start())
    assert error["Error"]["Code"] == "ConflictException"


def test_a_role_of_another_account_is_refused(start: Run, seed: Run) -> None:
    foreign = seed() | {"roleArn": "arn:aws:iam::999999999999:role/seed-reader"}
    assert refusal(start, seedAudience=foreign)["Error"]["Code"] == "AccessDeniedException"


def test_an_sql_seed_is_refused_and_so_are_two_seeds_or_none(start: Run, seed: Run) -> None:
    source = seed()
    query = {"sqlParameters": {"queryString": "SELECT user_id FROM patients"}}
    role = {"roleArn": source["roleArn"]}
    for seed_audience, message in ((role | query, "does not run SQL"), (source | query, "not both"), (role, "either")):
        collaboration_id = "01234567-89ab-cdef-0123-456789abcdef"
        error = refusal(start, seedAudience=seed_audience, collaborationId=collaboration_id)["Error"]
        assert error["Code"] == "ValidationException"
        assert message in error["Message"]


@pytest.fixture
def configure(client: Any, configured_model: str, name: str) -> Callable[..., str]:
    """Configure the same audience model once more and return the ARN; keyword arguments are the request's."""

    def create(**request: Any) -> str:
        model = client.get_configured_audience_model(configuredAudienceModelArn=configured_model)
        arn: str = client.create_configured_audience_model(
            **{
                "name": f"{name}-configured",
                "audienceModelArn": model["audienceModelArn"],
                "outputConfig": model["outputConfig"],
                "sharedAudienceMetrics": ["ALL"],
                "minMatchingSeedSize": 25,
                **request,
            }
        )["configuredAudienceModelArn"]
        return arn

    return create


def test_metrics_are_told_only_if_the_models_owner_shares_them(configure: Run, generate: Run) -> None:
    job = generate(configuredAudienceModelArn=configure(sharedAudienceMetrics=["NONE"]))
    assert job["status"] == "ACTIVE"
    assert "metrics" not in job


def test_absolute_sizes_are_numbers_of_users(client: Any, configure: Run, generate: Run, wait: Run, name: str) -> None:
    sizes = {"audienceSizeType": "ABSOLUTE", "audienceSizeBins": [10, 30]}
    job = generate(configuredAudienceModelArn=configure(audienceSizeConfig=sizes))
    assert [metric["audienceSize"] for metric in job["metrics"]["relevanceMetrics"]] == [
        {"type": "ABSOLUTE", "value": 10},
        {"type": "ABSOLUTE", "value": 30},
    ]
    assert 30 / 649 < job["metrics"]["recallMetric"] <= 1


def test_a_configured_model_has_the_documented_defaults(client: Any, configured_model: str, name: str) -> None:
    model = client.get_configured_audience_model(configuredAudienceModelArn=configured_model)
    shared = {key: model[key] for key in ("audienceModelArn", "outputConfig", "sharedAudienceMetrics")}
    arn = client.create_configured_audience_model(name=name, **shared)["configuredAudienceModelArn"]
    assert client.get_configured_audience_model(configuredAudienceModelArn=arn)["minMatchingSeedSize"] == 500


def test_more_than_a_hundred_percent_is_no_audience_size(configure: Run) -> None:
    sizes = {"audienceSizeType": "PERCENTAGE", "audienceSizeBins": [50, 101]}
    error = refusal(configure, audienceSizeConfig=sizes)["Error"]
    assert error["Code"] == "ValidationException"
    assert "[101]" in error["Message"]


@pytest.mark.parametrize(
    ("policy", "tags"),
    [("NONE", {"own": "1"}), ("FROM_PARENT_RESOURCE", {"own": "1", "owner": "them"})],
)
def test_a_job_inherits_the_models_tags_only_by_policy(configure: Run, generate: Run, policy: str, tags: Any) -> None:
    arn = configure(tags={"owner": "them", "own": "0"}, childResourceTagOnCreatePolicy=policy)
    assert generate(configuredAudienceModelArn=arn, tags={"own": "1"})["tags"] == tags


@pytest.mark.parametrize(("own", "valid"), [(20, True), (21, False)])
def test_inherited_tags_count_against_the_limit(configure: Run, start: Run, own: int, valid: bool) -> None:
    inherited = {f"owner-{number}": "" for number in range(30)}
    arn = configure(tags=inherited, childResourceTagOnCreatePolicy="FROM_PARENT_RESOURCE")
    request = {"configuredAudienceModelArn": arn, "tags": {f"own-{number}": "" for number in range(own)}}
    if valid:
        assert start(**request)
        return
    assert "tags has 51 members" in refusal(start, **request)["Error"]["Message"]


def test_an_audience_model_that_failed_to_train_cannot_be_configured(
    client: Any, configure: Run, name: str, wait: Run
) -> None:
    schema = [{"columnName": kind.lower(), "columnTypes": [kind]} for kind in ("USER_ID", "ITEM_ID", "TIMESTAMP")]
    source = {"glueDataSource": {"databaseName": "none", "tableName": "none"}}
    dataset = client.create_training_dataset(
        name=name,
        roleArn="arn:aws:iam::123456789012:role/audience-model-owner-reader",
        trainingData=[{"type": "INTERACTIONS", "inputConfig": {"schema": schema, "dataSource": source}}],
    )["trainingDatasetArn"]
    arn = client.create_audience_model(name=name, trainingDatasetArn=dataset)["audienceModelArn"]
    model = wait(lambda: client.get_audience_model(audienceModelArn=arn))
    assert model["status"] == "CREATE_FAILED"
    assert "Glue table none.none" in model["statusDetails"]["message"]
    error = refusal(configure, audienceModelArn=arn)["Error"]
    assert (error["Code"], "must be ACTIVE" in error["Message"]) == ("ValidationException", True)


def test_a_schema_without_items_is_refused(client: Any, name: str) -> None:
    schema = [{"columnName": kind.lower(), "columnTypes": [kind]} for kind in ("USER_ID", "TIMESTAMP")]
    source = {"glueDataSource": {"databaseName": "db", "tableName": "t"}}
    error = refusal(
        client.create_training_dataset,
        name=name,
        roleArn="arn:aws:iam::123456789012:role/r",
        trainingData=[{"type": "INTERACTIONS", "inputConfig": {"schema": schema, "dataSource": source}}],
    )["Error"]
    assert error["Code"] == "ValidationException"
    assert "0 columns of type ITEM_ID" in error["Message"]
