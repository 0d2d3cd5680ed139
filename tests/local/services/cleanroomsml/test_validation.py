from collections.abc import Callable
from typing import Any

import pytest

from local.services.cleanroomsml.errors import AccessDeniedException, ValidationException
from local.services.cleanroomsml.validation import check_listed_model, check_request, check_seed_source

START = {
    "name": "audience-1",
    "configuredAudienceModelArn": "arn:aws:cleanrooms-ml:us-east-1:123456789012:configured-audience-model/local",
    "seedAudience": {
        "roleArn": "arn:aws:iam::123456789012:role/seed-reader",
        "dataSource": {"s3Uri": "s3://audience/seeds/hypertension/1.jsonl"},
    },
}
CONFIGURE = {
    "name": "model",
    "audienceModelArn": "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-model/1",
    "sharedAudienceMetrics": ["ALL"],
    "outputConfig": {
        "destination": {"s3Destination": {"s3Uri": "s3://audiences"}},
        "roleArn": "arn:aws:iam::123456789012:role/writer",
    },
}


def test_a_documented_request_passes() -> None:
    check_request("StartAudienceGenerationJob", START | {"description": "", "tags": {"a": ""}})
    check_request("CreateConfiguredAudienceModel", CONFIGURE | {"minMatchingSeedSize": 25})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "name is required"),
        ({"name": "   "}, "name is '   '"),
        ({"name": "n" * 64}, "name is 64 characters long; the maximum is 63"),
        ({"configuredAudienceModelArn": "arn:aws:s3:::not-a-model"}, "configuredAudienceModelArn is"),
        ({"seedAudience": {"dataSource": {"s3Uri": "s3://b/k"}}}, "seedAudience.roleArn is required"),
        ({"seedAudience": START["seedAudience"] | {"dataSource": {"s3Uri": "b/k"}}}, "seedAudience.dataSource.s3Uri"),  # type: ignore[operator]
        ({"collaborationId": "no-uuid"}, "collaborationId is 7 characters long; the minimum is 36"),
        ({"description": "d" * 256}, "description is 256 characters long"),
        ({"tags": {"k" * 129: "v"}}, "is 129 characters long; the maximum is 128"),
        ({"tags": {f"key-{number}": "" for number in range(51)}}, "tags has 51 members; a resource has at most 50"),
        ({"tags": {"AWS:mine": ""}}, "reserved for AWS"),
    ],
)
def test_a_generation_job_that_departs_from_the_documentation_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        check_request("StartAudienceGenerationJob", START | change)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({"name": "n" * 63}, True),
        ({"name": "n \t\U0001fa7a"}, True),
        ({"name": "\t"}, False),
        ({"name": "a\nb"}, False),
        ({"description": "a\r\n\tb"}, True),
        ({"description": "\x07"}, False),
        ({"seedAudience": START["seedAudience"] | {"dataSource": {"s3Uri": "s3://" + "k" * 1280}}}, True),  # type: ignore[operator]
        ({"seedAudience": START["seedAudience"] | {"dataSource": {"s3Uri": "s3://" + "k" * 1281}}}, False),  # type: ignore[operator]
        ({"collaborationId": "01234567-89AB-cdef-0123-456789abcdef"}, False),
        ({"tags": {"": "v"}}, False),
        ({"tags": {"aws:x": ""}}, False),
        ({"tags": {"aWs:": ""}}, False),
        ({"tags": {"aws": "", "my:aws:x": ""}}, True),
        ({"description": "d" * 255}, True),
        ({"tags": {f"key-{number}": "" for number in range(50)}}, True),
        ({"tags": {"k" * 128: "v" * 256}}, True),
        ({"tags": {"awsome": "aws:x"}}, True),
        ({"tags": {"k": "v" * 257}}, False),
        ({"collaborationId": "01234567-89ab-cdef-0123-456789abcdef"}, True),
        ({"collaborationId": "0123456789abcdef0123456789abcdef0123"}, False),
    ],
)
def test_what_is_just_inside_a_rule_passes(change: dict[str, Any], valid: bool) -> None:
    if valid:
        check_request("StartAudienceGenerationJob", START | change)
        return
    with pytest.raises(ValidationException):
        check_request("StartAudienceGenerationJob", START | change)


QUERY = {"queryString": "SELECT user_id FROM claims"}
TEMPLATE = {"analysisTemplateArn": "arn:aws:cleanrooms:us-east-1:123456789012:membership/m/analysistemplate/t"}


