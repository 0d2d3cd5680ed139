"""Clean Rooms ML, as far as a generation costs money and a seed tells of people."""

import json
from dataclasses import dataclass
from typing import Any

from lambdas.shared.uris import parse_uri
from tests.simulation.aws import Refused
from tests.simulation.buckets import Buckets
from tests.simulation.jobs import Fate, Started


@dataclass
class Generation:
    """`people` are those of the seed when the job was started."""

    wanted: dict[str, Any]
    arn: str
    people: frozenset[str]
    status: str = "CREATE_IN_PROGRESS"

    @property
    def paid(self) -> bool:
        return self.status != "CREATE_FAILED"


class CleanRoomsML:
    def __init__(self, buckets: Buckets, fails: Fate, *, started: Started | None = None) -> None:
        self._buckets, self._fails, self._started = buckets, fails, started
        self.jobs: dict[str, Generation] = {}

    def start_audience_generation_job(self, **wanted: Any) -> dict[str, Any]:
        name = wanted["name"]
        if name in self.jobs:
            raise Refused("ConflictException")
        seed = self._buckets.current(*parse_uri(wanted["seedAudience"]["dataSource"]["s3Uri"]))
        if seed is None:
            raise Refused("ResourceNotFoundException")
        arn = f"arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-generation-job/{name}"
        people = frozenset(json.loads(line)["user_id"] for line in seed.body.splitlines())
        self.jobs[name] = Generation(wanted, arn, people)
        if self._started:
            self._started(name)
        return {"audienceGenerationJobArn": arn}

    def list_audience_generation_jobs(self, **_: Any) -> dict[str, Any]:
        return {"audienceGenerationJobs": [self._described(name) for name in self.jobs]}

    def get_audience_generation_job(self, audienceGenerationJobArn: str) -> dict[str, Any]:
        name = audienceGenerationJobArn.rpartition("/")[2]
        if name not in self.jobs:
            raise Refused("ResourceNotFoundException")
        job = self.jobs[name]
        if not self._started:
            self.end(name)
        details = {"statusDetails": {"statusCode": "ERROR", "message": "access denied"}}
        return self._described(name) | (details if job.status == "CREATE_FAILED" else {})

    def end(self, name: str) -> None:
        job = self.jobs[name]
        if job.status == "CREATE_IN_PROGRESS":
            job.status = "CREATE_FAILED" if self._fails("audience generation") else "ACTIVE"

    def _described(self, name: str) -> dict[str, Any]:
        job = self.jobs[name]
        return {
            "name": name,
            "audienceGenerationJobArn": job.arn,
            "status": job.status,
            "configuredAudienceModelArn": job.wanted["configuredAudienceModelArn"],
            "seedAudience": job.wanted["seedAudience"],
        }
