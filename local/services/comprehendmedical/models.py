"""Comprehend Medical as a moto backend: the entity detection jobs of one account and region.

Rules are from botocore's service model, the Comprehend Medical developer guide and its quotas page, except these,
which AWS leaves open:
- A ClientRequestToken that was used with the same parameters returns the same job in any status; with other parameters
  it is an InvalidRequestException. A token is valid as long as the job exists.
- The eleventh active job is a TooManyRequestsException. AWS documents the limit of ten, but not the error.
- Stopping a job that has ended is an InvalidRequestException. The outputs of a stopped job stay.
- More than one filter in a list is a ValidationException ("you can only set one filter at a time").
"""

import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.s3.models import s3_backends

from local.services.comprehendmedical import jobs
from local.services.comprehendmedical.errors import (
    InvalidRequestException,
    ResourceNotFoundException,
    TextSizeLimitExceededException,
    TooManyRequestsException,
    ValidationException,
)
from local.services.comprehendmedical.validation import check_locations

# "Guidelines and quotas" in the developer guide: per operation, and for the synchronous operation's text.
MAXIMUM_ACTIVE_JOBS = 10
MAXIMUM_TEXT_BYTES = 20_000

Request = Mapping[str, Any]


class ComprehendMedicalBackend(BaseBackend):
    """Requests are dicts with the members of botocore's input shapes, already checked against them."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.jobs: dict[str, jobs.Job] = {}
        self._started_by_token: dict[str, jobs.Job] = {}
        # Held while a request looks for its token or a free slot and takes it.
        self._lock = threading.Lock()

    def detect_entities_v2(self, text: str) -> dict[str, Any]:
        """The entities of `text`.

        Raises InvalidRequestException for no text, TextSizeLimitExceededException above 20,000 bytes of UTF-8.
        """
        if not text:
            raise InvalidRequestException("Text is required, and must have at least one character")
        size = len(text.encode("utf-8"))
        if size > MAXIMUM_TEXT_BYTES:
            raise TextSizeLimitExceededException(
                f"Text has {size} bytes; DetectEntitiesV2 takes at most {MAXIMUM_TEXT_BYTES}. Split it, or start a job."
            )
        return jobs.engine(text)

    def start_entities_detection_v2_job(self, request: Request) -> jobs.Job:
        """Start a job, or return the one that this ClientRequestToken has started.

        Raises InvalidRequestException for a token used with other parameters, another account's role and another
        region's bucket, TooManyRequestsException while ten jobs are active.
        """
        parameters = {name: value for name, value in request.items() if name != "ClientRequestToken"}
        check_locations(parameters)
        self._check_role(parameters["DataAccessRoleArn"])
        for config in ("InputDataConfig", "OutputDataConfig"):
            self._check_region(config, parameters[config]["S3Bucket"])
        token = request.get("ClientRequestToken") or str(uuid.uuid4())
        with self._lock:
            known = self._started_by_token.get(token)
            if known:
                if known.request != parameters:
                    raise InvalidRequestException(
                        f"ClientRequestToken {token} has started job {known.id} with other parameters; use a new token"
                    )
                return known
            active = sum(job.state.status in jobs.ACTIVE for job in self.jobs.values())
            if active >= MAXIMUM_ACTIVE_JOBS:
                raise TooManyRequestsException(
                    f"{active} entity detection jobs are active, the most there may be; wait until one of them ends"
                )
            job_id = uuid.uuid4().hex
            arn = f"arn:aws:comprehendmedical:{self.region_name}:{self.account_id}:entities-detection-job/{job_id}"
            job = jobs.Job(job_id, arn, self.account_id, parameters)
            self.jobs[job_id] = self._started_by_token[token] = job
        jobs.start(job)
        return job

    def job(self, job_id: str) -> jobs.Job:
        """The job with that id. Raises ResourceNotFoundException."""
        if job_id not in self.jobs:
            raise ResourceNotFoundException(f"There is no entity detection job {job_id}")
        return self.jobs[job_id]

    def list_entities_detection_v2_jobs(self, criteria: Mapping[str, Any]) -> Sequence[jobs.Job]:
        """The jobs that meet a filter, newest first; those before a time, oldest first (botocore on the filter).

        Raises ValidationException for more than one criterion.
        """
        if len(criteria) > 1:
            raise ValidationException(f"Filter has {', '.join(sorted(criteria))}; set only one at a time")
        found = list(self.jobs.values())
        for name, value in criteria.items():
            if name == "JobName":
                found = [job for job in found if job.request.get("JobName") == value]
            elif name == "JobStatus":
                found = [job for job in found if job.state.status == value]
            elif name == "SubmitTimeBefore":
                return [job for job in found if job.submit_time < value]
            else:
                found = [job for job in found if job.submit_time > value]
        return found[::-1]

    def stop_entities_detection_v2_job(self, job_id: str) -> jobs.Job:
        """Ask a job to stop. Raises InvalidRequestException if it has ended."""
        job = self.job(job_id)
        if job.state.status not in jobs.ACTIVE:
            raise InvalidRequestException(f"Job {job_id} is {job.state.status}; only an active job can be stopped")
        jobs.request_stop(job)
        return job

    def _check_role(self, role_arn: str) -> None:
        if role_arn.split(":")[4] != self.account_id:
            raise InvalidRequestException(
                f"DataAccessRoleArn {role_arn} is not a role of account {self.account_id}; pass one of your own account"
            )

    def _check_region(self, config: str, bucket_name: str) -> None:
        # botocore on InputDataConfig and OutputDataConfig. A bucket that does not exist fails the job when it runs.
        bucket = s3_backends[self.account_id][self.partition].buckets.get(bucket_name)
        if bucket and bucket.region_name != self.region_name:
            raise InvalidRequestException(
                f"{config}.S3Bucket {bucket_name} is in {bucket.region_name}; it must be in {self.region_name}, the "
                "region of this call"
            )


comprehendmedical_backends = BackendDict(ComprehendMedicalBackend, "comprehendmedical")
