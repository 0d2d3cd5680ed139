"""CloudFormation's image repositories, which `cdk bootstrap` makes."""

import json
from typing import Any

from moto.ecr.models import Repository

from local.aws.resource_types import Properties, ResourceType, operator_client, put_tags


def complete_repository(repository: Repository, properties: Properties) -> None:
    """Apply the policies that moto dropped."""
    _put_policies(repository.name, properties, {})


def update_repository(repository: Repository, properties: Properties, previous: Properties) -> None:
    ecr = operator_client("ecr")
    ecr.put_image_tag_mutability(
        repositoryName=repository.name, imageTagMutability=properties.get("ImageTagMutability", "MUTABLE")
    )
    _put_policies(repository.name, properties, previous)
    put_tags(
        properties,
        previous,
        lambda tags: ecr.tag_resource(resourceArn=repository.arn, tags=tags),
        lambda keys: ecr.untag_resource(resourceArn=repository.arn, tagKeys=keys),
    )


def _put_policies(name: str, properties: Properties, previous: Properties) -> None:
    ecr = operator_client("ecr")
    if policy := properties.get("RepositoryPolicyText"):
        ecr.set_repository_policy(repositoryName=name, policyText=_text(policy))
    elif "RepositoryPolicyText" in previous:
        ecr.delete_repository_policy(repositoryName=name)
    if lifecycle := properties.get("LifecyclePolicy", {}).get("LifecyclePolicyText"):
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=_text(lifecycle))
    elif "LifecyclePolicy" in previous:
        ecr.delete_lifecycle_policy(repositoryName=name)


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


TYPES = {
    "AWS::ECR::Repository": ResourceType(
        frozenset({"ImageTagMutability", "LifecyclePolicy", "RepositoryName", "RepositoryPolicyText", "Tags"}),
        complete=complete_repository,
        replaced_by=frozenset({"RepositoryName"}),
        update=update_repository,
    ),
}
