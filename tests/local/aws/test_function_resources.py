import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws
from tests.local.aws.stacks import Stack

CONSUME = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


@pytest.fixture
def function(local_aws: LocalAws) -> Any:
    """function(**properties) -> the resources of a function, its role and log group; `actions` are the role's rights"""
    bucket, archive = f"code-{uuid.uuid4().hex[:8]}", io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("handler.py", "def handler(event, context): return 'ran'")
    local_aws.client("s3").create_bucket(Bucket=bucket)
    local_aws.client("s3").put_object(Bucket=bucket, Key="code.zip", Body=archive.getvalue())

    def resources(actions: Any = (), **properties: Any) -> Any:
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        rights = {"Effect": "Allow", "Action": ["logs:*", *actions], "Resource": "*"}
        return {
            "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30, "KmsKeyId": "arn:key"}},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                    "Policies": [
                        {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [rights]}}
                    ],
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"S3Bucket": bucket, "S3Key": "code.zip"},
                    "Handler": "handler.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Runtime": "python3.13",
                    **properties,
                },
            },
        }

    return resources


def test_a_function_is_configured_as_the_template_says_and_runs(
    local_aws: LocalAws, create_stack: Any, function: Any
) -> None:
    resources = function(
        Architectures=["arm64"],
        Environment={"Variables": {"A": "1"}},
        KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/1",
        LoggingConfig={"LogGroup": {"Ref": "Logs"}},
        MemorySize=512,
        Timeout=30,
        TracingConfig={"Mode": "Active"},
    )
    outputs = create_stack(resources, {"Name": {"Ref": "Function"}, "Logs": {"Ref": "Logs"}})
    client = local_aws.client("lambda")
    configuration = client.get_function_configuration(FunctionName=outputs["Name"])
    assert configuration["Architectures"] == ["arm64"]
    assert configuration["Environment"]["Variables"] == {"A": "1"}
    assert configuration["KMSKeyArn"] == "arn:aws:kms:us-east-1:123456789012:key/1"
    assert (configuration["MemorySize"], configuration["Timeout"]) == (512, 30)
    assert configuration["TracingConfig"] == {"Mode": "Active"}
    assert client.invoke(FunctionName=outputs["Name"])["Payload"].read() == b'"ran"'
    events = local_aws.client("logs").filter_log_events(logGroupName=outputs["Logs"])["events"]
    assert events[0]["message"].startswith("START")


def test_a_layer_is_refused(create_stack: Any, function: Any) -> None:
    layer = "arn:aws:lambda:us-east-1:123456789012:layer:ours:1"
    with pytest.raises(ClientError, match=r"Function \(AWS::Lambda::Function\).*layer:ours:1"):
        create_stack(function(Layers=[layer]))


def test_a_log_group_has_its_key_retention_and_an_arn_that_covers_its_streams(
    local_aws: LocalAws, create_stack: Any, function: Any
) -> None:
    outputs = create_stack(
        {"Logs": function()["Logs"]}, {"Name": {"Ref": "Logs"}, "Arn": {"Fn::GetAtt": ["Logs", "Arn"]}}
    )
    assert outputs["Arn"] == f"arn:aws:logs:us-east-1:123456789012:log-group:{outputs['Name']}:*"
    (group,) = local_aws.client("logs").describe_log_groups(logGroupNamePrefix=outputs["Name"])["logGroups"]
    assert (group["kmsKeyId"], group["retentionInDays"]) == ("arn:key", 30)


def mapping(**properties: Any) -> Any:
    return {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}},
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "BatchSize": 100,
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "FunctionName": {"Ref": "Function"},
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "MaximumBatchingWindowInSeconds": 60,
                "ScalingConfig": {"MaximumConcurrency": 2},
                **properties,
            },
        },
    }


def test_an_event_source_mapping(local_aws: LocalAws, create_stack: Any, function: Any) -> None:
    uuid = create_stack({**function(CONSUME), **mapping()}, {"Id": {"Ref": "Mapping"}})["Id"]
    described = local_aws.client("lambda").get_event_source_mapping(UUID=uuid)
    assert (described["BatchSize"], described["MaximumBatchingWindowInSeconds"]) == (100, 60)
    assert described["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert described["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_a_role_that_may_not_consume_the_queue_gets_no_event_source_mapping(create_stack: Any, function: Any) -> None:
    with pytest.raises(ClientError, match=r"Mapping \(AWS::Lambda::EventSourceMapping\).*DeleteMessage on SQS"):
        create_stack({**function(["sqs:ReceiveMessage", "sqs:GetQueueAttributes"]), **mapping()})


def test_a_role_that_may_not_decrypt_the_queue_gets_no_event_source_mapping(create_stack: Any, function: Any) -> None:
    resources = {**function(CONSUME), **mapping()}
    resources["Queue"]["Properties"]["KmsMasterKeyId"] = "arn:aws:kms:us-east-1:123456789012:key/1"
    with pytest.raises(ClientError, match="may not call kms:Decrypt"):
        create_stack(resources)


def test_a_permission(local_aws: LocalAws, create_stack: Any, function: Any) -> None:
    permission = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Function"},
            "Principal": "events.amazonaws.com",
            "SourceArn": "arn:aws:events:us-east-1:123456789012:rule/r",
        },
    }
    name = create_stack({**function(), "Permission": permission}, {"Name": {"Ref": "Function"}})["Name"]
    assert "events.amazonaws.com" in local_aws.client("lambda").get_policy(FunctionName=name)["Policy"]


