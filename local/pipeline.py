"""The whole application on the local AWS: server, the model owner's side, the synthesized stack."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from infra.cdk_json import read_context
from infra.environment import Environment
from local.aws.open_points import DEFAULT, OpenPoints
from local.deployment import deploy, synthesize
from local.server import LocalAws
from local.services.cleanroomsml.seeding import provide_audience_model
from samples.make_interactions import write_interactions

ENVIRONMENT = "local"
STACK_NAME = f"clinical-media-{ENVIRONMENT}"
PROJECT = Path(__file__).resolve().parent.parent


class Pipeline(NamedTuple):
    """The deployed stack's outputs, on a running local AWS, which the caller has to stop."""

    aws: LocalAws
    media_bucket: str
    clinical_bucket: str
    audience_bucket: str
    state_machine_arn: str
    backfill_arn: str
    search_arn: str
    analysis_arn: str


def start_pipeline(
    assembly: Path | None = None,
    port: int = 0,
    time_scale: float = 0.1,
    longest_wait: float = 1.0,
    open_points: OpenPoints = DEFAULT,
) -> Pipeline:
    """Start the local AWS and deploy the stack of the `local` environment as it is synthesized now, or from `assembly`.

    `time_scale`, `longest_wait` and `open_points` are those of `LocalAws.start`.

    Raises:
        local.deployment.DeploymentError: with the reason, in one sentence.
    """
    assembly = assembly or synthesize(ENVIRONMENT, PROJECT / "cdk.out" / ENVIRONMENT)
    aws = LocalAws.start(port=port, time_scale=time_scale, longest_wait=longest_wait, open_points=open_points)
    try:
        with tempfile.TemporaryDirectory() as folder:
            interactions = Path(folder) / "interactions.csv"
            write_interactions(interactions)
            provide_audience_model(aws, configured_audience_model_arn(), interactions)
        return deploy_pipeline(aws, assembly)
    except BaseException:
        aws.stop()
        raise


def deploy_pipeline(aws: LocalAws, assembly: Path) -> Pipeline:
    """Deploy the stack of the `local` environment from `assembly` on a local AWS that has its audience model already.

    Raises:
        local.deployment.DeploymentError: with the reason, in one sentence.
    """
    outputs = deploy(aws, assembly, STACK_NAME)
    return Pipeline(
        aws,
        outputs["MediaBucketName"],
        outputs["ClinicalBucketName"],
        outputs["AudienceBucketName"],
        outputs["StateMachineArn"],
        outputs["BackfillStateMachineArn"],
        outputs["SearchStateMachineArn"],
        outputs["AnalysisStateMachineArn"],
    )


def configured_audience_model_arn() -> str:
    arn = Environment.from_context(ENVIRONMENT, read_context()).configured_audience_model_arn
    assert arn, "the local AWS makes the model that the environment names"
    return arn
