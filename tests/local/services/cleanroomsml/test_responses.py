from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.services.cleanroomsml.seeding import provide_collaboration

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def five_jobs(configured_model: str, generate: Run, name: str) -> list[str]:
    """Names of five jobs, oldest first, which are all jobs of one collaboration."""
    names = [f"{name}-{number}" for number in range(5)]
    for job in names:
        generate(name=job, collaborationId=collaboration(name))
    return names


def collaboration(name: str) -> str:
    """A collaboration of our account only."""
    provide_collaboration(collaboration_id := name.removeprefix("test-"), "us-east-1", ["123456789012"])
    return collaboration_id


def test_pages_have_every_job_once_and_in_order(client: Any, five_jobs: list[str], name: str) -> None:
    pages = client.get_paginator("list_audience_generation_jobs").paginate(
        collaborationId=collaboration(name), PaginationConfig={"PageSize": 2}
    )
    listed = [[job["name"] for job in page["audienceGenerationJobs"]] for page in pages]
    assert listed == [five_jobs[:2], five_jobs[2:4], five_jobs[4:]]


def test_a_job_deleted_between_two_pages_hides_no_other(client: Any, five_jobs: list[str], name: str) -> None:
    request = {"collaborationId": collaboration(name), "maxResults": 2}
    first = client.list_audience_generation_jobs(**request)
    client.delete_audience_generation_job(
        audienceGenerationJobArn=first["audienceGenerationJobs"][0]["audienceGenerationJobArn"]
    )
    second = client.list_audience_generation_jobs(**request, nextToken=first["nextToken"])
    assert [job["name"] for job in second["audienceGenerationJobs"]] == five_jobs[2:4]


def test_jobs_are_filtered_by_model_and_by_collaboration(
    client: Any, five_jobs: list[str], configured_model: str, generate: Run, name: str
) -> None:
    generate(name=f"{name}-alone")
    names = {
        job["name"]
        for job in client.list_audience_generation_jobs(configuredAudienceModelArn=configured_model)[
            "audienceGenerationJobs"
        ]
    }
    assert {*five_jobs, f"{name}-alone"} <= names
    of_another_model = client.list_audience_generation_jobs(configuredAudienceModelArn=configured_model + "-2")
    assert of_another_model["audienceGenerationJobs"] == []
    in_collaboration = client.list_audience_generation_jobs(collaborationId=collaboration(name))
    assert [job["name"] for job in in_collaboration["audienceGenerationJobs"]] == five_jobs


def test_exports_are_listed_by_generation_job(client: Any, generate: Run, export: Run, name: str) -> None:
    one, other = generate(name=f"{name}-1"), generate(name=f"{name}-2")
    exports = [export(one, 1)["name"], export(one, 2)["name"]]
    export(other, 1)
    listed = client.list_audience_export_jobs(audienceGenerationJobArn=one["audienceGenerationJobArn"])
    assert [job["name"] for job in listed["audienceExportJobs"]] == exports
    assert [job["audienceSize"]["value"] for job in listed["audienceExportJobs"]] == [1, 2]


def documented(client: Any, operation: str, *path: str) -> set[str]:
    """The names of the members of an operation's answer, or of the items of a list in it."""
    shape = client.meta.service_model.operation_model(operation).output_shape
    for member in path:
        shape = shape.members[member].member
    return set(shape.members)


# Documented members that are missing here: the reason of a failure, and the SQL query of a seed.
ABSENT = {"statusDetails", "protectedQueryIdentifier"}


def test_a_generation_job_is_described_as_it_was_started(client: Any, generate: Run, seed: Run, name: str) -> None:
    request = {
        "seedAudience": seed(),
        "includeSeedInOutput": True,
        "collaborationId": collaboration(name),
        "description": "one\nof two \U0001fa7a",
        "tags": {"study": "7", "empty": ""},
    }
    job = generate(**request)
    assert {member: job[member] for member in request} == request
    assert set(job) - {"ResponseMetadata"} == documented(client, "GetAudienceGenerationJob") - ABSENT
    listed = client.list_audience_generation_jobs(collaborationId=collaboration(name))["audienceGenerationJobs"]
    assert set(listed[0]) == documented(client, "ListAudienceGenerationJobs", "audienceGenerationJobs")
    assert listed[0].items() <= job.items()


def test_an_export_is_described_as_it_was_started(client: Any, generate: Run, wait: Run, name: str) -> None:
    request = {
        "name": name,
        "audienceGenerationJobArn": generate()["audienceGenerationJobArn"],
        "audienceSize": {"type": "PERCENTAGE", "value": 1},
        "description": "the nearest",
    }
    client.start_audience_export_job(**request)
    arn = {"audienceGenerationJobArn": request["audienceGenerationJobArn"]}
    export = wait(lambda: client.list_audience_export_jobs(**arn)["audienceExportJobs"][0])
    assert request.items() <= export.items()
    assert set(export) == documented(client, "ListAudienceExportJobs", "audienceExportJobs") - ABSENT


def test_exports_come_in_pages(client: Any, generate: Run, export: Run) -> None:
    job = generate()
    names = [export(job, percent)["name"] for percent in (1, 2, 5)]
    pages = client.get_paginator("list_audience_export_jobs").paginate(
        audienceGenerationJobArn=job["audienceGenerationJobArn"], PaginationConfig={"PageSize": 2}
    )
    assert [[job["name"] for job in page["audienceExportJobs"]] for page in pages] == [names[:2], names[2:]]


@pytest.mark.parametrize("token", ["not base64!", "bm9uZQ=="])
def test_a_made_up_page_token_is_refused(client: Any, token: str) -> None:
    with pytest.raises(ClientError, match="nextToken") as caught:
        client.list_audience_generation_jobs(nextToken=token)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_data_set_is_described_as_it_was_made(client: Any, name: str) -> None:
    schema = [{"columnName": kind.lower(), "columnTypes": [kind]} for kind in ("USER_ID", "ITEM_ID", "TIMESTAMP")]
    source = {"glueDataSource": {"databaseName": "db", "tableName": "table"}}
    request = {
        "name": name,
        "description": "who watched what",
        "roleArn": "arn:aws:iam::123456789012:role/reader",
        "trainingData": [{"type": "INTERACTIONS", "inputConfig": {"schema": schema, "dataSource": source}}],
        "tags": {"team": "media"},
    }
    arn = client.create_training_dataset(**request)["trainingDatasetArn"]
    dataset = client.get_training_dataset(trainingDatasetArn=arn)
    assert {key: dataset[key] for key in request} == request
    assert (dataset["status"], dataset["trainingDatasetArn"]) == ("ACTIVE", arn)


def test_a_list_by_another_account_s_model_is_refused_or_empty(client: Any, playing: Callable[..., None]) -> None:
    theirs = "arn:aws:cleanrooms-ml:us-east-1:222233334444:configured-audience-model/theirs"
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.list_audience_generation_jobs(configuredAudienceModelArn=theirs)
    playing(foreign_model_listing="answered")
    assert client.list_audience_generation_jobs(configuredAudienceModelArn=theirs)["audienceGenerationJobs"] == []
