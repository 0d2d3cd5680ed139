from typing import Any

import pytest
from moto.core.utils import get_service_model

from local.services.shapes import request_violations, violations

ARN = "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-generation-job/12345678-0000-4000-8000-000000000000"


def found(operation: str, answer: dict[str, Any]) -> list[str]:
    model = get_service_model("comprehendmedical").operation_model(operation)
    return list(map(str, violations(model.output_shape, answer)))


def test_a_value_within_a_list_is_checked() -> None:
    entities = [{"Category": "ANATOMY"}, {"Category": "HERALDRY", "Text": ""}]
    answer = {"Entities": entities, "ModelVersion": "1"}
    (category, text) = sorted(found("DetectEntitiesV2", answer), key=lambda violation: "Text" in violation)
    assert category.startswith("Entities[1].Category is 'HERALDRY'")
    assert text == "Entities[1].Text is 0 characters long; the minimum is 1"


def test_a_missing_member_is_named() -> None:
    assert found("DetectEntitiesV2", {"Entities": []}) == ["ModelVersion is required"]


@pytest.mark.parametrize(("name", "valid"), [("visité 1_é", True), ("a\u00a0b", True), ("a\tb", False), ("a;b", False)])
def test_unicode_properties_of_patterns_are_understood(name: str, valid: bool) -> None:
    answer = {"ComprehendMedicalAsyncJobProperties": {"JobName": name}}
    assert (found("DescribeEntitiesDetectionV2Job", answer) == []) is valid


@pytest.mark.parametrize(
    ("name", "valid"), [("study \U0001fa7a", True), ("study\t1", True), ("\x07", False), (" ", False)]
)
def test_characters_beyond_the_basic_plane_are_characters_like_others(name: str, valid: bool) -> None:
    request = {"name": name, "audienceGenerationJobArn": ARN, "audienceSize": {"type": "ABSOLUTE", "value": 1}}
    assert (request_violations("cleanroomsml", "StartAudienceExportJob", request) == []) is valid


def test_keys_and_values_of_a_map_are_checked() -> None:
    tags = {"k" * 129: "", "team": "v" * 257}
    described = [str(violation) for violation in request_violations("cleanroomsml", "TagResource", {"tags": tags})]
    assert described == [
        "resourceArn is required",
        f"tags key '{'k' * 129}' is 129 characters long; the maximum is 128",
        "tags.team is 257 characters long; the maximum is 256",
    ]
