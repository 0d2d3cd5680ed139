"""CloudFormation's roles, policies and keys.

moto's CloudFormation drops a role's ManagedPolicyArns, without which no function could do anything, and stores a key's
policy in a form that its own DescribeKey fails on.
"""

import json

from moto.iam.models import Role, iam_backends
from moto.kms.models import Key

from local.aws.credentials import ACCOUNT_ID
from local.aws.resource_types import Properties, ResourceType


def complete_role(role: Role, properties: Properties) -> None:
    """Attach the managed policies."""
    for arn in properties.get("ManagedPolicyArns", []):
        iam_backends[ACCOUNT_ID]["aws"].attach_role_policy(arn, role.name)


def complete_key(key: Key, properties: Properties) -> None:
    """Store the policy as the JSON text that the KMS API expects."""
    if not isinstance(key.policy, str):
        key.policy = json.dumps(key.policy)


TYPES = {
    "AWS::IAM::Role": ResourceType(
        frozenset(
            {
                "AssumeRolePolicyDocument",
                "Description",
                "ManagedPolicyArns",
                "MaxSessionDuration",
                "Path",
                "Policies",
                "RoleName",
                "Tags",
            }
        ),
        complete=complete_role,
    ),
    "AWS::IAM::ManagedPolicy": ResourceType(
        frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"})
    ),
    "AWS::IAM::Policy": ResourceType(frozenset({"PolicyDocument", "PolicyName", "Roles"})),
    "AWS::KMS::Key": ResourceType(
        frozenset({"Description", "EnableKeyRotation", "Enabled", "KeyPolicy", "Tags"}),
        ignored={"PendingWindowInDays": "Keys end with the process, not after a waiting period"},
        complete=complete_key,
    ),
    "AWS::KMS::Alias": ResourceType(frozenset({"AliasName", "TargetKeyId"})),
}
