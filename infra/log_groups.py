"""Log groups with the operations key and the environment's retention."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import arns
from infra.environment import Environment
from infra.storage import removal_policy


def log_group(scope: Construct, *, name: str, environment: Environment, key: kms.IKey) -> logs.LogGroup:
    """A log group called `name`, encrypted with `key`, which needs `allow_cloudwatch_logs` first."""
    group = logs.LogGroup(
        scope, "Logs", log_group_name=name, encryption_key=key, removal_policy=removal_policy(environment)
    )
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    resource.retention_in_days = environment.log_retention_days
    return group


def allow_cloudwatch_logs(key: kms.Key, prefix: str) -> None:
    """Let CloudWatch Logs use `key` for this application's log groups; a log group's reference to it isn't enough.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CloudWatchLogs",
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
            actions=[
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:DescribeKey",
            ],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns.log_groups(prefix)}},
        )
    )
