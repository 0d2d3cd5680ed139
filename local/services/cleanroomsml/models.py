"""Clean Rooms ML lookalike audiences as a moto backend: data sets, models and jobs of one account and region.

Rules are from botocore's service model and the AWS Clean Rooms user guide, except these, which AWS leaves open:
- A name that is taken gives ConflictException. That names are unique is documented for training data sets and for
  generation jobs ("must be unique within an AWS account"); which error AWS gives is not, nor is any rule for the rest.
- A configured model without audienceSizeConfig has the bins 1, 2, 5, 10 and 20 percent.
- The 25 active exports that a generation job may have are those that have not failed, finished ones among them.
- A job in progress, or one with exports in progress, cannot be deleted (ConflictException).
- What the two accounts of a job with another account's model may do and see: `collaboration`.
"""

import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend

from local.services.cleanroomsml import collaboration, jobs, validation
from local.services.cleanroomsml.errors import (
    ResourceNotFoundException,
    ServiceQuotaExceededException,
    ValidationException,
)
from local.services.cleanroomsml.registry import add, check_active, check_quota, find
from local.services.cleanroomsml.resources import (
    ACTIVE,
    FAILED,
    PENDING,
    AudienceModel,
    ConfiguredAudienceModel,
    ExportJob,
    GenerationJob,
    SharedJob,
    State,
    TrainingDataset,
)

# "Quotas for Clean Rooms ML" in the AWS Clean Rooms user guide.
AUDIENCE_MODELS_IN_PROGRESS = 2
EXPORT_JOBS_IN_PROGRESS = 20
EXPORTS_OF_A_GENERATION_JOB = 25

DEFAULT_MINIMUM_MATCHING_SEED = 500
DEFAULT_AUDIENCE_SIZES = {"audienceSizeType": "PERCENTAGE", "audienceSizeBins": [1, 2, 5, 10, 20]}

Request = Mapping[str, Any]


