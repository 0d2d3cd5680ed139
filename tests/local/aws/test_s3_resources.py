from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws
from tests.local.aws.stacks import Stack

KEY = {
    "Type": "AWS::KMS::Key",
    "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}, "EnableKeyRotation": True},
}


@pytest.fixture
def deploy_bucket(create_stack: Any) -> Any:
    """deploy_bucket(properties) -> (its name, the ARN of the key next to it)"""

    def deploy(properties: Any, **others: Any) -> Any:
        resources = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}, "Key": KEY, **others}
        outputs = {"Name": {"Ref": "Bucket"}, "Key": {"Fn::GetAtt": ["Key", "Arn"]}}
        created = create_stack(resources, outputs)
        return created["Name"], created["Key"]

    return deploy


def test_encryption_with_a_bucket_key(local_aws: LocalAws, deploy_bucket: Any) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    rule = {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": default}
    name, key = deploy_bucket({"BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}})
    s3 = local_aws.client("s3")
    (applied,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert applied["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert applied["BucketKeyEnabled"] is True
    assert s3.put_object(Bucket=name, Key="k", Body=b"")["SSEKMSKeyId"] == key


def test_versioning_public_access_block_and_ownership(local_aws: LocalAws, deploy_bucket: Any) -> None:
    block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    ownership = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    name, _ = deploy_bucket(
        {
            "VersioningConfiguration": {"Status": "Enabled"},
            "PublicAccessBlockConfiguration": block,
            "OwnershipControls": ownership,
            "Tags": [{"Key": "data", "Value": "clinical"}],
        }
    )
    s3 = local_aws.client("s3")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"] == block
    assert s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"] == ownership
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "data", "Value": "clinical"}]


def test_lifecycle_rules(local_aws: LocalAws, deploy_bucket: Any) -> None:
    rules = [
        {"ExpirationInDays": 30, "Id": "documents", "Prefix": "documents/", "Status": "Enabled"},
        {
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            "ExpiredObjectDeleteMarker": True,
            "Id": "tidy",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "Status": "Enabled",
        },
    ]
    name, _ = deploy_bucket({"LifecycleConfiguration": {"Rules": rules}})
    assert local_aws.client("s3").get_bucket_lifecycle_configuration(Bucket=name)["Rules"] == [
        {"ID": "documents", "Status": "Enabled", "Filter": {"Prefix": "documents/"}, "Expiration": {"Days": 30}},
        {
            "ID": "tidy",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
    ]


def test_a_lifecycle_property_that_would_be_dropped_is_refused(deploy_bucket: Any) -> None:
    rule = {"Status": "Enabled", "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 1}]}
    with pytest.raises(ClientError, match=r"Bucket \(AWS::S3::Bucket\).*rule property Transitions"):
        deploy_bucket({"LifecycleConfiguration": {"Rules": [rule]}})


def test_events_go_to_eventbridge(local_aws: LocalAws, deploy_bucket: Any) -> None:
    name, _ = deploy_bucket({"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}})
    notifications = local_aws.client("s3").get_bucket_notification_configuration(Bucket=name)
    assert notifications["EventBridgeConfiguration"] == {}


def test_notifications_to_anything_else_are_refused(deploy_bucket: Any) -> None:
    with pytest.raises(ClientError, match="EventBridgeConfiguration alone"):
        deploy_bucket({"NotificationConfiguration": {"TopicConfigurations": []}})


def test_access_is_logged_to_another_bucket(local_aws: LocalAws, deploy_bucket: Any) -> None:
    logging = {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "media/"}
    name, _ = deploy_bucket({"LoggingConfiguration": logging}, Logs={"Type": "AWS::S3::Bucket"})
    enabled = local_aws.client("s3").get_bucket_logging(Bucket=name)["LoggingEnabled"]
    assert enabled["TargetPrefix"] == "media/"
    written = local_aws.client("s3").list_objects_v2(Bucket=enabled["TargetBucket"])["Contents"]
    assert all(entry["Key"].startswith("media/") for entry in written)


def test_a_bucket_policy(local_aws: LocalAws, deploy_bucket: Any) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    policy = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document},
    }
    name, _ = deploy_bucket({}, Policy=policy)
    assert '"s3:DeleteObject"' in local_aws.client("s3").get_bucket_policy(Bucket=name)["Policy"]


def test_a_bucket_is_changed_in_place_with_its_objects(local_aws: LocalAws, stack: Stack) -> None:
    s3 = local_aws.client("s3")
    block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    rule = {"Id": "old", "Status": "Enabled", "ExpirationInDays": 1}

    def resources(sid: str, **properties: Any) -> dict[str, Any]:
        statement = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:PutObjectAcl", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        policy = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document}
        return {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties},
            "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
        }

    stack.create(
        resources(
            "first",
            VersioningConfiguration={"Status": "Enabled"},
            PublicAccessBlockConfiguration=block,
            LifecycleConfiguration={"Rules": [rule]},
            NotificationConfiguration={"EventBridgeConfiguration": {}},
            Tags=[{"Key": "k", "Value": "v"}],
        )
    )
    name = stack.physical_ids()["Bucket"]
    s3.put_object(Bucket=name, Key="kept", Body=b"1")
    ownership = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    changed = {"LifecycleConfiguration": {"Rules": [{**rule, "Id": "new"}]}, "OwnershipControls": ownership}
    assert stack.update(resources("second", **changed)) == "UPDATE_COMPLETE"
    assert stack.physical_ids()["Bucket"] == name and s3.get_object(Bucket=name, Key="kept")["Body"].read() == b"1"
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Suspended"
    assert [found["ID"] for found in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]] == ["new"]
    assert s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"] == ownership
    assert "second" in s3.get_bucket_policy(Bucket=name)["Policy"]
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=name)
    for read in (s3.get_public_access_block, s3.get_bucket_tagging):
        with pytest.raises(ClientError, match="NoSuch"):
            read(Bucket=name)
