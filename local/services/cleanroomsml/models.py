"""Clean Rooms ML lookalike audiences as a moto backend: data sets, models and jobs of one account and region.

Rules are from botocore's service model and the AWS Clean Rooms user guide, except these, which AWS leaves open:
- A name that is taken gives ConflictException. That names are unique is documented for training data sets and for
  generation jobs ("must be unique within an AWS account"); which error AWS gives is not, nor is any rule for the rest.
- A configured model without audienceSizeConfig has the bins 1, 2, 5, 10 and 20 percent.
- The 25 active exports that a generation job may have are those that have not failed, finished ones among them.
- A job in progress, or one with exports in progress, cannot be deleted (ConflictException).
- Resources of other accounts are not found: there is no resource policy, and a collaborationId is kept but not checked.
"""

import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from moto.core.base_backend import BackendDict, BaseBackend

from local.services.cleanroomsml import jobs, validation
from local.services.cleanroomsml.errors import (
    ConflictException,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
    ValidationException,
)
from local.services.cleanroomsml.resources import (
    ACTIVE,
    FAILED,
    PENDING,
    AudienceModel,
    ConfiguredAudienceModel,
    ExportJob,
    GenerationJob,
    Resource,
    State,
    TrainingDataset,
)

# "Quotas for Clean Rooms ML" in the AWS Clean Rooms user guide.
AUDIENCE_MODELS_IN_PROGRESS = 2
GENERATION_JOBS_IN_PROGRESS = 10
EXPORT_JOBS_IN_PROGRESS = 20
EXPORTS_OF_A_GENERATION_JOB = 25

DEFAULT_MINIMUM_MATCHING_SEED = 500
DEFAULT_AUDIENCE_SIZES = {"audienceSizeType": "PERCENTAGE", "audienceSizeBins": [1, 2, 5, 10, 20]}

