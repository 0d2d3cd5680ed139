"""The state machine, from its definition in statemachine/pipeline.asl.yaml."""

import json
import re
from collections.abc import Mapping, Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import arns, service_permissions
from infra.definition import FILE, read_definition
from infra.environment import Environment
from infra.functions import NO_STEPS, pascal_case
from infra.log_groups import log_group
from infra.roles import exact_role
from infra.settings import ConfigurationError
from infra.storage import Storage, removal_policy


class Workflow(Construct):
    """The state machine with its role, log and encryption."""

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
        key, name = storage.operations.key, arns.state_machine_name(environment.prefix)
        definition = json.dumps(read_definition(), indent=2)
        step_arns = {f"{pascal_case(step)}Arn": function.function_arn for step, function in steps.items()}
        check_substitutions(definition, step_arns)
        role = exact_role(
            self,
            principal=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    # AWS doesn't document which of the two ARNs a child of the Map sends.
                    "ArnLike": {"aws:SourceArn": arns.state_machine_and_maps(environment.prefix)},
                },
            ),
            description=f"{environment.prefix}: the state machine",
            statements=service_permissions.state_machine(
                prefix=environment.prefix, storage=storage, function_arns=list(step_arns.values())
            ),
            shared=[tracing],
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            # Given as text: a file would become an asset, and no check of the template would see the definition.
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions=step_arns,
            role=role.without_policy_updates(),
            # Log groups below /aws/vendedlogs/ don't fill the account's size-limited log resource policy.
            logs=sfn.LogOptions(
                destination=log_group(self, name=f"/aws/vendedlogs/states/{name}", environment=environment, key=key),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
            tracing_enabled=True,
            removal_policy=removal_policy(environment),
        )
        self._encrypt(key.key_arn)
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="StepFunctionsLogs",
                principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={"StringEquals": {"kms:EncryptionContext:SourceArn": arns.all_logs()}},
            )
        )

    def _encrypt(self, key_arn: str) -> None:
        # The library's EncryptionConfiguration would let log delivery decrypt all data under the key.
        machine = self.state_machine.node.default_child
        assert isinstance(machine, sfn.CfnStateMachine)
        machine.encryption_configuration = sfn.CfnStateMachine.EncryptionConfigurationProperty(
            type="CUSTOMER_MANAGED_KMS_KEY", kms_key_id=key_arn, kms_data_key_reuse_period_seconds=900
        )


def check_substitutions(definition: str, given: Mapping[str, str] | Sequence[str]) -> None:
    """Compare the definition's `${...}` with the given substitutions; a missing one would be deployed literally.

    Raises:
        ConfigurationError: a substitution is missing or superfluous.
    """
    wanted = set(re.findall(r"\$\{([^}]*)\}", definition))
    for verb, names in (("needs", wanted - set(given)), ("does not use", set(given) - wanted)):
        if names:
            raise ConfigurationError(
                f"statemachine/{FILE.name} {verb} {', '.join(sorted(names))}; its substitutions must be "
                f"exactly one <Function>Arn for each function of infra/functions.py but {' and '.join(NO_STEPS)}."
            )
