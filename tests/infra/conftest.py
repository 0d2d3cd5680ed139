"""Synthesized stacks for the tests of `infra`, each made once and rendered readable."""

import copy
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from infra.cdk_json import CDK_JSON, read_context
from infra.environment import Environment, settings_of

if TYPE_CHECKING:
    from infra.stack import PipelineStack

# CloudFormation's own rules take longer than all these tests. Importing `aws_cdk` starts the process that reads this,
# so nothing here may import it earlier than in a fixture.
os.environ["CDK_VALIDATION"] = "false"

ROOT = CDK_JSON.parent
ACCOUNT, REGION = "123456789012", "us-east-1"
_PSEUDO_PARAMETERS = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}


@dataclass(frozen=True)
class Deployed:
    """A template in which logical ids are construct paths and references are text, like `Storage/Media/Bucket.Arn`."""

    stack: "PipelineStack"
    resources: Mapping[str, Any]
    outputs: Mapping[str, Any]

    def of_type(self, resource_type: str) -> dict[str, Any]:
        """The properties of all resources of this type, by construct path."""
        return {
            path: resource["Properties"]
            for path, resource in self.resources.items()
            if resource["Type"] == resource_type
        }

    def statements(self, policy: str) -> list[dict[str, Any]]:
        """The statements of the managed policy at this construct path."""
        statements: list[dict[str, Any]] = self.resources[policy]["Properties"]["PolicyDocument"]["Statement"]
        return statements


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """The context of cdk.json, and construct paths in the template."""
    return read_context() | {"aws:cdk:enable-path-metadata": True}


@pytest.fixture(scope="session")
def environments(context: dict[str, Any]) -> dict[str, Any]:
    """Each environment's entry as it would be without defaults."""
    return {name: settings_of(name, context).value for name in context["environments"]}


@pytest.fixture(scope="session")
def new_stack(
    environments: dict[str, Any], context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> "Callable[..., PipelineStack]":
    """`new_stack(name, **changes)`: the stack of an environment with these keys changed, not synthesized yet."""
    from aws_cdk import App

    from infra.stack import PipelineStack

    def new_stack(name: str, **changes: object) -> PipelineStack:
        environment = Environment.from_context(name, {"environments": {name: environments[name] | changes}})
        return PipelineStack(App(context=context, outdir=str(tmp_path_factory.mktemp(name))), environment=environment)

    return new_stack


@pytest.fixture(scope="session")
def deploy(new_stack: "Callable[..., PipelineStack]") -> Callable[..., Deployed]:
    """`deploy(name, **changes)`: the stack of an environment with these keys changed, synthesized."""

    @functools.cache
    def deploy(name: str, **changes: object) -> Deployed:
        return synthesized(new_stack(name, **changes))

    return deploy


def synthesized(stack: "PipelineStack") -> Deployed:
    from aws_cdk.assertions import Template

    template = Template.from_stack(stack).to_json()
    paths = {
        logical_id: resource["Metadata"]["aws:cdk:path"].split("/", 1)[1].removesuffix("/Resource")
        for logical_id, resource in template["Resources"].items()
    }
    rendered = {paths[key]: _render(value, paths) for key, value in template["Resources"].items()}
    outputs = {key: _render(value["Value"], paths) for key, value in template["Outputs"].items()}
    return Deployed(stack, rendered, outputs)


def parameters_with_model_of(account: str, environments: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the environment `local`, with its audience model in that account."""
    parameters: dict[str, Any] = copy.deepcopy(environments["local"]["parameters"])
    generation = parameters["StartAudienceGenerationJob"]
    generation["configuredAudienceModelArn"] = generation["configuredAudienceModelArn"].replace(ACCOUNT, account)
    return parameters


@pytest.fixture
def with_query(environments: dict[str, Any], new_stack: "Callable[..., PipelineStack]") -> "PipelineStack":
    """The production environment with one more cohort, selected by a query; not synthesized yet."""
    parameters = copy.deepcopy(environments["local"]["parameters"])
    collaboration = "01234567-89ab-cdef-0123-456789abcdef"
    parameters["StartAudienceGenerationJob"]["collaborationId"] = collaboration
    seed_audience = {
        "sqlParameters": {"queryString": "SELECT user_id FROM claims"},
        "sqlComputeConfiguration": {"worker": {"type": "CR.1X", "number": 2}},
    }
    cohorts = {"claims": {"seedAudience": seed_audience, "export": None}}
    return new_stack("prod", parameters=parameters, audience={"cohorts": {}, "sql_cohorts": cohorts})


@pytest.fixture(scope="session")
def local(deploy: Callable[..., Deployed]) -> Deployed:
    """The environment with an audience model and several cohorts."""
    return deploy("local")


def _render(value: Any, paths: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_render(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return _PSEUDO_PARAMETERS.get(name) or paths[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{paths[name]}.{attribute}"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_render(part, paths) for part in parts)
    return {key: _render(item, paths) for key, item in value.items()}
