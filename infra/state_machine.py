"""A state machine from its definition in statemachine/, with its role, log and encryption."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import arns
from infra.definition import read_definition
from infra.environment import Environment
from infra.log_groups import log_group
from infra.roles import exact_role
from infra.settings import ConfigurationError
from infra.statements import Statements
from infra.storage import Storage, removal_policy


def state_machine(
    scope: Construct,
    machine: str,
    *,
    file: Path,
    substitutions: Mapping[str, str],
    statements: Statements,
    environment: Environment,
    storage: Storage,
    tracing: iam.IManagedPolicy,
) -> sfn.StateMachine:
    """The state machine `machine`, one of those in `arns`, of the environment; `statements` are its role's.

    Raises:
        ConfigurationError: the substitutions aren't those of the definition.
    """
    key, name = storage.operations.key, arns.state_machine_name(environment.prefix, machine)
    definition = json.dumps(read_definition(file), indent=2)
    check_substitutions(definition, substitutions, file)
    role = exact_role(
        scope,
        principal=iam.ServicePrincipal(
            "states.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                # AWS doesn't document which of the two ARNs a child of the Map sends.
                "ArnLike": {"aws:SourceArn": arns.state_machine_and_maps(environment.prefix, machine)},
            },
        ),
        description=f"{environment.prefix}: the state machine {machine}",
        statements=statements,
        shared=[tracing],
    )
    made = sfn.StateMachine(
        scope,
        "StateMachine",
        state_machine_name=name,
        # Given as text: a file would become an asset, and no check of the template would see the definition.
        definition_body=sfn.DefinitionBody.from_string(definition),
        definition_substitutions=dict(substitutions),
        role=role.without_policy_updates(),
        # Log groups below /aws/vendedlogs/ don't fill the account's size-limited log resource policy.
        logs=sfn.LogOptions(
            destination=log_group(scope, name=f"/aws/vendedlogs/states/{name}", environment=environment, key=key),
            level=sfn.LogLevel.ALL,
            include_execution_data=False,
        ),
        tracing_enabled=True,
        removal_policy=removal_policy(environment),
    )
    _encrypt(made, key.key_arn)
    return made


def _encrypt(machine: sfn.StateMachine, key_arn: str) -> None:
    # The library's EncryptionConfiguration would let log delivery decrypt all data under the key.
    resource = machine.node.default_child
    assert isinstance(resource, sfn.CfnStateMachine)
    resource.encryption_configuration = sfn.CfnStateMachine.EncryptionConfigurationProperty(
        type="CUSTOMER_MANAGED_KMS_KEY", kms_key_id=key_arn, kms_data_key_reuse_period_seconds=900
    )


def check_substitutions(definition: str, given: Mapping[str, str] | Sequence[str], file: Path) -> None:
    """Compare the definition's `${...}` with the given substitutions; a missing one would be deployed literally.

    Raises:
        ConfigurationError: a substitution is missing or superfluous.
    """
    wanted = set(re.findall(r"\$\{([^}]*)\}", definition))
    for verb, names in (("needs", wanted - set(given)), ("does not use", set(given) - wanted)):
        if names:
            raise ConfigurationError(
                f"statemachine/{file.name} {verb} {', '.join(sorted(names))}; its substitutions must be exactly those "
                "that its construct gives: for the pipeline, one <Function>Arn for each function that is a step."
            )
