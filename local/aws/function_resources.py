"""CloudFormation's functions, log groups, permissions and event source mappings.

moto's CloudFormation drops a function's architecture, tracing, logging and key, and a log group's key.
"""

from moto.awslambda.models import EventSourceMapping, LambdaFunction, lambda_backends
from moto.logs.models import LogGroup
from moto.sqs.models import sqs_backends

from local.aws.credentials import ACCOUNT_ID
from local.aws.iam import role_allows
from local.aws.resource_types import Properties, ResourceType

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


def complete_log_group(group: LogGroup, properties: Properties) -> None:
    """Apply the key that moto dropped."""
    group.kms_key_id = properties.get("KmsKeyId")


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
    ),
    "AWS::Lambda::Permission": ResourceType(
        frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"}),
    ),
    "AWS::Logs::LogGroup": ResourceType(
        frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"}), complete=complete_log_group
    ),
}