_Found = TypeVar("_Found", bound=Resource)
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
        self.generation_jobs: dict[str, GenerationJob] = {}
        self.export_jobs: dict[str, ExportJob] = {}
        # Held while a request looks for a free name or place and takes it.
        self._lock = threading.Lock()

    def create_training_dataset(self, request: Request) -> TrainingDataset:
        """Keep where training data is. Raises ValidationException for a schema that is short of a required column."""
        validation.check_training_data(request["trainingData"])
        self._check_role(request["roleArn"])
        dataset = TrainingDataset(self._arn("training-dataset"), request, State(ACTIVE))
        with self._lock:
            _add(self.training_datasets, dataset)
        return dataset

    def create_audience_model(self, request: Request) -> AudienceModel:
        """Start to train a model. Raises ServiceQuotaExceededException while two others are training."""
        dataset = find(self.training_datasets, request["trainingDatasetArn"])
        model = AudienceModel(self._arn("audience-model"), request, State(PENDING), dataset)
        with self._lock:
            _check_quota("Audience models in progress", AUDIENCE_MODELS_IN_PROGRESS, self.audience_models.values())
            _add(self.audience_models, model)
        jobs.start(jobs.train_audience_model, model)
        return model

    def create_configured_audience_model(
        self, request: Request, identifier: str | None = None
    ) -> ConfiguredAudienceModel:
        """Configure a trained model; `identifier`, which the API does not have, is what its ARN shall end in.

        Raises ValidationException if the model is not ACTIVE.
        """
        request = {
            "minMatchingSeedSize": DEFAULT_MINIMUM_MATCHING_SEED,
            "audienceSizeConfig": DEFAULT_AUDIENCE_SIZES,
            "childResourceTagOnCreatePolicy": "NONE",
            **request,
        }
        validation.check_audience_sizes(request["audienceSizeConfig"])
        self._check_role(request["outputConfig"]["roleArn"])
        audience_model = find(self.audience_models, request["audienceModelArn"])
        _check_active(audience_model)
        arn = self._arn("configured-audience-model", identifier)
        model = ConfiguredAudienceModel(arn, request, State(ACTIVE), audience_model)
        with self._lock:
            _add(self.configured_audience_models, model)
        return model

    def start_audience_generation_job(self, request: Request) -> GenerationJob:
        """Start to generate an audience.

        Raises ValidationException for an SQL seed and for too many tags with those of the configured model,
        ServiceQuotaExceededException while ten others are in progress.
        """
        validation.check_seed_source(request["seedAudience"], request.get("collaborationId"))
        self._check_role(request["seedAudience"]["roleArn"])
        configured = find(self.configured_audience_models, request["configuredAudienceModelArn"])
        inherits = configured.request["childResourceTagOnCreatePolicy"] == "FROM_PARENT_RESOURCE"
        tags = (configured.request.get("tags", {}) if inherits else {}) | request.get("tags", {})
        validation.check_tags(tags)
        job = GenerationJob(
            self._arn("audience-generation-job"),
            {"includeSeedInOutput": False, **request},
            State(PENDING),
            configured,
            self.account_id,
            tags,
        )
        with self._lock:
            _check_quota(
                "Audience generation jobs in progress", GENERATION_JOBS_IN_PROGRESS, self.generation_jobs.values()
            )
            _add(self.generation_jobs, job)
        jobs.start(jobs.generate_audience, job)
        return job

    def start_audience_export_job(self, request: Request) -> None:
        """Start to write an audience to S3.

        Raises ValidationException for a size that the configured model does not have and for a job that is not ACTIVE,
        ServiceQuotaExceededException while twenty others are in progress and once the job has 25 that have not failed.
        """
        job = find(self.generation_jobs, request["audienceGenerationJobArn"])
        _check_active(job)
        if request["audienceSize"] not in job.configured_model.audience_sizes:
            allowed = job.configured_model.request["audienceSizeConfig"]
            raise ValidationException(
                f"audienceSize {request['audienceSize']['type']} {request['audienceSize']['value']} is not a size of "
                f"{job.configured_model.arn}, which has {allowed['audienceSizeType']} {allowed['audienceSizeBins']}"
            )
        export = ExportJob(self._arn("audience-export-job"), request, State(PENDING), job)
        with self._lock:
            _check_quota("Audience export jobs in progress", EXPORT_JOBS_IN_PROGRESS, self.export_jobs.values())
            kept = [other for other in self.list_audience_export_jobs(request) if other.state.status != FAILED]
            if len(kept) >= EXPORTS_OF_A_GENERATION_JOB:
                raise ServiceQuotaExceededException(
                    "Active audience export jobs of one audience generation job",
                    EXPORTS_OF_A_GENERATION_JOB,
                    "Delete that generation job, or generate the audience in another",
                )
            _add(self.export_jobs, export)
        jobs.start(jobs.export_audience, export)

    def list_audience_generation_jobs(self, request: Request) -> Sequence[GenerationJob]:
        """All jobs, or those of one configured model, of one collaboration, or of both; oldest first."""
        filters = {
            member: request[member] for member in ("configuredAudienceModelArn", "collaborationId") if member in request
        }
        return [job for job in list(self.generation_jobs.values()) if filters.items() <= job.request.items()]

    def list_audience_export_jobs(self, request: Request) -> Sequence[ExportJob]:
        """All exports, or those of one generation job; oldest first."""
        arn = request.get("audienceGenerationJobArn")
        return [export for export in list(self.export_jobs.values()) if arn in (None, export.generation_job.arn)]

    def delete_audience_generation_job(self, arn: str) -> None:
        """Forget a job and its exports at once; exported files stay. Raises ConflictException if one is in progress."""
        with self._lock:
            job = find(self.generation_jobs, arn)
            exports = self.list_audience_export_jobs({"audienceGenerationJobArn": arn})
            if busy := [resource for resource in (job, *exports) if resource.in_progress]:
                raise ConflictException(f"{arn} cannot be deleted: {busy[0].name} is {busy[0].state.status}")
            del self.generation_jobs[arn]
            for export in exports:
                del self.export_jobs[export.arn]

    def _arn(self, kind: str, identifier: str | None = None) -> str:
        return f"arn:aws:cleanrooms-ml:{self.region_name}:{self.account_id}:{kind}/{identifier or uuid.uuid4()}"

    def _check_role(self, role_arn: str) -> None:
        validation.check_role(role_arn, self.account_id)


def find(resources: Mapping[str, _Found], arn: str) -> _Found:
    """The resource with that ARN. Raises ResourceNotFoundException."""
    if arn not in resources:
        raise ResourceNotFoundException(f"{arn} does not exist")
    return resources[arn]


def _add(resources: dict[str, _Found], resource: _Found) -> None:
    if resource.arn in resources or any(other.name == resource.name for other in resources.values()):
        raise ConflictException(f"There is already a resource of this type named {resource.name}; names must be unique")
    resources[resource.arn] = resource


def _check_active(resource: Resource) -> None:
    if resource.state.status != ACTIVE:
        raise ValidationException(f"{resource.arn} is {resource.state.status}; it must be ACTIVE")


def _check_quota(name: str, value: int, resources: Iterable[Resource]) -> None:
    if sum(resource.in_progress for resource in resources) >= value:
        raise ServiceQuotaExceededException(name, value)


cleanroomsml_backends = BackendDict(
    CleanRoomsMLBackend,
    "cleanroomsml",
    # botocore's endpoint list does not know the service; these are regions that its documentation names.
    additional_regions=["us-east-1", "us-east-2", "us-west-2", "ap-northeast-2", "ap-southeast-1"],
)