def test_an_event_source_mapping_is_changed_in_place(local_aws: LocalAws, stack: Stack, function: Any) -> None:
    stack.create({**function(CONSUME), **mapping()})
    uuid = stack.physical_ids()["Mapping"]
    changed = mapping(MaximumBatchingWindowInSeconds=45, ScalingConfig={"MaximumConcurrency": 3})
    assert stack.update({**function(CONSUME), **changed}) == "UPDATE_COMPLETE"
    assert stack.physical_ids()["Mapping"] == uuid
    described = local_aws.client("lambda").get_event_source_mapping(UUID=uuid)
    assert described["MaximumBatchingWindowInSeconds"] == 45
    assert described["ScalingConfig"] == {"MaximumConcurrency": 3}
    assert (
        stack.update({**function(CONSUME), **mapping(MaximumBatchingWindowInSeconds=0)}) == "UPDATE_ROLLBACK_COMPLETE"
    )
    assert "Maximum batch window in seconds must be greater than 0" in stack.events("Mapping")[0][1]
    described = local_aws.client("lambda").get_event_source_mapping(UUID=uuid)
    assert described["MaximumBatchingWindowInSeconds"] == 45


def test_another_source_replaces_a_permission_whose_statement_goes(
    local_aws: LocalAws, stack: Stack, function: Any
) -> None:
    def permission(rule: str) -> dict[str, Any]:
        properties = {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Function"},
            "Principal": "events.amazonaws.com",
            "SourceArn": f"arn:aws:events:us-east-1:123456789012:rule/{rule}",
        }
        return {"Permission": {"Type": "AWS::Lambda::Permission", "Properties": properties}}

    resources = function()
    stack.create({**resources, **permission("old")})
    stack.update({**resources, **permission("new")})
    policy = local_aws.client("lambda").get_policy(FunctionName=stack.physical_ids()["Function"])["Policy"]
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"].endswith("rule/new")


def test_a_log_group_is_changed_in_place(local_aws: LocalAws, stack: Stack) -> None:
    def group(**properties: Any) -> dict[str, Any]:
        return {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": stack.name, **properties}}}

    def described() -> Any:
        return local_aws.client("logs").describe_log_groups(logGroupNamePrefix=stack.name)["logGroups"][0]

    stack.create(group(RetentionInDays=30))
    local_aws.client("logs").create_log_stream(logGroupName=stack.name, logStreamName="kept")
    stack.update(group(RetentionInDays=60, KmsKeyId="arn:key"))
    assert (described()["retentionInDays"], described()["kmsKeyId"]) == (60, "arn:key")
    stack.update(group())
    assert "retentionInDays" not in described()
    assert local_aws.client("logs").describe_log_streams(logGroupName=stack.name)["logStreams"]


def archive(source: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        package.writestr("handler.py", source)
    return written.getvalue()


def test_the_next_invocation_runs_the_new_code_with_the_new_settings(
    local_aws: LocalAws, stack: Stack, make_role: Any
) -> None:
    s3, functions = local_aws.client("s3"), local_aws.client("lambda")
    s3.create_bucket(Bucket=stack.name)
    source = "import os\ndef handler(event, context): return '{} ' + os.environ['NAME']"
    for version in ("old", "new"):
        s3.put_object(Bucket=stack.name, Key=version, Body=archive(source.format(version)))
    role = make_role({"Effect": "Allow", "Action": "logs:*", "Resource": "*"}).arn

    def function(version: str) -> dict[str, Any]:
        properties = {
            "Code": {"S3Bucket": stack.name, "S3Key": version},
            "Environment": {"Variables": {"NAME": version}},
            "Handler": "handler.handler",
            "Role": role,
            "Runtime": "python3.13",
            "Timeout": 30,
        }
        return {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}}

    def invoke() -> Any:
        return json.loads(functions.invoke(FunctionName=stack.physical_ids()["Function"])["Payload"].read())

    stack.create(function("old"))
    name = stack.physical_ids()
    assert invoke() == "old old"
    assert stack.update(function("new")) == "UPDATE_COMPLETE"
    assert invoke() == "new new" and stack.physical_ids() == name
