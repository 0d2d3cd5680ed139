"""Every identity policy by parliament, each `*` in it by policy_sentry's Service Authorization Reference."""

import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from infra.findings import accepted
from infra.stack import PipelineStack
from tests.infra.conftest import ACCOUNT, REGION, Deployed, synthesized
from tests.infra.test_permissions import as_list

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # parliament uses the deprecated pkg_resources
    import parliament  # type: ignore[import-untyped]

_HERE = f"{REGION}:{ACCOUNT}"
_ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_HERE}:table/name",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/name",
    "AWS::KMS::Key": f"arn:aws:kms:{_HERE}:key/01234567-89ab-cdef-0123-456789abcdef",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_HERE}:function:name",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:name:*",
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_HERE}:name",
}
_EXECUTION = "parliament's data has express executions only; the reference has those of standard workflows as well."

# Parliament's findings that we accept, by policy, kind of finding and action.
KNOWN = {
    ("Functions/PlanBatch/Policy", "RESOURCE_MISMATCH", "states:DescribeExecution"): _EXECUTION,
    ("Functions/PrepareCohorts/Policy", "RESOURCE_MISMATCH", "states:DescribeExecution"): _EXECUTION,
    ("Workflow/Policy", "RESOURCE_MISMATCH", "states:DescribeExecution"): _EXECUTION,
    ("Backfill/Policy", "RESOURCE_MISMATCH", "states:DescribeExecution"): _EXECUTION,
    ("Search/Policy", "RESOURCE_MISMATCH", "states:DescribeExecution"): _EXECUTION,
    ("Compaction/Policy", "RESOURCE_MISMATCH", "states:DescribeExecution"): _EXECUTION,
    ("Functions/ShareJobs/Policy", "RESOURCE_MISMATCH", "states:ListExecutions"): (
        "parliament's data has listing by Map Run only; the reference has listing by state machine as well."
    ),
    ("Functions/StartAudienceGeneration/Policy", "RESOURCE_MISMATCH", "cleanrooms-ml:StartAudienceGenerationJob"): (
        "Without an audience model in the environment there is none that may be used."
    ),
    **{
        ("DataAccessRoles/SeedQueries", "RESOURCE_STAR", f"cleanrooms:{action}"): "As in WITH_RESOURCES."
        for action in ("GetCollaborationAnalysisTemplate", "GetSchema", "StartProtectedQuery")
    },
}

# Granted on all resources although the reference has resources for them.
_GUIDE = (
    "Clean Rooms' guide asks for all resources: https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html"
)
_OPTIONAL = "The reference has the resource as optional, so that a listing may be decided on without one."
WITH_RESOURCES = {
    "cleanrooms:StartProtectedQuery": _GUIDE,
    "cleanrooms:GetSchema": _GUIDE,
    "cleanrooms:GetCollaborationAnalysisTemplate": _GUIDE,
    "cleanrooms-ml:ListAudienceGenerationJobs": _OPTIONAL,
    "cleanrooms-ml:ListAudienceExportJobs": _OPTIONAL,
}


@pytest.fixture
def stacks(deploy: Callable[..., Deployed], with_query: PipelineStack) -> list[Deployed]:
    """Without an audience model, with one, and with a cohort that a query selects: together all policies there are."""
    return [deploy("prod"), deploy("local"), synthesized(with_query)]


def policies(deployed: Deployed) -> Iterator[tuple[str, dict[str, Any]]]:
    """Construct path and document of each identity policy, its references written out as ARNs."""
    assert not deployed.of_type("AWS::IAM::Policy")
    assert not any("Policies" in role for role in deployed.of_type("AWS::IAM::Role").values())

    def arn(reference: re.Match[str]) -> str:
        return _ARNS[deployed.resources[reference[1]]["Type"]]

    for path, properties in deployed.of_type("AWS::IAM::ManagedPolicy").items():
        document = json.dumps(properties["PolicyDocument"])
        yield path, json.loads(re.sub(r"([A-Z][\w/]+)\.Arn", arn, document))


def lint(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and action (or other detail) of what parliament finds in a policy."""
    for finding in parliament.analyze_policy_string(json.dumps(document)).findings:
        for detail in as_list(finding.detail):
            yield finding.issue, detail["action"] if isinstance(detail, dict) and "action" in detail else str(detail)


def has_resources(action: str) -> bool:
    """Whether the Service Authorization Reference has resource types for `action`."""
    service, name = action.split(":")
    data = get_action_data(service, name)
    assert data, f"{action} is not in the reference"
    return any(row["resource_arn_format"] != "*" for row in data[service])


def granted_on_all(deployed: Deployed, policy: str | None = None) -> set[str]:
    return {
        action
        for path, document in policies(deployed)
        if policy in (None, path)
        for statement in document["Statement"]
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }


def test_parliament_finds_nothing_in_the_policies_but_what_is_known_and_all_of_that(stacks: list[Deployed]) -> None:
    found = {(path, *finding) for stack in stacks for path, document in policies(stack) for finding in lint(document)}
    assert found == set(KNOWN)


@pytest.mark.parametrize(
    ("issue", "change"),
    [
        ("RESOURCE_MISMATCH", {"Resource": "arn:aws:s3:::name"}),
        ("UNKNOWN_ACTION", {"Action": "s3:GetObjekt"}),
        ("UNKNOWN_CONDITION_FOR_ACTION", {"Condition": {"StringEquals": {"s3:prefixes": "media/"}}}),
        ("UNKNOWN_OPERATOR", {"Condition": {"StringEqual": {"aws:SourceAccount": ACCOUNT}}}),
    ],
)
def test_parliament_finds_a_mistake(issue: str, change: dict[str, Any]) -> None:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::name/media/*"}
    assert not list(lint({"Version": "2012-10-17", "Statement": [statement]}))
    assert issue in dict(lint({"Version": "2012-10-17", "Statement": [statement | change]}))


def test_only_actions_without_resources_are_granted_on_all_resources(stacks: list[Deployed]) -> None:
    found = set().union(*map(granted_on_all, stacks))
    assert {action for action in found if has_resources(action)} == set(WITH_RESOURCES)
    assert "comprehendmedical:StartEntitiesDetectionV2Job" in found


def test_what_is_accepted_for_want_of_resources_has_none(stacks: list[Deployed]) -> None:
    claims = [
        (deployed, construct.node.path.removeprefix(f"{deployed.stack.node.path}/"))
        for deployed in stacks
        for construct, finding, reason in accepted(deployed.stack)
        if finding.endswith("[Resource::*]") and "no resource-level permissions" in reason
    ]
    actions = [granted_on_all(deployed, policy) for deployed, policy in claims]
    assert actions and all(actions)
    assert not [action for action in set().union(*actions) if has_resources(action)]


def test_the_reference_tells_an_action_with_resources_from_one_without() -> None:
    assert has_resources("s3:GetObject")
    assert not has_resources("xray:PutTraceSegments")
