from typing import Any

import pytest

from local.services.comprehendmedical.errors import InvalidRequestException, ValidationException
from local.services.comprehendmedical.validation import check_locations, check_request

START = {
    "InputDataConfig": {"S3Bucket": "clinical"},
    "OutputDataConfig": {"S3Bucket": "clinical"},
    "DataAccessRoleArn": "arn:aws:iam::123456789012:role/data",
    "LanguageCode": "en",
}


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("DescribeEntitiesDetectionV2Job", InvalidRequestException),
        ("ListEntitiesDetectionV2Jobs", ValidationException),
    ],
)
def test_each_operation_refuses_with_an_error_it_documents(operation: str, error: type[Exception]) -> None:
    request = {"JobId": "", "Filter": {"JobName": "a;b"}}
    with pytest.raises(error, match=r"JobId is 0 characters long|Filter\.JobName is 'a;b'"):
        check_request(operation, request)


@pytest.mark.parametrize(("key", "valid"), [("documents/d1/", True), ("", True), ("documents//d1/", False)])
@pytest.mark.parametrize("config", ["InputDataConfig", "OutputDataConfig"])
def test_a_path_has_no_empty_part(config: str, key: str, valid: bool) -> None:
    request = {"InputDataConfig": {"S3Bucket": "b"}, "OutputDataConfig": {"S3Bucket": "b"}, config: {"S3Key": key}}
    if valid:
        check_locations(request)
        return
    with pytest.raises(InvalidRequestException, match=f"{config}.S3Key has consecutive slashes"):
        check_locations(request)


@pytest.mark.parametrize(
    ("parameters", "valid"),
    [
        ({"JobName": "x" * 256}, True),
        ({"JobName": "x" * 257}, False),
        ({"JobName": ""}, False),
        ({"ClientRequestToken": "A-1" + "x" * 61}, True),
        ({"ClientRequestToken": "A-1" + "x" * 62}, False),
        ({"ClientRequestToken": ""}, False),
        ({"InputDataConfig": {"S3Bucket": "n-o.b_0", "S3Key": "k" * 1024}}, True),
        ({"InputDataConfig": {"S3Bucket": "n-o.b_0", "S3Key": "k" * 1025}}, False),
        ({"OutputDataConfig": {"S3Bucket": "b" * 63, "S3Key": "k" * 1024}}, True),
        ({"OutputDataConfig": {"S3Bucket": "b" * 64}}, False),
        ({"InputDataConfig": {"S3Bucket": "b" * 3}}, True),
        ({"InputDataConfig": {"S3Bucket": "b" * 2}}, False),
        ({"DataAccessRoleArn": "arn:aws-us-gov:iam::123456789012:role/path/r"}, True),
        ({"DataAccessRoleArn": "arn:aws:iam::12345678901:role/data"}, False),
        ({"DataAccessRoleArn": "arn:aws:iam::123456789012:role/" + "r" * 2017}, True),
        ({"DataAccessRoleArn": "arn:aws:iam::123456789012:role/" + "r" * 2018}, False),
        ({"KMSKey": "k" * 2048}, True),
        ({"KMSKey": "k" * 2049}, False),
        ({"KMSKey": ""}, False),
        ({"LanguageCode": "en-US"}, False),
        ({"LanguageCode": None}, False),
    ],
)
def test_each_rule_of_a_start_allows_its_limit_and_nothing_beyond(parameters: dict[str, Any], valid: bool) -> None:
    if valid:
        check_request("StartEntitiesDetectionV2Job", START | parameters)
        return
    with pytest.raises(InvalidRequestException, match=next(iter(parameters))):
        check_request("StartEntitiesDetectionV2Job", START | parameters)


def test_a_documented_request_passes() -> None:
    check_request("ListEntitiesDetectionV2Jobs", {"Filter": {"JobName": "visité 1"}, "MaxResults": 500})
