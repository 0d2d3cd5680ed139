import re
from typing import Any

import pytest

from lambdas.rules.comprehend_medical import OPERATION, SERVICE, SET_BY_PIPELINE, request_problems, settings_problems
from lambdas.rules.sdk_model import input_shape

SHAPE = input_shape(SERVICE, OPERATION)
SETTABLE = {"JobName", "LanguageCode"}
REQUEST: dict[str, Any] = {
    "JobName": "clinical-media-dev-0123abcd-1",
    "ClientRequestToken": "0" * 32,
    "InputDataConfig": {"S3Bucket": "clinical-text", "S3Key": "documents/0123abcd/"},
    "OutputDataConfig": {"S3Bucket": "clinical-text", "S3Key": "entities/"},
    "DataAccessRoleArn": "arn:aws:iam::123456789012:role/entity-detection",
    "KMSKey": "arn:aws:kms:us-east-1:123456789012:key/0123",
    "LanguageCode": "en",
}


def reading(key: Any) -> dict[str, Any]:
    return {"InputDataConfig": {"S3Bucket": "clinical-text", "S3Key": key}}


def writing(key: Any, bucket: str = "clinical-text") -> dict[str, Any]:
    return {"OutputDataConfig": {"S3Bucket": bucket, "S3Key": key}}


def test_a_typical_request_has_no_problems() -> None:
    assert settings_problems({"JobName": "Ward 3: Ärzte", "LanguageCode": "en"}, SHAPE) == []
    assert settings_problems({}, SHAPE) == []
    assert request_problems(REQUEST, SHAPE) == []


def test_every_member_of_the_request_is_the_pipelines_or_a_persons_to_set() -> None:
    assert set(SHAPE.members) == SETTABLE | SET_BY_PIPELINE
    assert not SETTABLE & SET_BY_PIPELINE


@pytest.mark.parametrize("name", sorted(SET_BY_PIPELINE))
def test_what_the_pipeline_sets_is_refused(name: str) -> None:
    problems = settings_problems({name: REQUEST[name]}, SHAPE)
    assert problems == [f"{name} is set by the pipeline itself; leave it out of StartEntitiesDetectionV2Job."]
    assert settings_problems({name: None}, SHAPE) == []


def test_a_job_name_leaves_room_for_what_the_pipeline_adds() -> None:
    assert settings_problems({"JobName": "n" * 220}, SHAPE) == []
    assert request_problems({**REQUEST, "JobName": "n" * 220 + "-" + "0" * 32 + "-50"}, SHAPE) == []
    (problem,) = settings_problems({"JobName": "n" * 221}, SHAPE)
    assert problem.endswith(
        "with 221 characters; it may have up to 220, since the pipeline adds an id and a number to it."
    )


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"LanguageCode": "en-US"}, 'LanguageCode is "en-US"; StartEntitiesDetectionV2Job takes "en".'),
        ({"JobName": ""}, 'JobName is "" with 0 characters; .* takes 1 to 256.'),
        ({"JobName": "a;b"}, 'JobName is "a;b"; .* that matches'),
        ({"JobName": 7}, "JobName is 7; .* takes a text."),
        ({"Tags": []}, "Tags is no parameter of StartEntitiesDetectionV2Job; known here: "),
        ([], "The request is a list; .* takes an object."),
        (None, "The request is null; .* takes an object."),
    ],
)
def test_what_a_person_may_not_ask_for_is_told(parameters: Any, sentence: str) -> None:
    (problem,) = settings_problems(parameters, SHAPE)
    assert re.match(sentence, problem)


@pytest.mark.parametrize(
    "change",
    [
        reading("d/"),
        reading("documents/" + "k" * 1013 + "/"),
        writing("documents"),
        writing("documents/0123abc"),
        writing("documents/0123abcde"),
        writing(None),
        writing("documents/0123abcd/out", bucket="another"),
        {"OutputDataConfig": {"S3Bucket": "abc"}},
        {"ClientRequestToken": "a-Z" + "0" * 61},
        {"JobName": None, "ClientRequestToken": None, "KMSKey": None},
        {"DataAccessRoleArn": "arn:aws-us-gov:iam::123456789012:role/r"},
    ],
)
def test_a_complete_request_just_inside_the_rules_is_taken(change: dict[str, Any]) -> None:
    assert request_problems({**REQUEST, **change}, SHAPE) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (reading("documents//0123/"), 'InputDataConfig.S3Key is "documents//0123/"; .* no path with two slashes'),
        (reading("/documents/"), 'InputDataConfig.S3Key is "/documents/"; .* no path with two slashes'),
        (reading("documents/0123abcd"), 'InputDataConfig.S3Key is "documents/0123abcd"; it must end in "/"'),
        (reading(""), 'InputDataConfig.S3Key is ""; it must end in "/"'),
        (reading(None), 'InputDataConfig.S3Key is ""; it must end in "/"'),
        (reading("k" * 1024 + "/"), "InputDataConfig.S3Key is .* with 1025 characters"),
        (writing("entities//"), 'OutputDataConfig.S3Key is "entities//"; .* no path with two slashes'),
        (writing("documents/0123abcd/"), "OutputDataConfig.S3Key is .*, below InputDataConfig.S3Key"),
        (writing("documents/0123abcd"), "OutputDataConfig.S3Key is .*, below InputDataConfig.S3Key"),
        (writing("documents/0123abcd/out"), "OutputDataConfig.S3Key is .* would read its own output."),
        (writing("entities/", bucket="s3://clinical-text"), "OutputDataConfig.S3Bucket is .* that matches"),
        (writing("entities/", bucket="ab"), "OutputDataConfig.S3Bucket is .* with 2 characters"),
        (writing("entities/", bucket="b" * 64), "OutputDataConfig.S3Bucket is .* with 64 characters"),
        ({"InputDataConfig": {"S3Key": "documents/"}}, "InputDataConfig.S3Bucket is missing"),
        ({"OutputDataConfig": "s3://b/k"}, 'OutputDataConfig is "s3://b/k"; .* takes an object.'),
        ({"ClientRequestToken": "0" * 65}, "ClientRequestToken is .* with 65 characters"),
        ({"ClientRequestToken": "a_b"}, 'ClientRequestToken is "a_b"; .* that matches'),
        ({"DataAccessRoleArn": "arn:aws:iam::12345:role/reader"}, "DataAccessRoleArn is .* that matches"),
        ({"DataAccessRoleArn": None}, "DataAccessRoleArn is missing"),
        ({"KMSKey": ""}, 'KMSKey is "" with 0 characters'),
        ({"JobName": "n" * 257}, "JobName is .* with 257 characters; .* takes 1 to 256."),
        ({"LanguageCode": None}, "LanguageCode is missing"),
    ],
)
def test_a_complete_request_just_outside_a_rule_is_told(change: dict[str, Any], sentence: str) -> None:
    (problem,) = request_problems({**REQUEST, **change}, SHAPE)
    assert re.match(sentence, problem)


@pytest.mark.parametrize("request_", [None, [], "Job", {"InputDataConfig": [], "OutputDataConfig": 3}])
def test_what_has_the_wrong_shape_is_told_instead_of_failing(request_: Any) -> None:
    assert request_problems(request_, SHAPE)
