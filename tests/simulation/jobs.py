"""Transcribe Medical and Comprehend Medical: a job ends when it is asked about, or when somebody ends it.

What they charge for is in `jobs`: invariants count it there, by the words and not by any name that we chose.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulation.aws import CLINICAL, MEDIA, Refused
from tests.simulation.buckets import Buckets

# Whether what it names is to fail this time.
Fate = Callable[[str], bool]
# Is called with each job that starts, and ends it later. Without one, a job ends when it is asked about.
Started = Callable[[str], None]
CORRUPT = b"corrupt"
# Users of the service report it: https://github.com/awsdocs/amazon-transcribe-developer-guide/issues/12
INVALID = "The data in your input media file isn't valid. Check the media file and try your request again."
# The entry of a document in the list of those that were not processed; AWS doesn't document which errors there are.
NOT_PROCESSED = {"ErrorCode": "INTERNAL_SERVER_ERROR", "ErrorMessage": "The document could not be processed"}


@dataclass
class Transcription:
    wanted: dict[str, Any]
    key: str
    version_id: str
    body: bytes
    status: str = "IN_PROGRESS"
    reason: str = ""


class Transcribe:
    """`late`: the service reads the recording when the job ends and not when it is started. Neither is promised."""

    def __init__(self, buckets: Buckets, fails: Fate, *, late: bool = False, started: Started | None = None) -> None:
        self._buckets, self._fails, self._late, self._started = buckets, fails, late, started
        self.jobs: dict[str, Transcription] = {}
        # So many may run; others of the account leave fewer.
        self.quota = 250

    def start_medical_transcription_job(self, **wanted: Any) -> dict[str, Any]:
        name = wanted["MedicalTranscriptionJobName"]
        if name in self.jobs:
            raise Refused("ConflictException")
        if len(self.running) >= self.quota:
            raise Refused("LimitExceededException")
        key = wanted["Media"]["MediaFileUri"].removeprefix(f"s3://{MEDIA}/")
        there = self._buckets.current(MEDIA, key)
        if there is None:
            raise Refused("BadRequestException", "The S3 object is not there.")
        if (MEDIA, key, there.version_id) in self._buckets.archived:
            raise Refused("BadRequestException", "The S3 object is archived.")
        self.jobs[name] = Transcription(wanted, key, there.version_id, there.body)
        if self._started:
            self._started(name)
        return {}

    def get_medical_transcription_job(self, MedicalTranscriptionJobName: str) -> dict[str, Any]:
        job = self.jobs.get(MedicalTranscriptionJobName)
        if job is None:
            raise Refused("NotFoundException")
        if job.status == "IN_PROGRESS" and not self._started:
            self.end(MedicalTranscriptionJobName)
        described = {name: value for name, value in job.wanted.items() if name != "OutputKey"}
        status = {"TranscriptionJobStatus": job.status} | ({"FailureReason": job.reason} if job.reason else {})
        return {"MedicalTranscriptionJob": described | status}

    def list_medical_transcription_jobs(self, JobNameContains: str, **_: Any) -> dict[str, Any]:
        found = [
            {"MedicalTranscriptionJobName": name, "TranscriptionJobStatus": job.status}
            for name, job in self.jobs.items()
            if JobNameContains in name
        ]
        return {"MedicalTranscriptionJobSummaries": found}

    def delete_medical_transcription_job(self, MedicalTranscriptionJobName: str) -> dict[str, Any]:
        if self.jobs.pop(MedicalTranscriptionJobName, None) is None:
            raise Refused("NotFoundException")
        return {}

    @property
    def running(self) -> list[Transcription]:
        return [job for job in self.jobs.values() if job.status == "IN_PROGRESS"]

    def end(self, name: str) -> None:
        job = self.jobs.get(name)
        if job is None or job.status != "IN_PROGRESS":
            return
        there = self._buckets.current(MEDIA, job.key)
        if self._late and there:
            job.version_id, job.body = there.version_id, there.body
        if self._fails("transcription"):
            job.status, job.reason = "FAILED", "internal error"
        elif job.body == CORRUPT:
            job.status, job.reason = "FAILED", INVALID
        else:
            job.status = "COMPLETED"
            text = heard(job.body, job.wanted["Type"])
            transcript = {"results": {"transcripts": [{"transcript": text}], "items": []}}
            self._buckets.put(CLINICAL, job.wanted["OutputKey"], json.dumps(transcript).encode(), {})


def heard(body: bytes, kind: str) -> str:
    """What a recording's transcript says: under other settings other words, which are another thing to pay for."""
    text = body.decode()
    return text if kind == "DICTATION" else text.replace("-", "~")


@dataclass
class Detection:
    wanted: dict[str, Any]
    documents: dict[str, str]
    status: str = "IN_PROGRESS"
    failed: frozenset[str] = frozenset()

    @property
    def paid(self) -> list[str]:
        """The documents that it has looked at, or will: what fails isn't charged."""
        if self.status in ("FAILED", "STOPPED"):
            return []
        return sorted(self.documents.keys() - self.failed)


