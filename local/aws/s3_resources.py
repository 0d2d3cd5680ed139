"""CloudFormation's buckets and bucket policies.

moto's CloudFormation applies a bucket's encryption (without bucket keys) and tags, and drops the other properties.
"""

import json
from collections.abc import Mapping
from typing import Any

from moto.s3.exceptions import BucketNotEmpty
from moto.s3.models import FakeBucket, S3Backend, s3_backends

from local.aws.credentials import ACCOUNT_ID
from local.aws.resource_types import AddedResource, Properties, ResourceType, operator_client


def complete_bucket(bucket: FakeBucket, properties: Properties) -> None:
    """Apply the properties that moto dropped. Raises ValueError for an access control list other than the default."""
    if properties.get("AccessControl", "Private") != "Private":
        raise ValueError("AccessControl is supported as Private alone")
    s3, name = operator_client("s3"), bucket.name
    if encryption := properties.get("BucketEncryption"):
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=_encryption(encryption))
    if "VersioningConfiguration" in properties:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    if "PublicAccessBlockConfiguration" in properties:
        s3.put_public_access_block(
            Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"]
        )
    if "OwnershipControls" in properties:
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=properties["OwnershipControls"])
    if lifecycle := properties.get("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if notifications := properties.get("NotificationConfiguration"):
        if set(notifications) != {"EventBridgeConfiguration"}:
            raise ValueError("NotificationConfiguration is supported with EventBridgeConfiguration alone")
        if notifications["EventBridgeConfiguration"].get("EventBridgeEnabled", True):
            s3.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
    if logging := properties.get("LoggingConfiguration"):
        # Set directly: moto's API needs the target's bucket policy first, which a template adds after both buckets.
        bucket.logging = {
            "TargetBucket": logging.get("DestinationBucketName", name),
            "TargetPrefix": logging.get("LogFilePrefix", ""),
        }


def update_bucket(bucket: FakeBucket, properties: Properties, previous: Properties) -> None:
    """Change the settings; those that the template no longer has get their initial value."""
    s3, name = operator_client("s3"), bucket.name
    gone = {setting for setting in previous if setting not in properties}
    if "BucketEncryption" in gone:
        s3.delete_bucket_encryption(Bucket=name)
    if "VersioningConfiguration" in gone:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    if "PublicAccessBlockConfiguration" in gone:
        s3.delete_public_access_block(Bucket=name)
    if "OwnershipControls" in gone:
        s3.delete_bucket_ownership_controls(Bucket=name)
    if "LifecycleConfiguration" in gone:
        s3.delete_bucket_lifecycle(Bucket=name)
    if properties.get("NotificationConfiguration") != previous.get("NotificationConfiguration"):
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
    if "LoggingConfiguration" in gone:
        bucket.logging = {}
    complete_bucket(bucket, properties)
    if tags := properties.get("Tags"):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    elif "Tags" in gone:
        s3.delete_bucket_tagging(Bucket=name)


def delete_bucket(bucket: FakeBucket) -> None:
    """Delete an empty bucket. Raises BucketNotEmpty for another, about which moto says nothing, and which it leaves."""
    if _s3().delete_bucket(bucket.name) is None:
        raise BucketNotEmpty(bucket.name)


def _s3() -> S3Backend:
    """S3 without its log of requests. A log of CloudFormation's own requests would arrive at once here, and keep the
    bucket of the logs from being deleted; AWS delivers it hours later.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
    """
    return s3_backends[ACCOUNT_ID]["aws"]


def _encryption(properties: Properties) -> dict[str, Any]:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": dict(rule["ServerSideEncryptionByDefault"]),
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in properties["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


# From CloudFormation's flat lifecycle rule to S3's nested one: property -> member, and the value's name inside it.
_LIFECYCLE_MEMBERS: Mapping[str, tuple[str, str | None]] = {
    "Id": ("ID", None),
    "Status": ("Status", None),
    "ExpirationInDays": ("Expiration", "Days"),
    "ExpiredObjectDeleteMarker": ("Expiration", "ExpiredObjectDeleteMarker"),
    "NoncurrentVersionExpiration": ("NoncurrentVersionExpiration", None),
    "AbortIncompleteMultipartUpload": ("AbortIncompleteMultipartUpload", None),
}


def _lifecycle_rule(properties: Properties) -> dict[str, Any]:
    rule: dict[str, Any] = {"Filter": {"Prefix": properties.get("Prefix", "")}}
    for name, value in properties.items():
        if name == "Prefix":
            continue
        if name not in _LIFECYCLE_MEMBERS:
            raise ValueError(f"LifecycleConfiguration: the rule property {name} is not supported")
        member, inner = _LIFECYCLE_MEMBERS[name]
        rule[member] = {**rule.get(member, {}), inner: value} if inner else value
    return rule


def create_bucket_policy(name: str, properties: Properties) -> AddedResource:
    """AWS::S3::BucketPolicy"""
    bucket = properties["Bucket"]
    _s3().put_bucket_policy(bucket, json.dumps(properties["PolicyDocument"]).encode())
    return AddedResource(bucket, delete_resource=lambda: _s3().delete_bucket_policy(bucket))


def update_bucket_policy(policy: AddedResource, properties: Properties, previous: Properties) -> None:
    _s3().put_bucket_policy(properties["Bucket"], json.dumps(properties["PolicyDocument"]).encode())


TYPES = {
    "AWS::S3::Bucket": ResourceType(
        frozenset(
            {
                "AccessControl",
                "BucketName",
                "BucketEncryption",
                "LifecycleConfiguration",
                "LoggingConfiguration",
                "NotificationConfiguration",
                "OwnershipControls",
                "PublicAccessBlockConfiguration",
                "Tags",
                "VersioningConfiguration",
            }
        ),
        complete=complete_bucket,
        replaced_by=frozenset({"BucketName"}),
        update=update_bucket,
        delete=delete_bucket,
    ),
    "AWS::S3::BucketPolicy": ResourceType(
        frozenset({"Bucket", "PolicyDocument"}),
        create=create_bucket_policy,
        replaced_by=frozenset({"Bucket"}),
        update=update_bucket_policy,
    ),
}
