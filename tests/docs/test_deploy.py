"""What docs/deploy.md and the deploy workflow say is what cdk.json, the template and the Makefile have."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml  # type: ignore[import-untyped]
from moto import mock_aws

from infra.cdk_json import read_context
from infra.environment import Environment, settings_of
from infra.layers import Layers
from infra.settings import ConfigurationError
from lambdas.rules import parameters
from local.deployment import synthesize
from tests.docs.pages import examples
from tests.docs.test_commands import commands

PAGE = Path("docs/deploy.md").read_text()
WORKFLOW = Path(".github/workflows/deploy.yml")
CONTEXT = read_context()
ENVIRONMENTS = {name: Environment.from_context(name, CONTEXT) for name in CONTEXT["environments"]}
# For the local AWS; nobody deploys it.
DEPLOYED = [name for name in ENVIRONMENTS if name != "local"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of prod, which keeps the most."""
    assembly = synthesize("prod", tmp_path_factory.mktemp("prod"))
    found: dict[str, Any] = json.loads(next(assembly.glob("*.template.json")).read_text())
    return found


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text())
    return found


def table(starting: str) -> list[list[str]]:
    """The rows, without the first two, of the table whose first row starts so."""
    lines = PAGE[PAGE.index(starting) :].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    (job,) = workflow["jobs"].values()
    return list(job["steps"])


def test_the_environments_are_described_as_they_are() -> None:
    said = {True: "yes", False: "no", None: "never"}
    for name, *cells in table("| | dev | staging | prod |"):
        setting = re.match(r"`(\w+)`", name)
        assert setting, name
        values = [
            {**vars(environment), **vars(environment.costs)}[setting[1]]
            for environment in map(ENVIRONMENTS.__getitem__, DEPLOYED)
        ]
        assert cells == [said.get(value, str(value).removesuffix(".0")) for value in values], name


def test_the_concurrent_jobs_are_described_as_they_are() -> None:
    jobs = {name: ENVIRONMENTS[name].transcription.concurrent_jobs for name in DEPLOYED}
    assert jobs == {"dev": 100, "staging": 100, "prod": 250}
    assert "of each environment: 100, in prod 250" in PAGE


def test_the_outputs_that_the_commands_read_are_the_stack_s(template: dict[str, Any]) -> None:
    named = set(re.findall(r"OutputKey=='(\w+)'", PAGE))
    assert named and named <= set(template["Outputs"])


