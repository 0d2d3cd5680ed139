"""Nothing that the SDK knows of a request or an answer is lost on its way through the functions."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.stub import Stubber

from lambdas import clean_rooms_ml, comprehend_medical, transcribe_medical
from lambdas.entities.jobs import note_started
from lambdas.planning.execution_input import read_request
from lambdas.rules import parameters
from lambdas.rules.sdk_model import input_shape
from lambdas.shared import jobs
from lambdas.shared.errors import InvalidInput

JOB = "job-of-20-characters"
RECORDING: Any = {
    "batch_id": "b",
    "media_id": "m",
    "user_id": "p",
    "uri": "s3://media-bucket/media/p/a",
    "transcript_id": "t",
}
DOCUMENTS = {"jobs_key": "batches/b/used-jobs-1.json", "new": {"base": "d"}}
SEED: Any = {"cohort": "c", "seed_uri": "s3://audience-bucket/seeds/c/s.jsonl"}


def filled(shape: Shape) -> Any:
    """A value with every member that `shape` has, at every depth."""
    if isinstance(shape, StructureShape):
        return {name: filled(member) for name, member in shape.members.items()}
    if isinstance(shape, ListShape):
        return [filled(shape.member)]
    if isinstance(shape, MapShape):
        return {"key": filled(shape.value)}
    if isinstance(shape, StringShape):
        return shape.enum[0] if shape.enum else "x" * max(1, shape.metadata.get("min", 1))
    others: dict[str, Any] = {
        "boolean": True,
        "integer": shape.metadata.get("min", 1),
        "double": 0.5,
        "timestamp": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    return others[shape.type_name]


@pytest.mark.parametrize(
    ("module", "client", "method", "within", "ended", "stage"),
    [
        (
            transcribe_medical,
            transcribe_medical.transcribe,
            "get_medical_transcription_job",
            "MedicalTranscriptionJob",
            {"TranscriptionJobStatus": "COMPLETED"},
            "transcription",
        ),
        (
            comprehend_medical,
            comprehend_medical.comprehend_medical,
            "describe_entities_detection_v2_job",
            "ComprehendMedicalAsyncJobProperties",
            {"JobStatus": "COMPLETED"},
            "entity_detection",
        ),
        (
            clean_rooms_ml,
            clean_rooms_ml.clean_rooms_ml,
            "get_audience_generation_job",
            None,
            {"status": "ACTIVE", "name": JOB},
            "audience_generation",
        ),
    ],
    ids=["transcription", "entity detection", "audience generation"],
)
def test_every_member_of_an_answer_is_in_the_job_s_record(
    s3: Any,
    stubbed: Callable[[Any], Stubber],
    module: ModuleType,
    client: Any,
    method: str,
    within: str | None,
    ended: dict[str, str],
    stage: str,
) -> None:
    operation = client.meta.method_to_api_mapping[method]
    answer = filled(client.meta.service_model.operation_model(operation).output_shape)
    described = answer[within] if within else answer
    described.update(ended)
    stubbed(client).add_response(method, answer)
    job = {**jobs.started(JOB, 30, 0), "polls": jobs.EARLY_POLLS}
    s3.put_object(Bucket="clinical-bucket", Key=DOCUMENTS["jobs_key"], Body=b'[{"base": "d"}]')
    note_started("d", JOB, 1)
    event = {"batch_id": "b", "recording": RECORDING, "documents": DOCUMENTS, "job": job, "redrive_count": 0}
    module.poll(event, None)
    # The recording's URI names the patient, and is in the plan.
    described.pop("Media", None)
    kept = s3.get_object(Bucket="clinical-bucket", Key=f"batches/b/jobs/{stage}/{JOB}.json")["Body"].read()
    assert json.loads(kept) == json.loads(json.dumps(described, default=datetime.isoformat))


@pytest.mark.parametrize("operation", parameters.OPERATIONS)
def test_every_member_that_may_be_asked_for_is_in_the_request(operation: str) -> None:
    service = parameters.OPERATIONS[operation]
    shape = input_shape(service.SERVICE, operation)
    asked = {name: value for name, value in filled(shape).items() if name not in service.SET_BY_PIPELINE}
    request = {
        "StartMedicalTranscriptionJob": lambda: transcribe_medical.request("n", RECORDING, asked),
        "StartEntitiesDetectionV2Job": lambda: comprehend_medical.request("d", 1, asked),
        "StartAudienceGenerationJob": lambda: clean_rooms_ml.request("n", SEED, asked),
    }[operation]()
    if name := asked.pop("JobName", None):
        assert request["JobName"] == f"{name}-d-1"
    assert {name: request[name] for name in asked} == asked
    assert set(request) == set(shape.members)


def test_an_execution_may_not_choose_the_collaboration() -> None:
    request = {
        "media": ["s3://media-bucket/media/p/a.wav"],
        "parameters": {"StartAudienceGenerationJob": {"collaborationId": "01234567-89ab-cdef-0123-456789abcdef"}},
    }
    with pytest.raises(InvalidInput, match="collaborationId can't be changed by an execution"):
        read_request(request)