@pytest.mark.parametrize(
    ("seed", "collaboration", "message"),
    [
        ({}, "c", "must have either dataSource or sqlParameters"),
        ({"dataSource": {}, "sqlParameters": QUERY}, "c", "must have either dataSource or sqlParameters"),
        ({"dataSource": {}, "sqlComputeConfiguration": {}}, "c", "sqlComputeConfiguration is for sqlParameters"),
        ({"sqlParameters": {}}, "c", "either queryString or analysisTemplateArn"),
        ({"sqlParameters": QUERY | TEMPLATE}, "c", "either queryString or analysisTemplateArn"),
        ({"sqlParameters": QUERY}, None, "needs a collaborationId"),
        ({"sqlParameters": QUERY}, "c", "does not run SQL seeds"),
        ({"sqlParameters": TEMPLATE, "sqlComputeConfiguration": {"worker": {}}}, "c", "does not run SQL seeds"),
    ],
)
def test_a_seed_is_a_file_and_a_wrong_query_is_told_before_that(
    seed: dict[str, Any], collaboration: str | None, message: str
) -> None:
    with pytest.raises(ValidationException, match=message):
        check_seed_source(seed, collaboration)


def spark(**properties: str) -> dict[str, Any]:
    return {"sqlComputeConfiguration": {"worker": {"properties": {"spark": properties}}}}


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({"sqlParameters": {"queryString": "q" * 500_000}}, True),
        ({"sqlParameters": {"queryString": "q" * 500_001}}, False),
        ({"sqlParameters": TEMPLATE}, True),
        (
            {"sqlParameters": {"analysisTemplateArn": TEMPLATE["analysisTemplateArn"].replace("cleanrooms", "s3")}},
            False,
        ),
        ({"sqlParameters": {"analysisTemplateArn": TEMPLATE["analysisTemplateArn"].ljust(200, "t")}}, True),
        ({"sqlParameters": {"analysisTemplateArn": TEMPLATE["analysisTemplateArn"].ljust(201, "t")}}, False),
        ({"sqlParameters": QUERY | {"parameters": {"k" * 100: "v" * 1000}}}, True),
        ({"sqlParameters": QUERY | {"parameters": {"k" * 101: ""}}}, False),
        ({"sqlParameters": QUERY | {"parameters": {"": ""}}}, False),
        ({"sqlParameters": QUERY | {"parameters": {"a-b": ""}}}, False),
        ({"sqlParameters": QUERY | {"parameters": {"k": "v" * 1001}}}, False),
        ({"sqlComputeConfiguration": {}}, False),
        ({"sqlComputeConfiguration": {"worker": {}}}, True),
        ({"sqlComputeConfiguration": {"worker": {"type": "CR.4X", "number": 2}}}, True),
        ({"sqlComputeConfiguration": {"worker": {"type": "CR.2X"}}}, False),
        ({"sqlComputeConfiguration": {"worker": {"number": 1}}}, False),
        ({"sqlComputeConfiguration": {"worker": {"number": 1024}}}, True),
        ({"sqlComputeConfiguration": {"worker": {"number": 1025}}}, False),
        ({"sqlComputeConfiguration": {"worker": {"properties": {}}}}, False),
        (spark(), True),
        (spark(**{f"spark.{number}": "" for number in range(50)}), True),
        (spark(**{f"spark.{number}": "" for number in range(51)}), False),
        (spark(**{"k" * 200: "v" * 500}), True),
        (spark(**{"k" * 201: ""}), False),
        (spark(k="v" * 501), False),
    ],
)
def test_each_rule_of_an_sql_seed_allows_its_limit_and_nothing_beyond(change: dict[str, Any], valid: bool) -> None:
    seed = {"roleArn": "arn:aws:iam::123456789012:role/seed-reader", "sqlParameters": QUERY, **change}
    if valid:
        check_request("StartAudienceGenerationJob", START | {"seedAudience": seed})
        return
    with pytest.raises(ValidationException, match=f"seedAudience.{next(iter(change))}"):
        check_request("StartAudienceGenerationJob", START | {"seedAudience": seed})


JOB = "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-generation-job/1"
EXPORT = {"name": "export-1", "audienceGenerationJobArn": JOB, "audienceSize": {"type": "ABSOLUTE", "value": 1}}
OTHER_ARN = JOB.replace("generation", "export")


