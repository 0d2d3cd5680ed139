from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks

from infra.findings import accepted, acknowledge
from infra.stack import PipelineStack
from tests.infra.conftest import parameters_with_model_of


def found_in(stack: Stack) -> set[tuple[str, str]]:
    """Construct path and id of every finding that is not acknowledged."""
    reports = [pack(stack).validate_scope(stack) for pack in (AwsSolutionsChecks, HIPAASecurityChecks)]
    return {
        (resource.construct_path or "", violation.rule_name)
        for report in reports
        for violation in report.violations
        for resource in violation.violating_resources
    }


@pytest.fixture(params=["prod", "local", "with a query", "with another account's model"])
def stack(
    request: pytest.FixtureRequest,
    new_stack: Callable[..., PipelineStack],
    with_query: PipelineStack,
    environments: dict[str, Any],
) -> PipelineStack:
    match request.param:
        case "with a query":
            return with_query
        case "with another account's model":
            return new_stack("local", parameters=parameters_with_model_of("222233334444", environments))
        case name:
            return new_stack(name)


def test_every_finding_is_accepted_with_a_reason(stack: PipelineStack) -> None:
    acknowledge(stack)
    assert found_in(stack) == set()
    assert all(reason.strip() for _, _, reason in accepted(stack))


def test_nothing_is_accepted_that_is_not_found(stack: PipelineStack) -> None:
    found = found_in(stack)
    stale = [
        (construct.node.path, finding)
        for construct, finding, _ in accepted(stack)
        if not any(path.startswith(f"{construct.node.path}/") and other == finding for path, other in found)
    ]
    assert stale == []


def test_a_new_finding_is_seen(new_stack: Callable[..., PipelineStack]) -> None:
    stack = new_stack("prod")
    acknowledge(stack)
    s3.Bucket(stack, "Careless")
    assert ("clinical-media-prod/Careless/Resource", "AwsSolutions-S1") in found_in(stack)