class CleanRoomsMLBackend(BaseBackend):
    """Requests are dicts with the members of botocore's input shapes, already checked against them.

    Errors are those of `errors`: each method's own are in its docstring; any method that takes an ARN raises
    ResourceNotFoundException, any that takes a name ConflictException.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.training_datasets: dict[str, TrainingDataset] = {}
        self.audience_models: dict[str, AudienceModel] = {}
        self.configured_audience_models: dict[str, ConfiguredAudienceModel] = {}
        self.model_policies: dict[str, str] = {}
        self.generation_jobs: dict[str, GenerationJob] = {}
        # Jobs of other accounts with models of this one.
        self.shared_jobs: dict[str, SharedJob] = {}
        self.export_jobs: dict[str, ExportJob] = {}
        # Held while a request looks for a free name or slot and takes it.
        self.lock = threading.Lock()

    def create_training_dataset(self, request: Request) -> TrainingDataset:
        """Keep where training data is. Raises ValidationException for a schema that is short of a required column."""
        validation.check_training_data(request["trainingData"])
        self.check_role(request["roleArn"])
        dataset = TrainingDataset(self.new_arn("training-dataset"), request, State(ACTIVE))
        with self.lock:
            add(self.training_datasets, dataset)
        return dataset

    def create_audience_model(self, request: Request) -> AudienceModel:
        """Start to train a model. Raises ServiceQuotaExceededException while two others are training."""
        dataset = find(self.training_datasets, request["trainingDatasetArn"])
        model = AudienceModel(self.new_arn("audience-model"), request, State(PENDING), dataset)
        with self.lock:
            check_quota("Audience models in progress", AUDIENCE_MODELS_IN_PROGRESS, self.audience_models.values())
            add(self.audience_models, model)
        jobs.start(jobs.train_audience_model, model)
        return model

    def create_configured_audience_model(
        self, request: Request, identifier: str | None = None
    ) -> ConfiguredAudienceModel:
        """Configure a trained model; `identifier`, which the API lacks, is the end of its ARN.

        Raises ValidationException if the model is not ACTIVE.
        """
        request = {
            "minMatchingSeedSize": DEFAULT_MINIMUM_MATCHING_SEED,
            "audienceSizeConfig": DEFAULT_AUDIENCE_SIZES,
            "childResourceTagOnCreatePolicy": "NONE",
            **request,
        }
        validation.check_audience_sizes(request["audienceSizeConfig"])
        self.check_role(request["outputConfig"]["roleArn"])
        audience_model = find(self.audience_models, request["audienceModelArn"])
        check_active(audience_model)
        arn = self.new_arn("configured-audience-model", identifier)
        model = ConfiguredAudienceModel(arn, request, State(ACTIVE), audience_model)
        with self.lock:
            add(self.configured_audience_models, model)
        return model

    def put_configured_audience_model_policy(self, request: Request) -> str:
        """Set the model's resource policy and return it.

        Raises ValidationException for a policy that is no JSON object, and where the one before isn't as expected.
        """
        arn = find(self.configured_audience_models, request["configuredAudienceModelArn"]).arn
        with self.lock:
            collaboration.check_policy(request, self.model_policies.get(arn))
            self.model_policies[arn] = request["configuredAudienceModelPolicy"]
        return self.model_policies[arn]

    def get_configured_audience_model_policy(self, arn: str) -> str:
        if arn not in self.model_policies:
            raise ResourceNotFoundException(f"{arn} does not exist or has no policy")
        return self.model_policies[arn]

    def start_audience_export_job(self, request: Request) -> None:
        """Start to write an audience to S3.

        Raises ValidationException for a size that the configured model does not have and for a job that is not ACTIVE,
        ServiceQuotaExceededException while twenty others are in progress and once the job has 25 that have not failed.
        """
        job = self.started(request["audienceGenerationJobArn"])
        check_active(job)
        if request["audienceSize"] not in job.configured_model.audience_sizes:
            allowed = job.configured_model.request["audienceSizeConfig"]
            raise ValidationException(
                f"audienceSize {request['audienceSize']['type']} {request['audienceSize']['value']} is not a size of "
                f"{job.configured_model.arn}, which has {allowed['audienceSizeType']} {allowed['audienceSizeBins']}"
            )
        export = ExportJob(self.new_arn("audience-export-job"), request, State(PENDING), job)
        with self.lock:
            check_quota("Audience export jobs in progress", EXPORT_JOBS_IN_PROGRESS, self.export_jobs.values())
            kept = [other for other in self.list_audience_export_jobs(request) if other.state.status != FAILED]
            if len(kept) >= EXPORTS_OF_A_GENERATION_JOB:
                raise ServiceQuotaExceededException(
                    "Active audience export jobs of one audience generation job",
                    EXPORTS_OF_A_GENERATION_JOB,
                    "Delete that generation job, or generate the audience in another",
                )
            add(self.export_jobs, export)
        jobs.start(jobs.export_audience, export)

    def get_audience_generation_job(self, arn: str) -> GenerationJob | SharedJob:
        """The job that this account started, or that another one started with a model of this account."""
        return self.shared_jobs.get(arn) or find(self.generation_jobs, arn)

    def list_audience_generation_jobs(self, request: Request) -> Sequence[GenerationJob | SharedJob]:
        """All jobs, or those of one configured model, of one collaboration, or of both; oldest first."""
        filters = {
            member: request[member] for member in ("configuredAudienceModelArn", "collaborationId") if member in request
        }
        started, shared = list(self.generation_jobs.values()), list(self.shared_jobs.values())
        every: list[GenerationJob | SharedJob] = [*started, *shared]
        every.sort(key=lambda job: job.create_time)
        return [job for job in every if filters.items() <= job.request.items()]

    def list_audience_export_jobs(self, request: Request) -> Sequence[ExportJob]:
        """All exports that this account started, or those of one generation job; oldest first."""
        arn = request.get("audienceGenerationJobArn")
        exports = list(self.export_jobs.values())
        return [export for export in exports if arn in (None, export.request["audienceGenerationJobArn"])]

    def owner_of(self, arn: str) -> "CleanRoomsMLBackend":
        """The account of the resource with that ARN, in this region."""
        return cleanroomsml_backends[arn.split(":")[4]][self.region_name]

    def started(self, arn: str) -> GenerationJob:
        """The job itself, by the ARN that it has in this account."""
        job = self.get_audience_generation_job(arn)
        return job.job if isinstance(job, SharedJob) else job

    def new_arn(self, kind: str, identifier: str | None = None) -> str:
        return f"arn:aws:cleanrooms-ml:{self.region_name}:{self.account_id}:{kind}/{identifier or uuid.uuid4()}"

    def check_role(self, role_arn: str) -> None:
        validation.check_role(role_arn, self.account_id)


cleanroomsml_backends = BackendDict(
    CleanRoomsMLBackend,
    "cleanroomsml",
    # botocore's endpoint list does not know the service; these are regions that its documentation names.
    additional_regions=["us-east-1", "us-east-2", "us-west-2", "ap-northeast-2", "ap-southeast-1"],
)
