"""CloudFormation's functions, log groups, permissions and event source mappings.

moto's CloudFormation drops a function's architecture, tracing, logging and key, and a log group's key.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import EventSourceMapping, LambdaFunction, Permission, lambda_backends
from moto.logs.models import LogGroup
from moto.sqs.models import sqs_backends

from local.aws.credentials import ACCOUNT_ID
from local.aws.event_source_mapping import problem_of
from local.aws.iam import role_allows
from local.aws.resource_types import Properties, ResourceType, operator_client, put_tags

_moto_log_group_attribute = LogGroup.get_cfn_attribute


def complete_function(function: LambdaFunction, properties: Properties) -> None:
    """Apply the properties that moto dropped. Raises ValueError for layers, whose code would be missing."""
    if layers := properties.get("Layers"):
        raise ValueError(f"Layers: {', '.join(layers)}; the local AWS does not unpack layers")
    function.timeout = int(function.timeout)
    function.memory_size = int(function.memory_size)
    function.architectures = properties.get("Architectures", ["x86_64"])
    function.tracing_config = properties.get("TracingConfig", {"Mode": "PassThrough"})
    function.kms_key_arn = properties.get("KmsKeyArn")
    if group := properties.get("LoggingConfig", {}).get("LogGroup"):
        function.logs_group_name = group


def update_function(function: LambdaFunction, properties: Properties, previous: Properties) -> None:
    """Change the code and the settings: the next invocation uses them. Raises ValueError for inline code."""
    if properties["Code"] != previous["Code"]:
        if "ZipFile" in properties["Code"]:
            raise ValueError("Code: the local AWS can't change inline code (ZipFile); put the code into S3")
        function.update_function_code(dict(properties["Code"]))
    settings = {name: properties.get(name, initial) for name, initial in _FUNCTION_SETTINGS.items()}
    function.update_configuration({**settings, "Environment": {"Variables": {}, **settings["Environment"]}})
    function.logs_group_name = f"/aws/lambda/{function.function_name}"
    function.tags = {item["Key"]: item["Value"] for item in properties.get("Tags", [])}
    complete_function(function, properties)


# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
_FUNCTION_SETTINGS: Mapping[str, Any] = {
    "Description": "",
    "Environment": {},
    "Handler": None,
    "Layers": [],
    "MemorySize": 128,
    "Role": None,
    "Runtime": None,
    "Timeout": 3,
}


def complete_log_group(group: LogGroup, properties: Properties) -> None:
    """Apply the key that moto dropped."""
    group.kms_key_id = properties.get("KmsKeyId")


def update_log_group(group: LogGroup, properties: Properties, previous: Properties) -> None:
    group.set_retention_policy(properties.get("RetentionInDays"))
    complete_log_group(group, properties)
    logs = operator_client("logs")
    put_tags(
        properties,
        previous,
        lambda tags: logs.tag_resource(resourceArn=group.arn, tags={item["Key"]: item["Value"] for item in tags}),
        lambda keys: logs.untag_resource(resourceArn=group.arn, tagKeys=keys),
    )


def log_group_attribute(group: LogGroup, attribute_name: str) -> str:
    """LogGroup.get_cfn_attribute: on AWS the ARN of Fn::GetAtt covers the group's streams, so it ends in `:*`.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
    """
    value = _moto_log_group_attribute(group, attribute_name)
    return f"{value}:*" if attribute_name == "Arn" else value


def install() -> None:
    """Correct what moto's log groups answer to Fn::GetAtt; repeating it changes nothing."""
    LogGroup.get_cfn_attribute = log_group_attribute  # type: ignore[method-assign, assignment]


def complete_event_source_mapping(mapping: EventSourceMapping, properties: Properties) -> None:
    """Check that the function's role may decrypt the queue's messages. Raises ValueError if it may not.

    AWS would create the mapping and then deliver nothing:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    function = lambda_backends[ACCOUNT_ID][mapping.region].get_function(mapping.function_arn)
    queue = sqs_backends[ACCOUNT_ID][mapping.region].get_queue(mapping.event_source_arn.split(":")[-1])
    key = queue.kms_master_key_id  # type: ignore[attr-defined]
    if key and not role_allows(function.role, "kms:Decrypt", key):
        raise ValueError(f"The function's execution role may not call kms:Decrypt on the queue's key {key}")


def update_event_source_mapping(mapping: EventSourceMapping, properties: Properties, previous: Properties) -> None:
    """Change the settings that the poller reads before each batch. Raises ValueError if Lambda would refuse them."""
    complete_event_source_mapping(mapping, properties)
    settings = {name: properties.get(name, initial) for name, initial in _MAPPING_SETTINGS.items()}
    backend = lambda_backends[ACCOUNT_ID][mapping.region]
    backend.update_event_source_mapping(mapping.uuid, {**settings, "FunctionName": properties["FunctionName"]})
    if problem := problem_of(mapping):
        raise ValueError(problem)


# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
_MAPPING_SETTINGS: Mapping[str, Any] = {
    "BatchSize": 10,
    "Enabled": True,
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}


def complete_permission(permission: Permission, properties: Properties) -> None:
    """Remember the statement that moto has added to the function's policy last."""
    function = lambda_backends[ACCOUNT_ID][permission.region].get_function(properties["FunctionName"])
    permission.physical_resource_id = function.policy.statements[-1]["Sid"]  # type: ignore[attr-defined]


def delete_permission(permission: Permission) -> None:
    """Remove the statement, which moto leaves; a function that is gone has none."""
    name = permission.deployed_properties["FunctionName"]  # type: ignore[attr-defined]
    with suppress(UnknownFunctionException):
        policy = lambda_backends[ACCOUNT_ID][permission.region].get_function(name).policy
        policy.del_statement(permission.physical_resource_id)  # type: ignore[attr-defined]


TYPES = {
    "AWS::Lambda::Function": ResourceType(
        frozenset(
            {
                "Architectures",
                "Code",
                "Description",
                "Environment",
                "FunctionName",
                "Handler",
                "KmsKeyArn",
                "Layers",
                "LoggingConfig",
                "MemorySize",
                "Role",
                "Runtime",
                "Tags",
                "Timeout",
                "TracingConfig",
            }
        ),
        ignored={
            "EphemeralStorage": "/tmp is that of this machine, without a limit",
            "ReservedConcurrentExecutions": "The runtime runs fewer invocations at once than any reservation leaves",
        },
        complete=complete_function,
        replaced_by=frozenset({"FunctionName"}),
        update=update_function,
    ),
    "AWS::Lambda::EventSourceMapping": ResourceType(
        frozenset(
            {
                "BatchSize",
                "Enabled",
                "EventSourceArn",
                "FunctionName",
                "FunctionResponseTypes",
                "MaximumBatchingWindowInSeconds",
                "ScalingConfig",
            }
        ),
        complete=complete_event_source_mapping,
        replaced_by=frozenset({"EventSourceArn"}),
        update=update_event_source_mapping,
    ),
    "AWS::Lambda::Permission": ResourceType(
        frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"}),
        complete=complete_permission,
        replaced_by=frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"}),
        delete=delete_permission,
    ),
    "AWS::Logs::LogGroup": ResourceType(
        frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"}),
        complete=complete_log_group,
        replaced_by=frozenset({"LogGroupName"}),
        update=update_log_group,
    ),
}
