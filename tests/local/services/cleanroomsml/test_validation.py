from typing import Any

import pytest

from local.services.cleanroomsml.errors import ValidationException
from local.services.cleanroomsml.validation import check_request, check_seed_source

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
        ({"sqlParameters": TEMPLATE, "sqlComputeConfiguration": {}}, "c", "does not run SQL seeds"),
    ],
)
def test_a_seed_is_a_file_and_a_wrong_query_is_told_before_that(
    seed: dict[str, Any], collaboration: str | None, message: str
) -> None:
    with pytest.raises(ValidationException, match=message):
        check_seed_source(seed, collaboration)


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
