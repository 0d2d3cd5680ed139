from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.cloudformation import TYPES
from tests.local.aws.stacks import Stack, queue


def test_another_type_under_the_same_logical_id_is_refused(stack: Stack) -> None:
    stack.create({"Thing": queue()})
    with pytest.raises(ClientError, match=r"Update of resource type is not permitted.*\[Thing\]"):
        stack.update({"Thing": {"Type": "AWS::S3::Bucket"}})
    assert stack.status == "CREATE_COMPLETE"


def test_every_type_is_changed_in_place_or_only_ever_replaced() -> None:
    for name, supported in TYPES.items():
        assert supported.update or supported.replaced_by == supported.applied, name


def test_what_replaces_a_resource_is_what_cloudformations_schema_says(schema: Callable[[str], Any]) -> None:
    for name, supported in TYPES.items():
        described = schema(name)
        paths = [
            *described.get("createOnlyProperties", []),
            *described.get("conditionalCreateOnlyProperties", []),
        ]
        expected = {path.removeprefix("/properties/").replace("/", ".") for path in paths}
        applied = {path for path in expected if path.partition(".")[0] in supported.applied}
        assert applied <= supported.replaced_by, name
        # Glue's schema has read-only names for the database's own, and lacks the catalog of one.
        assert supported.replaced_by - applied <= {"CatalogId", "DatabaseInput.Name"}, name


@pytest.fixture(scope="module")
def schema() -> Callable[[str], Any]:
    """schema(resource type) -> CloudFormation's schema of it, which cfn-lint has."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

    return lambda name: PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", name).schema