class ComprehendMedical:
    def __init__(self, buckets: Buckets, fails: Fate, *, started: Started | None = None) -> None:
        self._buckets, self._fails, self._started = buckets, fails, started
        self.jobs: dict[str, Detection] = {}
        self._number = 0
        self.quota = 10

    def start_entities_detection_v2_job(self, **wanted: Any) -> dict[str, Any]:
        for job_id, job in self.jobs.items():
            if job.wanted["ClientRequestToken"] == wanted["ClientRequestToken"]:
                return {"JobId": job_id}
        if len(self.running) >= self.quota:
            raise Refused("TooManyRequestsException")
        prefix = wanted["InputDataConfig"]["S3Key"]
        documents = {key: self._text(key) for key in self._buckets.keys(CLINICAL, prefix)}
        self._number += 1
        job_id = f"cm{self._number}"
        self.jobs[job_id] = Detection(wanted, {key.removeprefix(prefix): text for key, text in documents.items()})
        if self._started:
            self._started(job_id)
        return {"JobId": job_id}

    def describe_entities_detection_v2_job(self, JobId: str) -> dict[str, Any]:
        if JobId not in self.jobs:
            raise Refused("ResourceNotFoundException")
        if self.jobs[JobId].status == "IN_PROGRESS" and not self._started:
            self.end(JobId)
        return {"ComprehendMedicalAsyncJobProperties": self._described(JobId)}

    def list_entities_detection_v2_jobs(self, Filter: dict[str, str], **_: Any) -> dict[str, Any]:
        described = map(self._described, self.jobs)
        found = [job for job in described if all(job.get(name) == value for name, value in Filter.items())]
        return {"ComprehendMedicalAsyncJobPropertiesList": found}

    @property
    def running(self) -> list[Detection]:
        return [job for job in self.jobs.values() if job.status == "IN_PROGRESS"]

    def stop(self) -> None:
        """The first that runs."""
        self.running[0].status = "STOPPED"

    def words(self) -> Iterator[str]:
        """Every word that was looked at, as often as it was."""
        for job in self.jobs.values():
            for name in job.paid:
                yield from job.documents[name].split()

    def _text(self, key: str) -> str:
        there = self._buckets.current(CLINICAL, key)
        return there.body.decode() if there else ""

    def _described(self, job_id: str) -> dict[str, Any]:
        job = self.jobs[job_id]
        return {
            "JobId": job_id,
            "JobName": job.wanted["JobName"],
            "JobStatus": job.status,
            "InputDataConfig": dict(job.wanted["InputDataConfig"]),
            "OutputDataConfig": {"S3Bucket": CLINICAL, "S3Key": directory(job_id)},
            "ManifestFilePath": f"{directory(job_id)}Manifest",
        } | ({"Message": "internal error"} if job.status == "FAILED" else {})

    def end(self, job_id: str) -> None:
        """All documents, or but for the last one, or none, unless it was stopped or is gone."""
        job = self.jobs.get(job_id)
        if job is None or job.status != "IN_PROGRESS":
            return
        if self._fails("entity detection"):
            job.status = "FAILED"
            return
        if self._fails("last document"):
            job.failed = frozenset({max(job.documents)})
        place, prefix = directory(job_id), job.wanted["InputDataConfig"]["S3Key"]
        for name in job.paid:
            output = {"Entities": [entity(job.documents[name])], "UnmappedAttributes": []}
            self._write(f"{place}{name}.out", output)
        done = [{"Input": prefix + name, "Output": f"{place}{name}.out"} for name in job.paid]
        failed = [{"Input": prefix + name, **NOT_PROCESSED} for name in sorted(job.failed)]
        lists = {kind: f"{place}Manifest_{place.split('/')[1]}/{kind}/files.json" for kind in ("success", "failed")}
        self._write(lists["success"], {"Files": done})
        self._write(lists["failed"], {"Files": failed})
        summary = {
            "SuccessFilesCount": len(done),
            "UnprocessedFilesCount": len(failed),
            "SuccessfulFilesListLocation": lists["success"],
            "UnprocessedFilesListLocation": lists["failed"],
        }
        self._write(f"{place}Manifest", {"Summary": summary})
        job.status = "PARTIAL_SUCCESS" if job.failed else "COMPLETED"

    def _write(self, key: str, content: object) -> None:
        self._buckets.put(CLINICAL, key, json.dumps(content).encode(), {})


def directory(job_id: str) -> str:
    """What a job writes is below it, as AWS's example has it (guide, "Batch operations")."""
    return f"entities/123456789012-EntitiesDetection-{job_id}/"


def entity(text: str) -> dict[str, Any]:
    """The one that is found in a document: its first word."""
    word = text.split()[0]
    place = {"BeginOffset": 0, "EndOffset": len(word)}
    return {"Id": 0, "Category": "MEDICATION", "Type": "GENERIC_NAME", "Text": word, "Score": 0.99} | place