def test_the_log_groups_that_the_commands_read_are_the_stack_s(template: dict[str, Any]) -> None:
    groups = {
        resource["Properties"]["LogGroupName"].replace("-prod-", "-dev-")
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    named = set(re.findall(r"--log-group-name (\S+)", PAGE))
    assert named and named <= groups


def test_what_remains_of_prod_is_listed_by_type(template: dict[str, Any]) -> None:
    retained = {
        resource["Type"]
        for resource in template["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert {row[0].strip("`") for row in table("| type | what |")} == retained


def test_the_stack_of_the_page_is_the_stack_of_the_environment() -> None:
    stacks = {name: f"clinical-media-{name}" for name in DEPLOYED}
    for name, stack in stacks.items():
        assert ENVIRONMENTS[name].prefix == stack
    assert set(re.findall(r"--stack-name (clinical-media-\w+)", PAGE)) <= set(stacks.values())


def test_the_examples_for_cdk_json_and_iam_work() -> None:
    documents = examples("deploy.md")
    (audience,) = [document for document in documents if "StartAudienceGenerationJob" in document]
    entry = settings_of("dev", CONTEXT).value
    entry["parameters"] = parameters.merged(entry["parameters"], audience)
    assert Environment.from_context("dev", {"environments": {"dev": entry}}).configured_audience_model_arn
    for policy in documents:
        if policy is not audience and "environments" not in policy:
            assert policy["Version"] == "2012-10-17"
            assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}


def test_an_environment_and_a_cohort_are_added_as_the_page_says() -> None:
    (added,) = [document for document in examples("deploy.md") if "environments" in document]
    context = Layers("context", (("the page", added), ("cdk.json", CONTEXT))).value
    (copd,) = Environment.from_context("trial", context).audience.cohorts
    assert (copd.name, copd.minimum_score, copd.minimum_seed_size) == ("copd", 0.8, 100)
    for name, before in ENVIRONMENTS.items():
        cohorts = Environment.from_context(name, context).audience.cohorts
        assert {cohort.name for cohort in cohorts} == {cohort.name for cohort in before.audience.cohorts} | {"copd"}


def test_a_wrong_default_is_told_as_the_page_says() -> None:
    context = {**CONTEXT, "defaults": {**CONTEXT["defaults"], "batch_size": 0}}
    with pytest.raises(ConfigurationError) as raised:
        Environment.from_context("dev", context)
    assert f"\n> {raised.value}\n" in PAGE


def test_only_one_environment_of_one_repository_may_have_the_deploy_role() -> None:
    (trust,) = [
        statement
        for document in examples("deploy.md")
        for statement in document.get("Statement", [])
        if statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    ]
    assert set(trust["Condition"]) == {"StringEquals"}
    claims = trust["Condition"]["StringEquals"]
    assert claims["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    subject = claims["token.actions.githubusercontent.com:sub"]
    assert re.fullmatch(r"repo:OWNER@OWNER_ID/REPOSITORY@REPOSITORY_ID:environment:dev", subject)


@mock_aws
def test_the_command_that_empties_buckets_leaves_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    for name in ("full", "empty"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket="full", Key="media/p-001/visit.wav", Body=b"sound")
    s3.delete_object(Bucket="full", Key="media/p-001/visit.wav")
    (code,) = re.findall(r'^python -c "(.*)" \$BUCKETS$', PAGE, re.M)
    monkeypatch.setattr(sys, "argv", ["-c", "full", "empty"])
    exec(code, {})
    for name in ("full", "empty"):
        s3.delete_bucket(Bucket=name)


def test_the_workflow_offers_every_environment_and_is_only_started_by_hand(workflow: dict[Any, Any]) -> None:
    # YAML 1.1 reads the key `on` as true.
    triggers = workflow[True]
    assert set(triggers) == {"workflow_dispatch"}
    assert triggers["workflow_dispatch"]["inputs"]["environment"]["options"] == DEPLOYED
    assert triggers["workflow_dispatch"]["inputs"]["apply"]["default"] is False
    (job,) = workflow["jobs"].values()
    assert job["environment"] == "${{ inputs.environment }}"
    assert workflow["concurrency"]["cancel-in-progress"] is False


def test_the_workflow_has_no_rights_but_to_read_the_code_and_ask_for_an_identity(workflow: dict[Any, Any]) -> None:
    (job,) = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in WORKFLOW.read_text()
    assert "aws-access-key-id" not in WORKFLOW.read_text()


def test_the_workflow_s_actions_are_pinned_by_commit(workflow: dict[Any, Any]) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert len(used) == 3
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action


def test_the_workflow_runs_the_readme_s_commands_and_checks_before_it_has_credentials(workflow: dict[Any, Any]) -> None:
    order = [step.get("run") or step["uses"].split("@")[0] for step in steps(workflow)]
    assert order[2:] == [
        'make synth ENV="$ENV"',
        "aws-actions/configure-aws-credentials",
        'make diff ENV="$ENV"',
        'make deploy ENV="$ENV"',
    ]
    shown = {command.split()[1] for command in commands(Path("README.md").read_text()) if command.startswith("make ")}
    assert {run.split()[1] for run in order if run.startswith("make ")} <= shown
    (deploy,) = [step for step in steps(workflow) if step.get("run", "").startswith("make deploy")]
    assert deploy["if"] == "inputs.apply"
    # An input in a script would be a script.
    assert not [step for step in steps(workflow) if "${{" in step.get("run", "")]
