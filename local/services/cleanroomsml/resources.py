"""Clean Rooms ML's resources: data sets, models and jobs, with their descriptions.

A description has the members of botocore's output shapes for both Get and List; a member that is None is not sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.engines.lookalike import Audience, LookalikeModel

PENDING = "CREATE_PENDING"
IN_PROGRESS = "CREATE_IN_PROGRESS"
FAILED = "CREATE_FAILED"
ACTIVE = "ACTIVE"


def _account_part(arn: str) -> str:
    """The ARN up to its account."""
    return ":".join(arn.split(":")[:5])


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class State:
    """Replaced as a whole, so that a reader in another thread never sees a status with another one's details."""

    status: str
    details: Mapping[str, str] | None = None
    since: datetime = field(default_factory=_now)


@dataclass
class Resource:
    """A data set, model or job, made by `request`. `id` is the last part of `arn`."""

    arn: str
    request: Mapping[str, Any]
    state: State
    create_time: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.create_time = self.state.since

    @property
    def id(self) -> str:
        """What follows the resource type in the ARN."""
        return self.arn.partition("/")[2]

    @property
    def name(self) -> str:
        """The name that its creator gave it."""
        return str(self.request["name"])

    @property
    def in_progress(self) -> bool:
        """Whether its work has not ended."""
        return self.state.status in (PENDING, IN_PROGRESS)

    def describe(self) -> dict[str, Any]:
        """The members of the request, and the state."""
        state = self.state
        return {
            **self.request,
            "createTime": self.create_time,
            "updateTime": state.since,
            "status": state.status,
            "statusDetails": state.details,
        }


@dataclass
class TrainingDataset(Resource):
    """Which Glue table has training data, what its columns are, and the role that may read it."""

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"trainingDatasetArn": self.arn}

    @property
    def glue_table(self) -> tuple[str, str]:
        """Database and table."""
        source = self.request["trainingData"][0]["inputConfig"]["dataSource"]["glueDataSource"]
        return source["databaseName"], source["tableName"]

    def column(self, column_type: str) -> str:
        """The name of the column of that type."""
        schema = self.request["trainingData"][0]["inputConfig"]["schema"]
        return str(next(column["columnName"] for column in schema if column_type in column["columnTypes"]))


@dataclass
class AudienceModel(Resource):
    """A lookalike model; `trained` once it is ACTIVE."""

    dataset: TrainingDataset
    trained: LookalikeModel | None = None

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"audienceModelArn": self.arn}


@dataclass
class ConfiguredAudienceModel(Resource):
    """How an audience model may be used: least seed, audience sizes, where audiences go, if metrics are shared."""

    audience_model: AudienceModel

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"configuredAudienceModelArn": self.arn}

    @property
    def audience_sizes(self) -> list[dict[str, Any]]:
        """Every audience size that can be asked for, as an `AudienceSize`."""
        config = self.request["audienceSizeConfig"]
        return [{"type": config["audienceSizeType"], "value": value} for value in config["audienceSizeBins"]]

    @property
    def shares_metrics(self) -> bool:
        """Whether those who generate audiences may see how good they are."""
        return bool(self.request["sharedAudienceMetrics"] == ["ALL"])


@dataclass
class GenerationJob(Resource):
    """The generation of one audience; `audience` and `metrics` exist once it is ACTIVE."""

    configured_model: ConfiguredAudienceModel
    started_by: str
    tags: Mapping[str, str]
    audience: Audience | None = None
    metrics: Mapping[str, Any] | None = None

    def describe(self) -> dict[str, Any]:
        return super().describe() | {
            "audienceGenerationJobArn": self.arn,
            "startedBy": self.started_by,
            "tags": self.tags,
            "metrics": self.metrics if self.state.status == ACTIVE and self.configured_model.shares_metrics else None,
        }


@dataclass(frozen=True)
class SharedJob:
    """A job that another account started, as the account of its model's owner sees it: one job with two ARNs.

    `tags` are those in the owner's account. Source: "IAM behaviors for AWS Clean Rooms ML" in the AWS Clean Rooms user
    guide.
    """

    job: GenerationJob
    tags: Mapping[str, str]

    @property
    def arn(self) -> str:
        """The job's ARN with the owner's account instead of the starter's."""
        return f"{_account_part(self.job.configured_model.arn)}:audience-generation-job/{self.job.id}"

    @property
    def request(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.job.request

    @property
    def create_time(self) -> datetime:
        """When the job was started."""
        return self.job.create_time

    def describe(self) -> dict[str, Any]:
        return self.job.describe() | {
            "audienceGenerationJobArn": self.arn,
            "name": f"{self.job.started_by}-{self.job.name}",
            "seedAudience": None,
            "tags": self.tags,
        }


@dataclass
class ExportJob(Resource):
    """The export of one audience, of one size, to S3; it has no ARN on AWS, and here only an internal one."""

    generation_job: GenerationJob

    def describe(self) -> dict[str, Any]:
        """Without the location, which only the model's owner sees (source: as for `SharedJob`)."""
        visible = _account_part(self.arn) == _account_part(self.generation_job.configured_model.arn)
        location = self.output_location if visible and self.state.status == ACTIVE else None
        return super().describe() | {"outputLocation": location}

    @property
    def output_location(self) -> str:
        """The S3 prefix of this export alone ("each audience will have a unique location": botocore)."""
        output = self.generation_job.configured_model.request["outputConfig"]
        destination = str(output["destination"]["s3Destination"]["s3Uri"]).rstrip("/")
        return f"{destination}/{self.generation_job.id}/{self.id}/"
