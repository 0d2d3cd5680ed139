"""The pipeline's state machine, from its definition in statemachine/pipeline.asl.yaml."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import arns, service_permissions
from infra.definition import FILE
from infra.environment import Environment
from infra.functions import pascal_case
from infra.state_machine import state_machine
from infra.storage import Storage


class Workflow(Construct):
    """The pipeline's state machine, and the right of log delivery to write the logs of both state machines."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        storage: Storage,
        steps: Mapping[str, lambda_.IFunction],
        tracing: iam.IManagedPolicy,
    ) -> None:
        """`steps` are the functions that the state machine calls, by name."""
        super().__init__(scope, construct_id)
        step_arns = {f"{pascal_case(step)}Arn": function.function_arn for step, function in steps.items()}
        self.state_machine = state_machine(
            self,
            arns.PIPELINE,
            file=FILE,
            substitutions=step_arns,
            statements=service_permissions.state_machine(
                prefix=environment.prefix, storage=storage, function_arns=list(step_arns.values())
            ),
            environment=environment,
            storage=storage,
            tracing=tracing,
        )
        storage.operations.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="StepFunctionsLogs",
                principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={"StringEquals": {"kms:EncryptionContext:SourceArn": arns.all_logs()}},
            )
        )
