"""Transcribe's JSON 1.1 operations for medical transcription jobs; all others are moto's."""

import json
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.transcribe.responses import TranscribeResponse as MotoTranscribeResponse

from .models import TranscribeBackend, transcribe_backends


class TranscribeResponse(MotoTranscribeResponse):
    @property
    def transcribe_backend(self) -> TranscribeBackend:
        return transcribe_backends[self.current_account][self.region]

    def start_medical_transcription_job(self) -> ActionResult:
        job = self.transcribe_backend.start_medical_job(self._request, self.access_key)
        return ActionResult({"MedicalTranscriptionJob": job.description()})

    def get_medical_transcription_job(self) -> ActionResult:
        job = self.transcribe_backend.medical_job(self._request.get("MedicalTranscriptionJobName", ""))
        return ActionResult({"MedicalTranscriptionJob": job.description()})

    def list_medical_transcription_jobs(self) -> ActionResult:
        jobs, next_token = self.transcribe_backend.medical_jobs(self._request)
        answer: dict[str, Any] = {"MedicalTranscriptionJobSummaries": [job.summary() for job in jobs]}
        if next_token:
            answer["NextToken"] = next_token
        if "Status" in self._request:
            answer["Status"] = self._request["Status"]
        return ActionResult(answer)

    def delete_medical_transcription_job(self) -> ActionResult:
        self.transcribe_backend.delete_medical_job(self._request.get("MedicalTranscriptionJobName", ""))
        return EmptyResult()

    @property
    def _request(self) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(self.body)
        return request
