from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws


@pytest.fixture
def s3(local_aws: LocalAws) -> Any:
    client = local_aws.client("s3")
    client.create_bucket(Bucket="media")
    return client


@pytest.mark.parametrize("operation", ["put_object", "create_multipart_upload", "copy_object"])
@pytest.mark.parametrize("key", ["k" * 1025, "é" * 512 + "k", "a+b%/" * 205])
def test_a_key_of_more_than_1024_bytes_is_refused(s3: Any, operation: str, key: str) -> None:
    s3.put_object(Bucket="media", Key="source", Body=b"x")
    more = {"CopySource": "media/source"} if operation == "copy_object" else {}
    with pytest.raises(ClientError) as refusal:
        getattr(s3, operation)(Bucket="media", Key=key, **more)
    assert refusal.value.response["Error"]["Code"] == "KeyTooLongError"
    assert refusal.value.response["Error"]["Message"] == "Your key is too long"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="media")["Contents"]] == ["source"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="media")


@pytest.mark.parametrize("key", ["k" * 1024, "é" * 512, " +%/" * 256])
def test_a_key_of_1024_bytes_is_accepted(s3: Any, key: str) -> None:
    s3.put_object(Bucket="media", Key=key, Body=b"x")
    assert s3.get_object(Bucket="media", Key=key)["Body"].read() == b"x"
    s3.delete_object(Bucket="media", Key=key)
