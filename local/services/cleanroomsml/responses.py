"""Clean Rooms ML's operations as HTTP: requests are parsed and answers written by botocore's model of the service."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from local.aws.credentials import caller_arns
from local.services.cleanroomsml import generations
from local.services.cleanroomsml.collaboration import policy_hash
from local.services.cleanroomsml.errors import ValidationException
from local.services.cleanroomsml.models import CleanRoomsMLBackend, cleanroomsml_backends
from local.services.cleanroomsml.registry import find
from local.services.cleanroomsml.resources import Resource, SharedJob
from local.services.cleanroomsml.validation import check_listed_model, check_request

# botocore allows 1..100 and names no default.
DEFAULT_PAGE_SIZE = 100


class CleanRoomsMLResponse(BaseResponse):
    """One method for each operation, found by moto by its name."""

    def __init__(self) -> None:
        super().__init__(service_name="cleanroomsml")
        self.automated_parameter_parsing = True

    def create_training_dataset(self) -> ActionResult:
        return ActionResult({"trainingDatasetArn": self._backend.create_training_dataset(self._request()).arn})

    def get_training_dataset(self) -> ActionResult:
        return self._describe(self._backend.training_datasets, "trainingDatasetArn")

    def create_audience_model(self) -> ActionResult:
        return ActionResult({"audienceModelArn": self._backend.create_audience_model(self._request()).arn})

    def get_audience_model(self) -> ActionResult:
        return self._describe(self._backend.audience_models, "audienceModelArn")

    def create_configured_audience_model(self) -> ActionResult:
        model = self._backend.create_configured_audience_model(self._request())
        return ActionResult({"configuredAudienceModelArn": model.arn})

    def get_configured_audience_model(self) -> ActionResult:
        return self._describe(self._backend.configured_audience_models, "configuredAudienceModelArn")

    def put_configured_audience_model_policy(self) -> ActionResult:
        return _policy(self._backend.put_configured_audience_model_policy(self._request()))

    def get_configured_audience_model_policy(self) -> ActionResult:
        arn = self._request()["configuredAudienceModelArn"]
        return _policy(self._backend.get_configured_audience_model_policy(arn), configuredAudienceModelArn=arn)

    def start_audience_generation_job(self) -> ActionResult:
        job = generations.start(self._backend, self._request(), caller_arns(self.get_access_key()))
        return ActionResult({"audienceGenerationJobArn": job.arn})

    def list_training_datasets(self) -> ActionResult:
        return _page("trainingDatasets", list(self._backend.training_datasets.values()), self._request())

    def list_audience_models(self) -> ActionResult:
        return _page("audienceModels", list(self._backend.audience_models.values()), self._request())

    def list_configured_audience_models(self) -> ActionResult:
        models = list(self._backend.configured_audience_models.values())
        return _page("configuredAudienceModels", models, self._request())

    def get_audience_generation_job(self) -> ActionResult:
        job = self._backend.get_audience_generation_job(self._request()["audienceGenerationJobArn"])
        return ActionResult(job.describe())

    def list_audience_generation_jobs(self) -> ActionResult:
        request = self._request()
        check_listed_model(request, self.current_account)
        return _page("audienceGenerationJobs", self._backend.list_audience_generation_jobs(request), request)

    def delete_audience_generation_job(self) -> ActionResult:
        generations.delete(self._backend, self._request()["audienceGenerationJobArn"])
        return EmptyResult()

    def start_audience_export_job(self) -> ActionResult:
        self._backend.start_audience_export_job(self._request())
        return EmptyResult()

    def list_audience_export_jobs(self) -> ActionResult:
        request = self._request()
        return _page("audienceExportJobs", self._backend.list_audience_export_jobs(request), request)

    @property
    def _backend(self) -> CleanRoomsMLBackend:
        return cleanroomsml_backends[self.current_account][self.region]

    def _describe(self, resources: Mapping[str, Resource], member: str) -> ActionResult:
        return ActionResult(find(resources, self._request()[member]).describe())

    def _request(self) -> dict[str, Any]:
        """The members of the operation's input shape, from body, path and query string."""
        request = {**self.params, **self.uri_match}
        check_request(self._get_action(), request)
        return request


def _policy(policy: str, **more: str) -> ActionResult:
    return ActionResult({"configuredAudienceModelPolicy": policy, "policyHash": policy_hash(policy), **more})


def _page(member: str, resources: Sequence[Resource | SharedJob], request: dict[str, Any]) -> ActionResult:
    """The page that `request` asks for. A token names the last resource of the page before it."""
    after = _last_arn(request["nextToken"]) if "nextToken" in request else None
    start = 0
    if after is not None:
        positions = [index for index, resource in enumerate(resources) if resource.arn == after]
        if not positions:
            raise ValidationException("nextToken is not one that this list has given, or what it refers to was deleted")
        start = positions[0] + 1
    page = resources[start : start + request.get("maxResults", DEFAULT_PAGE_SIZE)]
    answer: dict[str, Any] = {member: [resource.describe() for resource in page]}
    if start + len(page) < len(resources):
        answer["nextToken"] = base64.urlsafe_b64encode(page[-1].arn.encode()).decode()
    return ActionResult(answer)


def _last_arn(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError):
        return ""
