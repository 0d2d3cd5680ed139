"""One medical transcription job, from request to transcript."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
from botocore.exceptions import BotoCoreError, ClientError
from moto.core.utils import utcnow
from numpy.typing import NDArray

from local.engines.media import Audio
from local.engines.speech import Word

from .failures import JobFailure, check_size, decode_checked
from .phi import identify_phi
from .storage import CallerStorage, Location, transcript_location
from .transcript import alternative_segments, channel_labels, speaker_labels, transcript
from .utterances import in_turn, utterances
from .validation import Request

Engine = Callable[[NDArray[np.int16]], list[Word]]
"""Returns the words in mono 16 kHz samples, in order."""

Diarizer = Callable[[NDArray[np.int16], Sequence[Word], int], list[int]]
"""Returns the speaker of each word, numbered from 0 in order of appearance, for at most so many speakers."""

_ECHOED = (
    "MedicalTranscriptionJobName",
    "LanguageCode",
    "MediaSampleRateHertz",
    "MediaFormat",
    "Media",
    "Settings",
    "ContentIdentificationType",
    "Specialty",
    "Type",
    "Tags",
)
_LISTED = ("MedicalTranscriptionJobName", "LanguageCode", "Specialty", "ContentIdentificationType", "Type")


class MedicalTranscriptionJob:
    """A job's request and state. One worker thread writes, any thread reads."""

    def __init__(self, request: Request, account_id: str, region_name: str, media: Location, media_size: int) -> None:
        self.name: str = request["MedicalTranscriptionJobName"]
        self.status = "QUEUED"
        self._request = request
        self._account_id = account_id
        self._region_name = region_name
        self._media = media
        self._media_size = media_size
        self._output = transcript_location(request["OutputBucketName"], request.get("OutputKey"), self.name)
        self._detected: dict[str, Any] = {}
        self._failure_reason: str | None = None
        self._created = utcnow()
        self._started: datetime | None = None
        self._ended: datetime | None = None

    def check_write(self, storage: CallerStorage) -> None:
        """Raise botocore's ClientError if the service's check of its write access fails."""
        storage.check_write(self._output, *self._key())

    def begin(self) -> None:
        self._started = utcnow()
        self.status = "IN_PROGRESS"

    def fail(self, reason: str) -> None:
        self._failure_reason = reason
        self._ended = utcnow()
        self.status = "FAILED"

    def transcribe(self, storage: CallerStorage, engine: Engine, speakers: Diarizer, stopped: threading.Event) -> None:
        """Read the recording, write the transcript, complete the job; else raise JobFailure with the reason.

        Once `stopped` is set, nothing is written and the job stays IN_PROGRESS.
        """
        check_size(self._media_size)
        try:
            data = storage.read(self._media)
        except (ClientError, BotoCoreError) as error:
            raise JobFailure(f"The media file can't be read: {_code(error)}.") from error
        audio = decode_checked(data, self._request.get("MediaFormat"), self._request.get("MediaSampleRateHertz"))
        self._detected = {"MediaFormat": audio.format, "MediaSampleRateHertz": audio.sample_rate}
        content = self._content(audio, engine, speakers)
        if stopped.is_set():
            return
        try:
            storage.write_json(self._output, content, *self._key())
        except (ClientError, BotoCoreError) as error:
            raise JobFailure(
                f"The transcript can't be written to s3://{self._output.bucket}/{self._output.key}: {_code(error)}. "
                "Make sure that you have write permission and try your request again."
            ) from error
        self._ended = utcnow()
        self.status = "COMPLETED"

    def description(self) -> dict[str, Any]:
        """``MedicalTranscriptionJob`` of Start's and Get's answers."""
        # Read once: the worker may complete the job between two reads.
        status = self.status
        echoed = {name: self._request[name] for name in _ECHOED if name in self._request}
        described = {**self._detected, **echoed, **self._progress(status)}
        if status == "COMPLETED":
            uri = f"https://s3.{self._region_name}.amazonaws.com/{self._output.bucket}/{self._output.key}"
            described["Transcript"] = {"TranscriptFileUri": uri}
        return described

    def summary(self) -> dict[str, Any]:
        """``MedicalTranscriptionJobSummary`` of List's answer."""
        listed = {name: self._request[name] for name in _LISTED if name in self._request}
        return {**listed, **self._progress(self.status), "OutputLocationType": "CUSTOMER_BUCKET"}

    def _key(self) -> tuple[str | None, dict[str, str] | None]:
        return self._request.get("OutputEncryptionKMSKeyId"), self._request.get("KMSEncryptionContext")

    def _progress(self, status: str) -> dict[str, Any]:
        progress = {
            "TranscriptionJobStatus": status,
            "CreationTime": self._created,
            "StartTime": self._started,
            "CompletionTime": self._ended if status in ("COMPLETED", "FAILED") else None,
            "FailureReason": self._failure_reason if status == "FAILED" else None,
        }
        return {name: value for name, value in progress.items() if value is not None}

    def _content(self, audio: Audio, engine: Engine, speakers: Diarizer) -> dict[str, Any]:
        settings = self._request.get("Settings", {})
        labels: dict[str, Any] = {}
        if settings.get("ChannelIdentification"):
            tracks = [engine(channel) for channel in audio.samples]
            turns = in_turn(tracks)
            labels["channel_labels"] = channel_labels(tracks)
        else:
            sound = audio.mono()
            words = engine(sound)
            tracks = [words]
            turns = utterances(words)
            if settings.get("ShowSpeakerLabels"):
                speaker_of_word = speakers(sound, words, settings["MaxSpeakerLabels"])
                turns = utterances(words, speaker_of_word)
                labels["speaker_labels"] = speaker_labels(turns, speaker_of_word)
        if settings.get("ShowAlternatives"):
            labels["segments"] = alternative_segments(turns)
        if self._request.get("ContentIdentificationType") == "PHI":
            entities = [entity for words in tracks for entity in identify_phi(words)]
            labels["entities"] = sorted(entities, key=lambda entity: entity["startTime"])
        return transcript(self.name, self._account_id, list(chain.from_iterable(turns)), labels)


def _code(error: ClientError | BotoCoreError) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
