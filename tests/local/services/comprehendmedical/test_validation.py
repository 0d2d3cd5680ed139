import pytest

from local.services.comprehendmedical.errors import InvalidRequestException, ValidationException
from local.services.comprehendmedical.validation import check_locations, check_request


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


def test_a_documented_request_passes() -> None:
    check_request("ListEntitiesDetectionV2Jobs", {"Filter": {"JobName": "visité 1"}, "MaxResults": 500})
