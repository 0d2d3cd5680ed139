"""The backfill's state machine, from its definition in statemachine/backfill.asl.yaml."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import arns, service_permissions
from infra.definition import BACKFILL
from infra.environment import Environment
from infra.state_machine import state_machine
from infra.storage import Storage


class Backfill(Construct):
    """The state machine that starts the pipeline for what is already in the media bucket, batch by batch."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        storage: Storage,
        pipeline_arn: str,
        tracing: iam.IManagedPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.state_machine = state_machine(
            self,
            arns.BACKFILL,
            file=BACKFILL,
            substitutions={"PipelineArn": pipeline_arn},
            statements=service_permissions.backfill(prefix=environment.prefix, storage=storage),
            environment=environment,
            storage=storage,
            tracing=tracing,
        )
