from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws

OWN = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
OTHER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "o" * 32}


@pytest.fixture(scope="module")
def s3(local_aws: LocalAws) -> Any:
    client = local_aws.client("s3")
    client.create_bucket(Bucket="media")
    kms = local_aws.client("kms")
    kms.create_alias(AliasName="alias/ours", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/ours"}}
    client.put_bucket_encryption(Bucket="media", ServerSideEncryptionConfiguration={"Rules": [default]})
    client.put_object(Bucket="media", Key="theirs", Body=b"sound", **OWN)
    client.put_object(Bucket="media", Key="ours", Body=b"sound")
    return client


@pytest.mark.parametrize(
    ("key", "code", "head"), [({}, "InvalidRequest", "400"), (OTHER, "AccessDenied", "403")], ids=["no key", "another"]
)
def test_an_object_under_a_customer_s_key_is_refused_without_that_key(
    s3: Any, key: dict[str, str], code: str, head: str
) -> None:
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="media", Key="theirs", **key)
    assert refused.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError) as refused:
        s3.head_object(Bucket="media", Key="theirs", **key)
    assert refused.value.response["Error"]["Code"] == head


@pytest.mark.parametrize(("name", "key"), [("theirs", OWN), ("ours", {})])
def test_it_is_read_with_its_key_and_other_objects_without_one(s3: Any, name: str, key: dict[str, str]) -> None:
    assert s3.get_object(Bucket="media", Key=name, **key)["Body"].read() == b"sound"
    assert s3.head_object(Bucket="media", Key=name, **key)["ContentLength"] == 5


def test_an_object_that_is_put_again_without_a_key_needs_none(s3: Any) -> None:
    s3.put_object(Bucket="media", Key="again", Body=b"sound", **OWN)
    s3.put_object(Bucket="media", Key="again", Body=b"sound")
    assert s3.get_object(Bucket="media", Key="again")["Body"].read() == b"sound"


def test_the_bucket_s_key_does_not_encrypt_it_besides(s3: Any) -> None:
    assert s3.head_object(Bucket="media", Key="ours")["ServerSideEncryption"] == "aws:kms"
    assert "ServerSideEncryption" not in s3.head_object(Bucket="media", Key="theirs", **OWN)
