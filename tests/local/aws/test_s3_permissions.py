import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws


def allow(action: Any, resource: Any = "*", condition: Any = None) -> Any:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


@pytest.fixture
def key_arn(local_aws: LocalAws) -> Any:
    return local_aws.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def encrypted_bucket(local_aws: LocalAws, key_arn: Any) -> Any:
    """A bucket whose objects are encrypted with `key_arn`, with one object, a."""
    s3, name = local_aws.client("s3"), f"clinical-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    s3.put_object(Bucket=name, Key="a", Body=b"text")
    return name


def refused(call: Any, **arguments: Any) -> Any:
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return refusal.value.response["Error"]["Message"]


def test_writing_an_encrypted_object_takes_a_data_key(make_role: Any, encrypted_bucket: Any, key_arn: Any) -> None:
    without = make_role(allow("s3:*")).client("s3")
    assert "kms:GenerateDataKey" in refused(without.put_object, Bucket=encrypted_bucket, Key="b", Body=b"")
    make_role(allow("s3:*"), allow("kms:GenerateDataKey", key_arn)).client("s3").put_object(
        Bucket=encrypted_bucket, Key="b", Body=b""
    )


def test_a_multipart_upload_takes_decryption_too(make_role: Any, encrypted_bucket: Any, key_arn: Any) -> None:
    half = make_role(allow("s3:*"), allow("kms:GenerateDataKey", key_arn)).client("s3")
    assert "kms:Decrypt" in refused(half.create_multipart_upload, Bucket=encrypted_bucket, Key="b")
    s3 = make_role(allow("s3:*"), allow(["kms:GenerateDataKey", "kms:Decrypt"], key_arn)).client("s3")
    upload = {"Bucket": encrypted_bucket, "Key": "b"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


def test_reading_an_encrypted_object_takes_decryption_but_its_metadata_does_not(
    make_role: Any, encrypted_bucket: Any, key_arn: Any
) -> None:
    without = make_role(allow("s3:*")).client("s3")
    without.head_object(Bucket=encrypted_bucket, Key="a")
    assert "kms:Decrypt" in refused(without.get_object, Bucket=encrypted_bucket, Key="a")
    reader = make_role(allow("s3:GetObject"), allow("kms:Decrypt", key_arn)).client("s3")
    assert reader.get_object(Bucket=encrypted_bucket, Key="a")["Body"].read() == b"text"


def test_a_right_on_another_key_does_not_help(local_aws: LocalAws, make_role: Any, encrypted_bucket: Any) -> None:
    other = local_aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    reader = make_role(allow("s3:GetObject"), allow("kms:Decrypt", other)).client("s3")
    assert "kms:Decrypt" in refused(reader.get_object, Bucket=encrypted_bucket, Key="a")


def test_with_a_bucket_key_the_encryption_context_is_the_bucket(
    make_role: Any, encrypted_bucket: Any, key_arn: Any
) -> None:
    def reader(context: Any) -> Any:
        condition = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{encrypted_bucket}{context}"}}
        return make_role(allow("s3:GetObject"), allow("kms:Decrypt", key_arn, condition)).client("s3")

    reader("").get_object(Bucket=encrypted_bucket, Key="a")
    assert "kms:Decrypt" in refused(reader("/a").get_object, Bucket=encrypted_bucket, Key="a")


def test_a_missing_key_is_404_only_to_those_who_may_list(make_role: Any, encrypted_bucket: Any) -> None:
    prefixed = allow("s3:ListBucket", f"arn:aws:s3:::{encrypted_bucket}", {"StringLike": {"s3:prefix": "records/*"}})
    lister = make_role(allow("s3:GetObject"), prefixed).client("s3")
    with pytest.raises(lister.exceptions.NoSuchKey):
        lister.get_object(Bucket=encrypted_bucket, Key="records/none")
    assert "s3:ListBucket" in refused(lister.get_object, Bucket=encrypted_bucket, Key="elsewhere/none")
    assert "s3:ListBucket" in refused(
        make_role(allow("s3:GetObject")).client("s3").get_object, Bucket=encrypted_bucket, Key="records/none"
    )


def test_listing_shows_the_prefix(make_role: Any, encrypted_bucket: Any) -> None:
    prefixed = allow("s3:ListBucket", f"arn:aws:s3:::{encrypted_bucket}", {"StringLike": {"s3:prefix": "records/*"}})
    lister = make_role(prefixed).client("s3")
    lister.list_objects_v2(Bucket=encrypted_bucket, Prefix="records/2026")
    refused(lister.list_objects_v2, Bucket=encrypted_bucket, Prefix="documents/")
    refused(lister.list_objects_v2, Bucket=encrypted_bucket)


def test_a_version_is_read_with_the_action_for_versions(
    local_aws: LocalAws, make_role: Any, encrypted_bucket: Any, key_arn: Any
) -> None:
    s3 = local_aws.client("s3")
    s3.put_bucket_versioning(Bucket=encrypted_bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=encrypted_bucket, Key="a", Body=b"2")["VersionId"]
    current = make_role(allow(["s3:GetObject", "kms:Decrypt"])).client("s3")
    assert "s3:GetObjectVersion" in refused(current.get_object, Bucket=encrypted_bucket, Key="a", VersionId=version)
    versions = make_role(allow(["s3:GetObjectVersion", "kms:Decrypt"])).client("s3")
    assert versions.get_object(Bucket=encrypted_bucket, Key="a", VersionId=version)["Body"].read() == b"2"
    # The key of that version counts, not that of the newest one, which may be a delete marker.
    without = make_role(allow("s3:*")).client("s3")
    s3.put_object(Bucket=encrypted_bucket, Key="a", Body=b"3", ServerSideEncryption="AES256")
    assert without.get_object(Bucket=encrypted_bucket, Key="a")["Body"].read() == b"3"
    assert "kms:Decrypt" in refused(without.get_object, Bucket=encrypted_bucket, Key="a", VersionId=version)
    s3.delete_object(Bucket=encrypted_bucket, Key="a")
    assert "kms:Decrypt" in refused(without.get_object, Bucket=encrypted_bucket, Key="a", VersionId=version)
    without.head_object(Bucket=encrypted_bucket, Key="a", VersionId=version)


def test_copying_takes_reading_the_source(make_role: Any, encrypted_bucket: Any, key_arn: Any) -> None:
    destination = f"arn:aws:s3:::{encrypted_bucket}/copy"
    rights = [allow("s3:PutObject", destination), allow("kms:*", key_arn)]
    copy = {"Bucket": encrypted_bucket, "Key": "copy", "CopySource": {"Bucket": encrypted_bucket, "Key": "a"}}
    assert "s3:GetObject" in refused(make_role(*rights).client("s3").copy_object, **copy)
    reading = allow("s3:GetObject", f"arn:aws:s3:::{encrypted_bucket}/a")
    make_role(*rights, reading).client("s3").copy_object(**copy)


def test_deleting_several_objects_takes_the_right_to_delete(make_role: Any, encrypted_bucket: Any) -> None:
    delete = {"Bucket": encrypted_bucket, "Delete": {"Objects": [{"Key": "a"}]}}
    assert "s3:DeleteObject" in refused(make_role(allow("s3:Get*")).client("s3").delete_objects, **delete)
    make_role(allow("s3:DeleteObject", f"arn:aws:s3:::{encrypted_bucket}/*")).client("s3").delete_objects(**delete)
