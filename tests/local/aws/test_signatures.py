import pytest

from local.aws.signatures import access_key_id, service_of


@pytest.mark.parametrize(
    ("signed", "service"), [("s3", "s3"), ("states", "stepfunctions"), ("monitoring", "cloudwatch")]
)
def test_a_signature_names_the_key_and_the_service_as_boto3_does(signed: str, service: str) -> None:
    header = f"AWS4-HMAC-SHA256 Credential=AKIA1/20261127/us-east-1/{signed}/aws4_request, SignedHeaders=host"
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA1/20261127/us-east-1/{signed}/aws4_request&x=y"
    for place in (header, query):
        assert (access_key_id(place), service_of(place)) == ("AKIA1", service)


@pytest.mark.parametrize("place", ["", "Basic YTpi", "prefix=a&max-keys=1"])
def test_no_signature_names_nothing(place: str) -> None:
    assert (access_key_id(place), service_of(place)) == ("", "")