@pytest.mark.parametrize(
    ("operation", "members", "valid"),
    [
        ("StartAudienceExportJob", {"name": "n" * 63, "description": "d" * 255}, True),
        ("StartAudienceExportJob", {"name": "n" * 64}, False),
        ("StartAudienceExportJob", {"name": " "}, False),
        ("StartAudienceExportJob", {"description": "d" * 256}, False),
        ("StartAudienceExportJob", {"audienceGenerationJobArn": OTHER_ARN}, False),
        ("StartAudienceExportJob", {"audienceSize": {"type": "ABSOLUTE", "value": 20_000_000}}, True),
        ("StartAudienceExportJob", {"audienceSize": {"type": "ABSOLUTE", "value": 20_000_001}}, False),
        ("StartAudienceExportJob", {"audienceSize": {"type": "ABSOLUTE", "value": 0}}, False),
        ("StartAudienceExportJob", {"audienceSize": {"type": "ABSOLUTE"}}, False),
        ("GetAudienceGenerationJob", {"audienceGenerationJobArn": JOB}, True),
        ("GetAudienceGenerationJob", {"audienceGenerationJobArn": OTHER_ARN}, False),
        ("ListAudienceExportJobs", {"maxResults": 100, "nextToken": "t" * 10_240}, True),
        ("ListAudienceExportJobs", {"maxResults": 101}, False),
        ("ListAudienceExportJobs", {"nextToken": "t" * 10_241}, False),
        ("ListAudienceExportJobs", {"audienceGenerationJobArn": OTHER_ARN}, False),
        ("ListAudienceGenerationJobs", {"maxResults": 1}, True),
        ("ListAudienceGenerationJobs", {"maxResults": 0}, False),
        ("ListAudienceGenerationJobs", {"maxResults": 101}, False),
        ("ListAudienceGenerationJobs", {"collaborationId": "c"}, False),
        ("ListAudienceGenerationJobs", {"configuredAudienceModelArn": JOB}, False),
    ],
)
def test_each_rule_of_what_follows_a_start_allows_its_limit_and_nothing_beyond(
    operation: str, members: dict[str, Any], valid: bool
) -> None:
    whole = EXPORT | members if operation == "StartAudienceExportJob" else members
    if valid:
        check_request(operation, whole)
        return
    with pytest.raises(ValidationException, match=next(iter(members))):
        check_request(operation, whole)


def test_a_seed_in_s3_needs_no_collaboration() -> None:
    check_seed_source({"dataSource": {"s3Uri": "s3://b/k"}}, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minMatchingSeedSize": 24}, "minMatchingSeedSize is 24; the minimum is 25"),
        ({"minMatchingSeedSize": 500_001}, "minMatchingSeedSize is 500001; the maximum is 500000"),
        ({"sharedAudienceMetrics": ["SOME"]}, "sharedAudienceMetrics[0] is 'SOME'; allowed: ALL, NONE"),
        ({"sharedAudienceMetrics": []}, "sharedAudienceMetrics has 0 members; the minimum is 1"),
        (
            {"audienceSizeConfig": {"audienceSizeType": "PERCENTAGE", "audienceSizeBins": list(range(1, 27))}},
            "audienceSizeConfig.audienceSizeBins has 26 members; the maximum is 25",
        ),
    ],
)
def test_a_configuration_that_departs_from_the_documentation_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        check_request("CreateConfiguredAudienceModel", CONFIGURE | change)
    assert message in caught.value.message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ValidationException) as caught:
        check_request("StartAudienceExportJob", {"name": "", "audienceSize": {"type": "HALF", "value": 0}})
    for part in (
        "audienceGenerationJobArn is required",
        "name is 0",
        "audienceSize.type is 'HALF'",
        "audienceSize.value is 0",
    ):
        assert part in caught.value.message


FOREIGN_MODEL = {
    "configuredAudienceModelArn": "arn:aws:cleanrooms-ml:us-east-1:222233334444:configured-audience-model/theirs"
}


def test_jobs_are_listed_by_another_account_s_model_only_where_that_is_answered(
    playing: Callable[..., None],
) -> None:
    playing(foreign_model_listing="refused")
    with pytest.raises(AccessDeniedException, match="configured-audience-model/theirs is not of account 123456789012"):
        check_listed_model(FOREIGN_MODEL, "123456789012")
    playing(foreign_model_listing="answered")
    check_listed_model(FOREIGN_MODEL, "123456789012")


@pytest.mark.parametrize("way", ["refused", "answered"])
def test_jobs_are_listed_without_a_model_and_by_one_of_the_caller_s_own(playing: Callable[..., None], way: str) -> None:
    playing(foreign_model_listing=way)
    check_listed_model({}, "123456789012")
    check_listed_model(FOREIGN_MODEL, "222233334444")
