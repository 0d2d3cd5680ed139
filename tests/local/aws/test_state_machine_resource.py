import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.cloudformation.exceptions import ValidationError

from local.aws.state_machine_resource import definition
from tests.local.aws.in_process import ACCOUNT, InProcessAws

Deploy = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def aws(aws: InProcessAws) -> InProcessAws:
    aws.client("s3").create_bucket(Bucket="assets")
    return aws


@pytest.fixture
def deploy(aws: InProcessAws, request: pytest.FixtureRequest) -> Deploy:
    """Creates or updates the test's stack of one state machine; returns the stack's outputs."""
    cloudformation = aws.client("cloudformation")
    stack = {"StackName": request.node.name.replace("_", "-")}

    def deploy(update: bool = False, **properties: Any) -> dict[str, str]:
        properties = {"RoleArn": aws.role("state-machine", "states.amazonaws.com"), **properties}
        machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
        outputs = {"Ref": {"Ref": "M"}, "Arn": {"Fn::GetAtt": ["M", "Arn"]}, "Name": {"Fn::GetAtt": ["M", "Name"]}}
        template = {"Resources": {"M": machine}, "Outputs": {name: {"Value": v} for name, v in outputs.items()}}
        (cloudformation.update_stack if update else cloudformation.create_stack)(
            **stack, TemplateBody=json.dumps(template)
        )
        [described] = cloudformation.describe_stacks(**stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    return deploy


def result(value: Any) -> dict[str, Any]:
    return {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "Result": value, "End": True}}}


def test_a_deployed_state_machine_runs(aws: InProcessAws, deploy: Deploy) -> None:
    outputs = deploy(StateMachineName="deployed", DefinitionString=json.dumps(result("ran")))
    assert outputs == {
        "Ref": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:deployed",
        "Arn": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:deployed",
        "Name": "deployed",
    }
    assert aws.run(outputs["Arn"])["output"] == '"ran"'


def test_a_definition_comes_from_s3_with_its_substitutions(aws: InProcessAws, deploy: Deploy) -> None:
    body = json.dumps(result(["${First}", "${Second}", "${First}"]))
    aws.client("s3").put_object(Bucket="assets", Key="machine.json", Body=body)
    outputs = deploy(
        StateMachineName="from-s3",
        DefinitionS3Location={"Bucket": "assets", "Key": "machine.json"},
        DefinitionSubstitutions={"First": "1st", "Second": "2nd"},
    )
    assert json.loads(aws.run(outputs["Arn"])["output"]) == ["1st", "2nd", "1st"]


def test_everything_else_is_described_as_the_template_says(aws: InProcessAws, deploy: Deploy) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    outputs = deploy(
        StateMachineName="everything",
        DefinitionString=json.dumps(result(1)),
        StateMachineType="STANDARD",
        LoggingConfiguration={
            "Level": "ALL",
            "IncludeExecutionData": False,
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:aws:logs:us-east-1:123456789012:g:*"}}],
        },
        TracingConfiguration={"Enabled": True},
        EncryptionConfiguration={
            "Type": "CUSTOMER_MANAGED_KMS_KEY",
            "KmsKeyId": key,
            "KmsDataKeyReusePeriodSeconds": 300,
        },
        Tags=[{"Key": "application", "Value": "clinical-media"}],
    )
    sfn = aws.client("stepfunctions")
    described = sfn.describe_state_machine(stateMachineArn=outputs["Arn"])
    assert described["type"] == "STANDARD"
    assert described["roleArn"] == aws.role("state-machine")
    assert described["loggingConfiguration"] == {
        "level": "ALL",
        "includeExecutionData": False,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:g:*"}}],
    }
    assert described["tracingConfiguration"] == {"enabled": True}
    assert described["encryptionConfiguration"] == {
        "type": "CUSTOMER_MANAGED_KMS_KEY",
        "kmsKeyId": key,
        "kmsDataKeyReusePeriodSeconds": 300,
    }
    tags = sfn.list_tags_for_resource(resourceArn=outputs["Arn"])["tags"]
    assert {"key": "application", "value": "clinical-media"} in tags


def test_an_update_changes_the_machine_in_place(aws: InProcessAws, deploy: Deploy) -> None:
    first = deploy(StateMachineName="updated", DefinitionString=json.dumps(result(1)))
    deploy(
        update=True,
        StateMachineName="updated",
        DefinitionString=json.dumps(result("${N}")),
        DefinitionSubstitutions={"N": "2"},
        TracingConfiguration={"Enabled": True},
    )
    assert aws.run(first["Arn"])["output"] == '"2"'
    described = aws.client("stepfunctions").describe_state_machine(stateMachineArn=first["Arn"])
    assert described["tracingConfiguration"] == {"enabled": True}


def test_a_new_name_replaces_the_machine(aws: InProcessAws, deploy: Deploy) -> None:
    deploy(StateMachineName="old-name", DefinitionString=json.dumps(result(1)))
    deploy(update=True, StateMachineName="new-name", DefinitionString=json.dumps(result(2)))
    machines = aws.client("stepfunctions").list_state_machines()["stateMachines"]
    assert [m["name"] for m in machines if m["name"].endswith("-name")] == ["new-name"]


def test_a_deleted_stack_leaves_no_machine(aws: InProcessAws, deploy: Deploy, request: pytest.FixtureRequest) -> None:
    deploy(StateMachineName="deleted", DefinitionString=json.dumps(result(1)))
    aws.client("cloudformation").delete_stack(StackName=request.node.name.replace("_", "-"))
    machines = aws.client("stepfunctions").list_state_machines()["stateMachines"]
    assert "deleted" not in [machine["name"] for machine in machines]


def test_substitutions_that_are_not_text_are_written_as_json() -> None:
    properties = {
        "DefinitionString": '{"n": ${Number}, "b": ${Flag}, "s": "${Text}"}',
        "DefinitionSubstitutions": {"Number": 3, "Flag": True, "Text": "a"},
    }
    assert json.loads(definition("M", properties, ACCOUNT)) == {"n": 3, "b": True, "s": "a"}


def test_a_definition_may_be_an_object() -> None:
    assert json.loads(definition("M", {"Definition": result(1)}, ACCOUNT)) == result(1)


def test_a_reference_without_a_substitution_is_refused_by_name() -> None:
    properties = {"DefinitionString": '"${PlanBatchArn} ${IngestArn}"', "DefinitionSubstitutions": {"IngestArn": "a"}}
    with pytest.raises(ValidationError, match="The definition of M refers to PlanBatchArn, which"):
        definition("M", properties, ACCOUNT)


@pytest.mark.parametrize(
    ("properties", "given"),
    [({}, "none"), ({"DefinitionString": "{}", "Definition": {}}, "DefinitionString and Definition")],
)
def test_exactly_one_definition_is_needed(properties: dict[str, Any], given: str) -> None:
    with pytest.raises(ValidationError, match=f"must have one of .* not {given}"):
        definition("M", properties, ACCOUNT)


def test_a_definition_that_is_not_in_s3_is_refused_by_its_uri(aws: InProcessAws) -> None:
    location = {"DefinitionS3Location": {"Bucket": "assets", "Key": "missing.json"}}
    with pytest.raises(ValidationError, match=r"s3://assets/missing\.json"):
        definition("M", location, ACCOUNT)
