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


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("visité 1_é", True),
        ("a\u00a0b", True),
        ("診察 ٣ Ⅷ ½ \U00020000", True),
        ("a\u2028b\u3000c", True),
        ("a.b:c/d=e+f-g%h@i", True),
        ("a\tb", False),
        ("a;b", False),
        ("a\u0301", False),
        ("\U0001fa7a", False),
    ],
)
def test_unicode_properties_of_patterns_are_understood(name: str, valid: bool) -> None:
    answer = {"ComprehendMedicalAsyncJobProperties": {"JobName": name}}
    assert (found("DescribeEntitiesDetectionV2Job", answer) == []) is valid


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("study \U0001fa7a", True),
        ("\U00010000\U0010ffff", True),
        ("\ud7ff\ue000\ufffd", True),
        ("study\t1", True),
        ("study\n1", False),
        ("\x07", False),
        ("\ufffe", False),
        ("\ud800", False),
        (" ", False),
        ("\t\u00a0", False),
    ],
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


@pytest.mark.parametrize(
    ("region", "membership", "valid"),
    [("us-east-1", "a-1_b", True), ("us-éast-1", "a", False), ("us-east-١", "a", False), ("us-east-1", "é", False)],
)
def test_digits_and_word_characters_of_patterns_are_those_of_ascii(region: str, membership: str, valid: bool) -> None:
    arn = f"arn:aws:cleanrooms:{region}:123456789012:membership/{membership}/analysistemplate/t"
    request = {"seedAudience": {"sqlParameters": {"analysisTemplateArn": arn}}}
    described = map(str, request_violations("cleanroomsml", "StartAudienceGenerationJob", request))
    assert any("analysisTemplateArn" in violation for violation in described) == (not valid)


WORKER = {"type": "CR.1X", "number": 2}


@pytest.mark.parametrize(
    ("configuration", "found"),
    [
        ({"worker": WORKER}, []),
        ({"worker": WORKER, "other": None}, []),
        ({}, ["seedAudience.sqlComputeConfiguration has 0 members; the minimum is 1"]),
        ({"worker": None}, ["seedAudience.sqlComputeConfiguration has 0 members; the minimum is 1"]),
        ({"worker": WORKER, "other": {}}, ["seedAudience.sqlComputeConfiguration has 2 members; the maximum is 1"]),
    ],
)
def test_a_union_has_exactly_one_member(configuration: dict[str, Any], found: list[str]) -> None:
    role = "arn:aws:iam::123456789012:role/seed-reader"
    request = {
        "name": "n",
        "configuredAudienceModelArn": ARN.replace("audience-generation-job", "configured-audience-model"),
        "seedAudience": {"roleArn": role, "sqlComputeConfiguration": configuration},
    }
    assert list(map(str, request_violations("cleanroomsml", "StartAudienceGenerationJob", request))) == found
