"""The buckets: one with its own key for each class of data, and one for the access logs of the others."""

from collections.abc import Iterable, Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.environment import Environment
from lambdas.shared.layout import AUDIENCE_OBJECTS, CLINICAL_OBJECTS, MEDIA_OBJECTS, TRANSCRIPTS, Stored

_NONCURRENT_DAYS = cdk.Duration.days(30)
_UNFINISHED_UPLOAD_DAYS = cdk.Duration.days(7)

_ENCRYPTION = "s3:x-amz-server-side-encryption"
_ENCRYPTION_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
_CUSTOMER_KEY = "s3:x-amz-server-side-encryption-customer-algorithm"

# Transcribe writes this empty object beside a job's output before the job begins. AWS doesn't document it, but public
# repositories list it in such buckets.
TRANSCRIBE_ACCESS_CHECK = f"{TRANSCRIPTS}.write_access_check_file.temp"


class DataStore(Construct):
    """A key and a bucket for one class of data, so that access to one class gives none to another."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        access_logs: s3.IBucket,
        expire_after_days: Mapping[str, int | None],
        send_events: bool = False,
        access_check: str | None = None,
    ) -> None:
        """`expire_after_days` maps a key prefix to its lifetime in days; None means for ever.

        `access_check` is the key of an empty object with which a service tests its write access.
        """
        super().__init__(scope, construct_id)
        data_class = construct_id.lower()
        self.key = kms.Key(
            self,
            "Key",
            alias=f"alias/{environment.prefix}-{data_class}",
            description=f"{environment.prefix}: {data_class} data",
            enable_key_rotation=True,
            removal_policy=removal_policy(environment),
        )
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=removal_policy(environment),
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{data_class}/",
            lifecycle_rules=[
                s3.LifecycleRule(id=f"expire-{prefix.rstrip('/')}", prefix=prefix, expiration=cdk.Duration.days(days))
                for prefix, days in expire_after_days.items()
                if days is not None
            ]
            + [_tidy()],
        )
        self._deny_other_encryption(access_check)
        if send_events:
            self._send_events()

    def _deny_other_encryption(self, access_check: str | None) -> None:
        """Refuse writes with another key than this store's; a write without a header gets that key.

        S3 compares the header as sent, so the policy allows both the key's ARN and its id: AWS doesn't document which
        of them a service sends. An alias is refused, because it may be moved to another key.

        The object `access_check` may be written with any header, because AWS doesn't document which ones the service
        sends, and a refusal would fail every job. The object is empty, encrypted, and read by no function.
        """
        ours = [self.key.key_arn, self.key.key_id]
        asks_for_encryption = {"Null": {_ENCRYPTION: "false"}, "StringNotEquals": {_ENCRYPTION: "aws:kms"}}
        asks_for_key = {"Null": {_ENCRYPTION_KEY: "false"}, "StringNotEquals": {_ENCRYPTION_KEY: ours}}
        # aws:kms without a key id means the AWS managed key aws/s3, not the bucket's default.
        asks_for_managed_key = {"StringEquals": {_ENCRYPTION: "aws:kms"}, "Null": {_ENCRYPTION_KEY: "true"}}
        brings_own_key = {"Null": {_CUSTOMER_KEY: "false"}}
        # NotResource in a denial: https://repost.aws/knowledge-center/s3-allow-certain-file-types
        all_objects = [self.bucket.arn_for_objects("*")] if access_check is None else None
        all_others = [self.bucket.arn_for_objects(access_check)] if access_check is not None else None
        for sid, conditions in (
            ("OnlyKms", asks_for_encryption),
            ("OnlyOurKey", asks_for_key),
            ("NotTheAwsManagedKey", asks_for_managed_key),
            ("NoCustomerKeys", brings_own_key),
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:PutObject"],
                    resources=all_objects,
                    not_resources=all_others,
                    conditions=conditions,
                )
            )

    def _send_events(self) -> None:
        # Bucket(event_bridge_enabled=True) would add a custom resource with a Lambda function and its own role.
        bucket = self.bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )


class Storage(Construct):
    """The four data stores, each named after its class of data."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        # S3 delivers access logs only to buckets whose default encryption is SSE-S3.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
        self.access_logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=removal_policy(environment),
            lifecycle_rules=[
                s3.LifecycleRule(id="expire", expiration=cdk.Duration.days(environment.log_retention_days)),
                _tidy(),
            ],
        )
        self.media = self._store("Media", environment, _expiries(MEDIA_OBJECTS, environment), send_events=True)
        self.clinical = self._store(
            "Clinical",
            environment,
            _expiries(CLINICAL_OBJECTS, environment),
            access_check=TRANSCRIBE_ACCESS_CHECK,
        )
        self.audience = self._store("Audience", environment, _expiries(AUDIENCE_OBJECTS, environment))
        self.operations = self._store("Operations", environment, {})

    def _store(
        self,
        construct_id: str,
        environment: Environment,
        expire_after_days: Mapping[str, int | None],
        *,
        send_events: bool = False,
        access_check: str | None = None,
    ) -> DataStore:
        return DataStore(
            self,
            construct_id,
            environment=environment,
            access_logs=self.access_logs,
            expire_after_days=expire_after_days,
            send_events=send_events,
            access_check=access_check,
        )


def removal_policy(environment: Environment) -> cdk.RemovalPolicy:
    """Whether data and its keys are retained when the stack is deleted or replaces them.

    If the operation that creates a retained resource fails, the resource is deleted, because its name would otherwise
    block the next deployment.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    return cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if environment.retain_data else cdk.RemovalPolicy.DESTROY


def _expiries(table: Iterable[Stored], environment: Environment) -> dict[str, int | None]:
    """Prefix -> days (None for ever), from the layout's table."""
    days = {
        "recordings": environment.recordings_expire_after_days,
        "results": environment.results_expire_after_days,
        "intermediates": environment.intermediates_expire_after_days,
    }
    return {row.prefix: days[row.expiry] for row in table if row.expiry}


def _tidy() -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id="tidy",
        noncurrent_version_expiration=_NONCURRENT_DAYS,
        expired_object_delete_marker=True,
        abort_incomplete_multipart_upload_after=_UNFINISHED_UPLOAD_DAYS,
    )
