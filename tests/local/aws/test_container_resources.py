import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws
from tests.local.aws.stacks import Stack

LIFECYCLE = {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan"}}]}
STATEMENT = {"Sid": "Pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}


def test_a_repository_has_its_policies_and_is_changed_in_place(local_aws: LocalAws, stack: Stack) -> None:
    def repository(**properties: Any) -> dict[str, Any]:
        named = {"RepositoryName": stack.name, **properties}
        return {"Images": {"Type": "AWS::ECR::Repository", "Properties": named}}

    ecr = local_aws.client("ecr")
    stack.create(
        repository(
            ImageTagMutability="IMMUTABLE",
            RepositoryPolicyText={"Version": "2012-10-17", "Statement": [STATEMENT]},
        )
    )
    (described,) = ecr.describe_repositories(repositoryNames=[stack.name])["repositories"]
    assert described["imageTagMutability"] == "IMMUTABLE"
    assert "Pull" in ecr.get_repository_policy(repositoryName=stack.name)["policyText"]
    rule = {**LIFECYCLE["rules"][0], "action": {"type": "expire"}}
    rule["selection"] = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3}
    lifecycle = json.dumps({"rules": [rule]})
    assert stack.update(repository(LifecyclePolicy={"LifecyclePolicyText": lifecycle})) == "UPDATE_COMPLETE"
    (described,) = ecr.describe_repositories(repositoryNames=[stack.name])["repositories"]
    assert described["imageTagMutability"] == "MUTABLE"
    assert json.loads(ecr.get_lifecycle_policy(repositoryName=stack.name)["lifecyclePolicyText"])["rules"] == [rule]
    with pytest.raises(ClientError, match="RepositoryPolicyNotFound"):
        ecr.get_repository_policy(repositoryName=stack.name)
