"""The engines of the local AWS's services, which hear, find and fail as the simulation's jobs do."""

import threading
from typing import Any

import pytest

from local.services.cleanroomsml import jobs as audience_jobs
from local.services.cleanroomsml.storage import JobFailure as AudienceFailure
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import failures
from local.services.transcribe import models as transcription_models
from tests.simulation.jobs import NOT_PROCESSED, entity
from tests.statemachine.conftest import Engines
from tests.storms.fidelity.steps import DETECTION, GENERATION, LAST_DOCUMENT, TRANSCRIPTION

PATIENCE_SECONDS = 100


class Engine(Engines):
    """Hears and finds what the simulation does; it may be held, and `fails` has the jobs that fail next."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()
        self.fails: list[str] = []

    def transcribe(self, samples: Any) -> Any:
        self.go_on.wait(PATIENCE_SECONDS)
        return super().transcribe(samples)

    def detect(self, text: str) -> dict[str, Any]:
        return {"Entities": [entity(text)], "UnmappedAttributes": []}

    def failing(self, kind: str) -> bool:
        if kind not in self.fails:
            return False
        self.fails.remove(kind)
        return True

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """The services' steps that the simulation's jobs have as one."""
        decode, generate = failures.decode_checked, audience_jobs.generate_audience
        process, read = entity_jobs._process, entity_jobs._read

        def decode_unless_failing(*given: Any) -> Any:
            if self.failing(TRANSCRIPTION):
                raise RuntimeError
            return decode(*given)

        def process_unless_failing(*given: Any) -> None:
            if self.failing(DETECTION):
                raise RuntimeError
            process(*given)

        def read_unless_failing(document: Any, store: Any) -> Any:
            last = max(item.key for item in store.documents())
            if document.key == last and self.failing(LAST_DOCUMENT):
                return "", (NOT_PROCESSED["ErrorCode"], NOT_PROCESSED["ErrorMessage"])
            return read(document, store)

        def generate_unless_failing(job: Any) -> None:
            if self.failing(GENERATION):
                raise AudienceFailure("ERROR", "access denied")
            generate(job)

        patch.setattr(transcription_models, "engine", self.transcribe)
        patch.setattr(entity_jobs, "engine", self.detect)
        patch.setattr("local.services.transcribe.jobs.decode_checked", decode_unless_failing)
        patch.setattr(entity_jobs, "_process", process_unless_failing)
        patch.setattr(entity_jobs, "_read", read_unless_failing)
        patch.setattr(audience_jobs, "generate_audience", generate_unless_failing)
