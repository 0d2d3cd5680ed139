from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from lambdas.shared import storage
from lambdas.shared.recording_files import MissingFile, UnreadableFile, read_file, understanding

BUCKET, KEY = "clinical-bucket", "transcripts/t.json"
OURS = "arn:aws:kms:us-east-1:123456789012:key/clinical"
THEIRS = "arn:aws:kms:us-east-1:123456789012:key/theirs"


def test_a_file_is_read(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")
    assert read_file(BUCKET, KEY) == b"{}"


def test_a_file_that_is_gone_says_so_and_what_to_do(s3: Any) -> None:
    with pytest.raises(
        MissingFile, match=r"^s3://clinical-bucket/transcripts/t.json is not there.*\"reprocess\": true"
    ):
        read_file(BUCKET, KEY)


def test_an_archived_file_says_where_it_is_and_what_to_do(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}", StorageClass="GLACIER")
    with pytest.raises(UnreadableFile, match=r"t.json: The object is archived \(GLACIER\).*Restore it"):
        read_file(BUCKET, KEY)


def refused(stub: Stubber, code: str, key: str | None) -> None:
    stub.add_client_error("get_object", code)
    if key is None:
        stub.add_client_error("head_object", "403")
    else:
        stub.add_response("head_object", {"SSEKMSKeyId": key})


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException"])
def test_a_file_under_another_key_is_its_own_fault(stubbed: Callable[[Any], Stubber], code: str) -> None:
    refused(stubbed(storage.s3), code, THEIRS)
    with pytest.raises(UnreadableFile, match=f"t.json: The object is encrypted with the key {THEIRS}"):
        read_file(BUCKET, KEY)


@pytest.mark.parametrize("key", [OURS, None])
@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException", "InternalError", "SlowDown"])
def test_what_all_files_would_meet_fails_the_step(
    stubbed: Callable[[Any], Stubber], code: str, key: str | None
) -> None:
    refused(stubbed(storage.s3), code, key)
    with pytest.raises(ClientError, match=code):
        read_file(BUCKET, KEY)


@pytest.mark.parametrize(
    "error", [ValueError("Jane"), KeyError("Jane"), RecursionError("Jane"), msgspec.ValidationError("Jane")]
)
def test_an_error_over_a_file_names_the_file_and_not_what_it_says(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UnreadableFile) as raised, understanding(BUCKET, KEY):
        raise error
    assert f"s3://{BUCKET}/{KEY} can't be understood ({type(error).__name__})" in str(raised.value)
    assert raised.value.__suppress_context__
    assert "Jane" not in str(raised.value) + caplog.text


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "SlowDown"}}, "GetObject"),
        EndpointConnectionError(endpoint_url="https://s3.amazonaws.com"),
        MemoryError(),
        UnreadableFile("another file"),
    ],
)
def test_an_error_of_aws_or_of_ours_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, understanding(BUCKET, KEY):
        raise error
    assert raised.value is error
