"""The results of a rehearsal, which the checks look at."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from infra.environment import Environment
from lambdas.shared.layout import PLAN, SUMMARY, batch_prefix
from lambdas.shared.uris import parse_uri
from operations.deployed import Deployed
from operations.executions import Execution, Failure
from operations.following import pause
from operations.forgetting.forget import Outcome
from operations.verify.checks import Seen, not_seen

Arrived = TypeVar("Arrived")


class Jobs(NamedTuple):
    """Names of the usable recording's transcription jobs, and ids of its batch's entity detection jobs."""

    transcriptions: tuple[str, ...]
    detections: tuple[str, ...]


NO_JOBS = Jobs((), ())


@dataclass
class Observed:
    """The environment, and the results for the test patient's two recordings in it.

    Attributes:
        arrival_seconds: how long a log, a metric or a trace may take to arrive.
        usable, unusable: the recordings' URIs; the second one isn't audio.
        trouble: step of the rehearsal -> the reason why it failed or was left out.
        batches: the ended executions that had the two recordings.
        worked: the execution that has transcribed the usable recording; None if there is none.
        redriven: whether `worked` was stopped and redriven.
        jobs: the jobs after `worked` had ended.
        repeated, jobs_after: the second execution with the same input, and the jobs after it.
        foreign: the execution whose input names another bucket.
        compaction: the status of a compaction after these executions; None if none was started.
        outcome: the result of forgetting the test patient.
        batches_before: `finished_batches` at the start of the rehearsal.
    """

    deployed: Deployed
    environment: Environment
    began: datetime
    arrival_seconds: float
    usable: str
    unusable: str
    trouble: dict[str, str] = field(default_factory=dict)
    batches: list[Execution] = field(default_factory=list)
    worked: Execution | None = None
    redriven: bool = False
    jobs: Jobs = NO_JOBS
    repeated: Execution | None = None
    jobs_after: Jobs = NO_JOBS
    foreign: Execution | None = None
    compaction: str | None = None
    outcome: Outcome | None = None
    batches_before: float = 0

    def client(self, service: str) -> Any:
        return self.deployed.client(service)

    @property
    def prefix(self) -> str:
        return self.deployed.prefix

    @property
    def succeeded(self) -> bool:
        return self.worked is not None and self.worked.status == "SUCCEEDED"

    def never(self, what: str) -> Seen:
        """The observation if `what` was never reached."""
        return not_seen(self.trouble.get("rehearsal") or f"The execution did not reach {what}.")

    def wait_for(self, find: Callable[[], Arrived | None]) -> Arrived | None:
        """Call `find` until it finds something, at most for `arrival_seconds`; returns its last result."""
        end = time.monotonic() + self.arrival_seconds
        while True:
            if (found := find()) or time.monotonic() > end:
                return found
            time.sleep(pause(self.deployed))

    def failure_in(self, *states: str) -> Failure | None:
        """The failure of `worked` in one of these states, if any."""
        failures = self.worked.failures if self.worked else []
        return next((failure for failure in failures if failure.state in states), None)

    @cached_property
    def planned(self) -> dict[str, Any] | None:
        """The usable recording's entry in the plan of `worked`; None if there is none."""
        plan = self.batch_document(PLAN)
        entries = plan["recordings"] if plan else []
        return next((entry for entry in entries if entry["uri"] == self.usable), None)

    @cached_property
    def summary(self) -> dict[str, Any] | None:
        """The summary of `worked`, None if there is none."""
        return self.batch_document(SUMMARY)

    @cached_property
    def documents(self) -> list[dict[str, Any]]:
        """The usable recording's documents, each with its `job`; none without a summary."""
        if self.summary is None or self.planned is None:
            return []
        _, key = parse_uri(self.summary["documents"]["uri"])
        lines = self.client("s3").get_object(Bucket=self.deployed.clinical, Key=key)["Body"].read().splitlines()
        documents = [json.loads(line) for line in lines]
        return [document for document in documents if document["media_id"] == self.planned["media_id"]]

    def finished_batches(self) -> float:
        """The metric BatchesFinished, summed from shortly before the rehearsal until now."""
        metric = {
            "Namespace": "ClinicalMedia",
            "MetricName": "BatchesFinished",
            "Dimensions": [{"Name": "environment", "Value": self.prefix}],
        }
        answer = self.client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "finished", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}],
            StartTime=self.began - timedelta(minutes=1),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
        )
        return float(sum(answer["MetricDataResults"][0]["Values"]))

    def batch_document(self, name: str) -> dict[str, Any] | None:
        """A JSON document of the batch of `worked`; None if it doesn't exist."""
        if self.worked is None:
            return None
        s3 = self.client("s3")
        try:
            body = s3.get_object(Bucket=self.deployed.clinical, Key=batch_prefix(self.worked.name) + name)["Body"]
        except s3.exceptions.NoSuchKey:
            return None
        document: dict[str, Any] = json.loads(body.read())
        return document

    def keys_below(self, prefix: str) -> list[str]:
        """Keys of the clinical bucket."""
        pages = (
            self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.deployed.clinical, Prefix=prefix)
        )
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def head(self, key: str) -> dict[str, Any] | None:
        """S3's answer to HeadObject in the clinical bucket; None if the object doesn't exist."""
        try:
            answer: dict[str, Any] = self.client("s3").head_object(Bucket=self.deployed.clinical, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            return None
        return answer

    @cached_property
    def clinical_key(self) -> str:
        """ARN of the key that the clinical bucket encrypts with."""
        answer = self.client("s3").get_bucket_encryption(Bucket=self.deployed.clinical)
        (rule,) = answer["ServerSideEncryptionConfiguration"]["Rules"]
        key: str = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
        return key
