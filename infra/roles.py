"""Roles whose permissions no construct of the CDK library can extend."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.statements import Statement


class ExactPolicy(iam.ManagedPolicy):
    """A managed policy of `statements`, which infra/findings.py reads."""

    def __init__(
        self, scope: Construct, construct_id: str, *, description: str, statements: Sequence[Statement]
    ) -> None:
        written = [statement.policy_statement for statement in statements]
        super().__init__(scope, construct_id, description=description, statements=written)
        self.given = statements


def exact_role(
    scope: Construct,
    *,
    principal: iam.IPrincipal,
    description: str,
    statements: Sequence[Statement],
    shared: Sequence[iam.IManagedPolicy] = (),
) -> iam.Role:
    """A role with these statements in a managed policy, which is created before anything can use the role.

    Pass the role on with `without_policy_updates()`: constructs of the CDK library would otherwise add too broad
    permissions (`grant_read` allows s3:GetObject*, s3:GetBucket* and s3:List*) in an inline policy, which cdk-nag's
    HIPAA rules forbid.
    """
    policy = ExactPolicy(scope, "Policy", description=description, statements=statements)
    return iam.Role(scope, "Role", assumed_by=principal, description=description, managed_policies=[policy, *shared])
