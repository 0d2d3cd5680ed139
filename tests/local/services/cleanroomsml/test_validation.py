from typing import Any

import pytest

from local.services.cleanroomsml.errors import ValidationException
from local.services.cleanroomsml.validation import check_request

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
