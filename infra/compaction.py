"""The state machine that compacts records into the analysis tables, and its schedule."""

import json
from collections.abc import Mapping

from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import arns, service_permissions
from infra.definition import ANALYSIS
from infra.environment import Environment
from infra.functions import pascal_case
from infra.roles import exact_role
from infra.state_machine import state_machine
from infra.storage import Storage
from lambdas.shared import layout


class Compaction(Construct):
    """The state machine, and the rule that starts it if the environment has a schedule."""

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
            arns.ANALYSIS,
            file=ANALYSIS,
            substitutions={
                **step_arns,
                "ClinicalBucket": storage.clinical.bucket.bucket_name,
                "RecordsPrefix": layout.RECORDS,
            },
            statements=service_permissions.analysis(
                prefix=environment.prefix, storage=storage, function_arns=list(step_arns.values())
            ),
            environment=environment,
            storage=storage,
            tracing=tracing,
        )
        if environment.analysis.compaction_schedule:
            self._start_by(environment.analysis.compaction_schedule, environment)

    def _start_by(self, schedule: str, environment: Environment) -> None:
        """A start that is missed needs no repetition: the next one does the same work.

        The role's conditions: https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
        """
        prefix, parts = environment.prefix, Construct(self, "Schedule")
        role = exact_role(
            parts,
            principal=iam.ServicePrincipal(
                "events.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnEquals": {"aws:SourceArn": arns.compaction_rule(prefix)},
                },
            ),
            description=f"{prefix}: starting the compaction",
            statements=service_permissions.compaction_schedule(prefix=prefix),
        )
        events.CfnRule(
            parts,
            "Rule",
            name=arns.compaction_rule_name(prefix),
            description=f"{prefix}: put new records into the analysis tables",
            state="ENABLED",
            schedule_expression=schedule,
            targets=[
                events.CfnRule.TargetProperty(
                    id="StateMachine",
                    arn=self.state_machine.state_machine_arn,
                    role_arn=role.role_arn,
                    input=json.dumps({"rebuild": False}),
                )
            ],
        )
