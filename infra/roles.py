"""Roles that can do what they are given here and never more."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct


def exact_role(
    scope: Construct,
    *,
    principal: iam.IPrincipal,
    description: str,
    statements: Sequence[iam.PolicyStatement],
    shared: Sequence[iam.IManagedPolicy] = (),
) -> iam.Role:
    """A role with these statements in a managed policy of its own, which exists before anything can use the role.

    Pass it on with `without_policy_updates()`: constructs of the CDK library that would add permissions add too much
    (`grant_read` allows s3:GetObject*, s3:GetBucket* and s3:List*), and in an inline policy, which HIPAA rules forbid.
    """
    policy = iam.ManagedPolicy(scope, "Policy", description=description, statements=statements)
    return iam.Role(scope, "Role", assumed_by=principal, description=description, managed_policies=[policy, *shared])
