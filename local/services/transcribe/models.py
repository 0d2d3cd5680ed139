"""Medical transcription jobs that do the work, instead of those of moto's Transcribe."""

import base64
import binascii
import functools
import logging
import threading
import traceback

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends
from moto.transcribe.exceptions import BadRequestException, ConflictException
from moto.transcribe.models import TranscribeBackend as MotoTranscribeBackend

from local.engines import speech, speech_speakers

from .failures import JobFailure
from .jobs import Diarizer, Engine, MedicalTranscriptionJob
from .storage import CallerStorage, media_location
from .validation import Request, check_model, check_start
from .worker import Worker

engine: Engine = speech.transcribe
"""Speech to text for mono 16 kHz samples. Tests that are not about speech put a fast function here."""

speakers: Diarizer = speech_speakers.speakers_of
"""The speaker of each word. Tests that are not about voices put a fast function here."""

_PAGE_SIZE = 5
_NOT_FOUND = "The requested job couldn't be found. Check the job name and try your request again."
_UNREADABLE = (
    "The S3 URI that you provided can't be accessed. "
    "Make sure that you have read permission and try your request again."
)
# Users of the service report the first sentence; the second has no source.
_UNWRITABLE = (
    "The specified S3 bucket can't be accessed. Make sure that you have write permission and try your request again."
)
_log = logging.getLogger(__name__)


class TranscribeBackend(MotoTranscribeBackend):
    """Transcribe in one account and Region. Vocabularies and plain transcription jobs remain moto's."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._jobs: dict[str, MedicalTranscriptionJob] = {}
        self._lock = threading.Lock()
        self._worker = Worker()

    def reset(self) -> None:
        """Delete all jobs: queued ones are dropped, and the running one writes no transcript."""
        self._worker.stop()
        super().reset()

    def start_medical_job(self, request: Request, access_key_id: str) -> MedicalTranscriptionJob:
        """Queue a job that acts with the rights of ``access_key_id``.

        Raises BadRequestException for a request that the service would refuse, a recording that the caller may not
        read, or an output that fails the write check, ConflictException for a name that is taken.
        """
        check_start(request)
        settings = request.get("Settings", {})
        vocabulary = settings.get("VocabularyName")
        if vocabulary and vocabulary not in self.medical_vocabularies:
            raise BadRequestException(
                "The requested vocabulary couldn't be found. Check the vocabulary name and try your request again."
            )
        self._refuse_taken_name(request["MedicalTranscriptionJobName"])
        media = media_location(request["Media"]["MediaFileUri"])
        if media is None:
            raise BadRequestException(_UNREADABLE)
        storage = CallerStorage(access_key_id, self.region_name)
        try:
            media_size = storage.size(media)
        except (ClientError, BotoCoreError) as error:
            raise BadRequestException(_UNREADABLE) from error
        if key := request.get("OutputEncryptionKMSKeyId"):
            try:
                symmetric = storage.is_symmetric(key)
            except (ClientError, BotoCoreError) as error:
                raise BadRequestException(f"The KMS key {key} can't be accessed: {error}") from error
            if not symmetric:
                raise BadRequestException(f"The KMS key {key} is asymmetric: use a symmetric encryption key.")
        self._refuse_other_region(media.bucket)
        job = MedicalTranscriptionJob(request, self.account_id, self.region_name, media, media_size)
        try:
            job.check_write(storage)
        except (ClientError, BotoCoreError) as error:
            raise BadRequestException(_UNWRITABLE) from error
        with self._lock:
            self._refuse_taken_name(job.name)
            self._jobs[job.name] = job
        self._worker.submit(functools.partial(_run, job, storage, self._worker.stopped))
        return job

    def medical_job(self, name: str) -> MedicalTranscriptionJob:
        """Raises BadRequestException if there is no job of that name."""
        check_model("GetMedicalTranscriptionJob", {"MedicalTranscriptionJobName": name})
        with self._lock:
            if name not in self._jobs:
                raise BadRequestException(_NOT_FOUND)
            return self._jobs[name]

    def delete_medical_job(self, name: str) -> None:
        """Raises BadRequestException if there is no such job, or it has not ended."""
        if self.medical_job(name).status in ("QUEUED", "IN_PROGRESS"):
            raise BadRequestException(f"The job {name} is still running: wait until it is COMPLETED or FAILED.")
        with self._lock:
            self._jobs.pop(name, None)

    def medical_jobs(self, request: Request) -> tuple[list[MedicalTranscriptionJob], str | None]:
        """A page of the jobs that match, newest first, and the token of the next page."""
        check_model("ListMedicalTranscriptionJobs", request)
        wanted = request.get("JobNameContains", "").lower()
        with self._lock:
            newest_first = list(reversed(self._jobs.values()))
        matching = [
            job
            for job in newest_first
            if wanted in job.name.lower() and request.get("Status", job.status) == job.status
        ]
        first = _position(request.get("NextToken"))
        last = first + request.get("MaxResults", _PAGE_SIZE)
        return matching[first:last], _token(last) if last < len(matching) else None

    def _refuse_other_region(self, bucket_name: str) -> None:
        bucket = s3_backends[self.account_id][self.partition].buckets.get(bucket_name)
        if bucket and bucket.region_name != self.region_name:
            raise BadRequestException(
                f"The specified S3 bucket isn't in the same region. Make sure the bucket is in {self.region_name} "
                "region and try your request again."
            )

    def _refuse_taken_name(self, name: str) -> None:
        if name in self._jobs:
            raise ConflictException("The requested job name already exists. Use a different job name.")


def _run(job: MedicalTranscriptionJob, storage: CallerStorage, stopped: threading.Event) -> None:
    job.begin()
    try:
        job.transcribe(storage, engine, speakers, stopped)
    except JobFailure as failure:
        job.fail(str(failure))
    except Exception as error:
        # Any other error is the service's. Its text is neither logged nor returned, because it may quote the recording.
        place = "".join(traceback.format_tb(error.__traceback__))
        _log.error("medical transcription job %s broke with %s\n%s", job.name, type(error).__name__, place)
        job.fail(f"Internal service failure: {type(error).__name__}")


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError) as error:
        raise BadRequestException("The NextToken isn't valid: give the one of the page before.") from error


transcribe_backends = BackendDict(TranscribeBackend, "transcribe")
