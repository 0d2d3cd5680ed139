"""Amazon Resource Names built from the names that this application chooses.

Role, log group, rule and state machine refer to the key that they use. If the key's policy referred to them,
CloudFormation would reject the circular dependency; an ARN built from names is plain text.
"""

from aws_cdk import Aws

_HERE = f"{Aws.REGION}:{Aws.ACCOUNT_ID}"


# The state machines.
PIPELINE, BACKFILL, SEARCH, ANALYSIS = "pipeline", "backfill", "search", "analysis"


def state_machine(prefix: str, machine: str = PIPELINE) -> str:
    return f"arn:{Aws.PARTITION}:states:{_HERE}:stateMachine:{state_machine_name(prefix, machine)}"


def state_machine_and_maps(prefix: str, machine: str = PIPELINE) -> list[str]:
    """Patterns for the state machine and for its Distributed Maps.

    An execution belongs to `stateMachine:NAME`, the children of a Distributed Map to `stateMachine:NAME/LABEL` (API
    reference of DescribeStateMachine and StartExecution). AWS doesn't document with which of the two a child assumes
    the role or uses the key.
    """
    arn = state_machine(prefix, machine)
    return [arn, f"{arn}/*"]


def state_machine_name(prefix: str, machine: str = PIPELINE) -> str:
    return f"{prefix}-{machine}"


def executions(prefix: str, machine: str = PIPELINE) -> list[str]:
    """Executions of the state machine, and of the Map Runs inside them."""
    execution = f"arn:{Aws.PARTITION}:states:{_HERE}:execution:{state_machine_name(prefix, machine)}"
    return [f"{execution}:*", f"{execution}/*"]


def map_runs(prefix: str) -> str:
    return f"arn:{Aws.PARTITION}:states:{_HERE}:mapRun:{state_machine_name(prefix)}/*"


def nested_executions_rule() -> str:
    """The rule that Step Functions makes to learn of the end of executions that a Task has started.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
    """
    return f"arn:{Aws.PARTITION}:events:{_HERE}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"


def recordings_rule(prefix: str) -> str:
    return f"arn:{Aws.PARTITION}:events:{_HERE}:rule/{recordings_rule_name(prefix)}"


def recordings_rule_name(prefix: str) -> str:
    return f"{prefix}-recordings"


def job_sharing_rule_name(prefix: str) -> str:
    return f"{prefix}-job-sharing"


def compaction_rule(prefix: str) -> str:
    return f"arn:{Aws.PARTITION}:events:{_HERE}:rule/{compaction_rule_name(prefix)}"


def compaction_rule_name(prefix: str) -> str:
    return f"{prefix}-compaction"


def alarms(prefix: str) -> str:
    return f"arn:{Aws.PARTITION}:cloudwatch:{_HERE}:alarm:{prefix}-*"


def log_groups(prefix: str) -> list[str]:
    groups = (f"/aws/lambda/{prefix}-*", f"/aws/vendedlogs/states/{prefix}-*")
    return [f"arn:{Aws.PARTITION}:logs:{_HERE}:log-group:{group}" for group in groups]


def all_logs() -> str:
    return f"arn:{Aws.PARTITION}:logs:{_HERE}:*"


def transcription_jobs() -> str:
    return f"arn:{Aws.PARTITION}:transcribe:{_HERE}:medical-transcription-job/*"


def entity_detection_jobs() -> str:
    return f"arn:{Aws.PARTITION}:comprehendmedical:{_HERE}:*"


def audience_generation_jobs() -> str:
    return f"arn:{Aws.PARTITION}:cleanrooms-ml:{_HERE}:audience-generation-job/*"


def audience_generation_jobs_of_owner(configured_audience_model_arn: str) -> str:
    """The jobs' second ARNs, in the account of the model's owner, with the model's partition, Region and account.

    https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-behaviors.html (Cross-account jobs)
    """
    return f"{configured_audience_model_arn.partition(':configured-audience-model/')[0]}:audience-generation-job/*"


def memberships() -> str:
    return f"arn:{Aws.PARTITION}:cleanrooms:{_HERE}:membership/*"
