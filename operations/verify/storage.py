"""Checks of S3 and the stack: refused writes, conditional writes, the stack's state.

Sources: S3 user guide, "Conditional requests" (412 if the condition isn't met) and "Protecting data with
server-side encryption"; CloudFormation API reference, DescribeStacks.
"""

import base64
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from operations.verify.checks import Check, Seen, code_of, holds, not_seen, refuted
from operations.verify.observed import Observed

_REFUSED = ("AccessDenied", "403", "InvalidRequest", "InvalidArgument")
# No event is sent for this prefix, and no function reads it.
_FOLDER = "verify/"


def _stack(observed: Observed) -> Seen:
    (stack,) = observed.client("cloudformation").describe_stacks(StackName=observed.prefix)["Stacks"]
    protected = bool(stack.get("EnableTerminationProtection", False))
    wanted = observed.environment.retain_data
    evidence = f"{stack['StackId']} is {stack['StackStatus']}, termination protection is {'on' if protected else 'off'}"
    is_whole = stack["StackStatus"].endswith("_COMPLETE") and "ROLLBACK" not in stack["StackStatus"]
    return holds(evidence) if is_whole and (protected or not wanted) else refuted(evidence)


def _other_encryption(observed: Observed) -> Seen:
    """Write with any encryption but the bucket's own to the two buckets with recordings and transcripts."""
    s3 = observed.client("s3")
    another_key = _key_of(observed, observed.deployed.audience)
    customer_key = base64.b64encode(bytes(32)).decode()
    asked: dict[str, dict[str, Any]] = {
        "AES256": {"ServerSideEncryption": "AES256"},
        "another key": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": another_key},
        "the AWS managed key": {"ServerSideEncryption": "aws:kms"},
    }
    if observed.deployed.connection.endpoint_url is None or not s3.meta.endpoint_url.startswith("http://"):
        # The SDK sends a customer's key over TLS only.
        asked["a customer's key"] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": customer_key}
    refusals = []
    for bucket in (observed.deployed.media, observed.deployed.clinical):
        for name, encryption in asked.items():
            if taken := _taken(s3, bucket, encryption):
                return refuted(f"{bucket} has accepted a write with {name}, version {taken}")
            refusals.append(f"{bucket}: {name}")
    return holds(f"refused: {', '.join(refusals)}")


def _taken(s3: Any, bucket: str, encryption: Mapping[str, Any]) -> str | None:
    """The version that a write has made, and that is deleted again; None if S3 has refused the write."""
    key = f"{_FOLDER}{uuid.uuid4()}"
    try:
        answer = s3.put_object(Bucket=bucket, Key=key, Body=b"", **encryption)
    except ClientError as error:
        if code_of(error) not in _REFUSED:
            raise
        return None
    version: str = answer.get("VersionId", "null")
    s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    return version


def _key_of(observed: Observed, bucket: str) -> str:
    answer = observed.client("s3").get_bucket_encryption(Bucket=bucket)
    (rule,) = answer["ServerSideEncryptionConfiguration"]["Rules"]
    key: str = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    return key


def _plain_http(observed: Observed) -> Seen:
    connection = observed.deployed.connection
    if connection.endpoint_url:
        return not_seen(f"{connection.endpoint_url} is used instead of AWS, so S3 itself isn't tested.")
    s3 = connection.session.client("s3", use_ssl=False, config=Config(retries={"max_attempts": 1}))
    for bucket in (observed.deployed.media, observed.deployed.clinical):
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            if code_of(error) not in _REFUSED:
                raise
            continue
        return refuted(f"{bucket} answers without TLS")
    return holds("both buckets answer 403 to a request without TLS")


def _conditional_writes(observed: Observed) -> Seen:
    """Write as plans, records and the suppression list are written: if there is no object, or it is unchanged."""
    s3, bucket, key = observed.client("s3"), observed.deployed.clinical, f"{_FOLDER}{uuid.uuid4()}"
    versions: list[str] = []

    def put(body: bytes, **condition: str) -> str | None:
        """The new ETag; None if the condition was not met."""
        try:
            answer = s3.put_object(Bucket=bucket, Key=key, Body=body, **condition)
        except ClientError as error:
            if code_of(error) != "PreconditionFailed":
                raise
            return None
        versions.append(answer.get("VersionId", "null"))
        return str(answer["ETag"])

    try:
        first = put(b"1", IfNoneMatch="*")
        again = put(b"2", IfNoneMatch="*")
        second = put(b"2", IfMatch=first) if first else None
        stale = put(b"3", IfMatch=first) if first else None
    finally:
        for version in versions:
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    evidence = f"ETags {first}, {second}; a second If-None-Match gave {again}, a stale If-Match {stale}"
    is_so = first and second and first != second and again is None and stale is None
    return holds(evidence) if is_so else refuted(evidence)


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "stack",
        "The stack is complete, and protected from deletion if the environment's settings demand it.",
        "Deploy it again (make deploy ENV=…); docs/deploy.md says what to do after a failed deployment.",
        _stack,
    ),
    Check(
        "other-encryption",
        "A write with other encryption than the bucket's own is refused.",
        "Compare the buckets' policies with the template (drift detection), and deploy again.",
        _other_encryption,
    ),
    Check(
        "plain-http",
        "A request without TLS is refused.",
        "Compare the buckets' policies with the template (drift detection), and deploy again.",
        _plain_http,
    ),
    Check(
        "conditional-writes",
        "S3 honours the condition of a write, and the ETag changes with the content, also under our key.",
        "Send us this report, and don't start executions over the same recordings at the same time.",
        _conditional_writes,
    ),
)
