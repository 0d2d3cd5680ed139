"""Comprehend Medical's operations as HTTP: parsed and written by botocore's model of the service."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from moto.core.responses import ActionResult, BaseResponse

from local.services.comprehendmedical.errors import ValidationException
from local.services.comprehendmedical.jobs import Job
from local.services.comprehendmedical.models import ComprehendMedicalBackend, comprehendmedical_backends
from local.services.comprehendmedical.validation import check_request

DEFAULT_PAGE_SIZE = 100  # botocore on MaxResults


class ComprehendMedicalResponse(BaseResponse):
    """One method for each operation, found by moto by its name."""

    def __init__(self) -> None:
        super().__init__(service_name="comprehendmedical")
        self.automated_parameter_parsing = True

    def detect_entities_v2(self) -> ActionResult:
        # The model isn't checked first: it counts characters, and a long text has an error of its own.
        return ActionResult(self._backend.detect_entities_v2(self.params.get("Text", "")))

    def start_entities_detection_v2_job(self) -> ActionResult:
        return ActionResult({"JobId": self._backend.start_entities_detection_v2_job(self._request()).id})

    def describe_entities_detection_v2_job(self) -> ActionResult:
        job = self._backend.job(self._request()["JobId"])
        return ActionResult({"ComprehendMedicalAsyncJobProperties": job.describe()})

    def list_entities_detection_v2_jobs(self) -> ActionResult:
        request = self._request()
        criteria = dict(request.get("Filter") or {})
        for name in ("SubmitTimeBefore", "SubmitTimeAfter"):
            if name in criteria and criteria[name].tzinfo is None:
                criteria[name] = criteria[name].replace(tzinfo=UTC)
        return _page(self._backend.list_entities_detection_v2_jobs(criteria), request)

    def stop_entities_detection_v2_job(self) -> ActionResult:
        return ActionResult({"JobId": self._backend.stop_entities_detection_v2_job(self._request()["JobId"]).id})

    @property
    def _backend(self) -> ComprehendMedicalBackend:
        return comprehendmedical_backends[self.current_account][self.region]

    def _request(self) -> dict[str, Any]:
        request = dict(self.params)
        check_request(self._get_action(), request)
        return request


def _page(jobs: Sequence[Job], request: dict[str, Any]) -> ActionResult:
    """The page that `request` asks for. A token names the last job of the page before it."""
    start = 0
    if "NextToken" in request:
        positions = [index for index, job in enumerate(jobs) if job.id == _last_id(request["NextToken"])]
        if not positions:
            raise ValidationException("NextToken is not one that this list has given")
        start = positions[0] + 1
    page = jobs[start : start + request.get("MaxResults", DEFAULT_PAGE_SIZE)]
    answer: dict[str, Any] = {"ComprehendMedicalAsyncJobPropertiesList": [job.describe() for job in page]}
    if start + len(page) < len(jobs):
        answer["NextToken"] = base64.urlsafe_b64encode(page[-1].id.encode()).decode()
    return ActionResult(answer)


def _last_id(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError):
        return ""
