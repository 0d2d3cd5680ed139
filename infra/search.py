"""The search's state machine, from its definition in statemachine/search.asl.yaml."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import arns, service_permissions
from infra.definition import SEARCH
from infra.environment import Environment
from infra.functions import pascal_case
from infra.state_machine import state_machine
from infra.storage import Storage


class Search(Construct):
    """The state machine that searches everything that is stored for the traces of patients.

    It is started by an operator with their own rights (`operations forget`); no other role may start it.
    """

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
            arns.SEARCH,
            file=SEARCH,
            substitutions=step_arns,
            statements=service_permissions.search(
                prefix=environment.prefix, storage=storage, function_arns=list(step_arns.values())
            ),
            environment=environment,
            storage=storage,
            tracing=tracing,
        )
