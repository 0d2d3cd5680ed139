"""Checks of the two recordings' results: transcript, rejection, entities, records, pages, and the jobs' duration.

Sources: GetMedicalTranscriptionJob API reference (FailureReason); docs/aws.md for the assumptions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lambdas.shared.jobs import expected_entity_detection_seconds, expected_transcription_seconds
from lambdas.shared.layout import (
    BATCH_REPORT,
    PLAN,
    SUMMARY,
    TRANSCRIPTS,
    batch_prefix,
    deidentified_key,
    documents_prefix,
    job_documents_key,
    recording_report_key,
    records_key,
    transcript_key,
)
from lambdas.shared.uris import parse_uri
from operations.rejections import rejected_recordings
from operations.verify.checks import SEND, Check, Seen, holds, not_seen, refuted, shortened
from operations.verify.observed import Observed
from operations.verify.rehearsal import usable_seconds

# The first six: GetMedicalTranscriptionJob API reference, FailureReason. The last two: awsdocs/amazon-transcribe-
# developer-guide issue 12.
KNOWN_REASONS = (
    "Unsupported media format",
    "The media format provided does not match the detected media format",
    "Invalid sample rate for audio file",
    "The sample rate provided does not match the detected sample rate",
    "Invalid file size: file size too large",
    "Invalid number of channels: number of channels too large",
    "The data in your input media file isn't valid",
    "The input media file length is too small",
)
# The first poll comes at 0.8 of the expected time; three times that would make the waits wrong for every batch.
_TOLERANCE = 3
_MOST_OUTPUTS = 5


def _transcription(observed: Observed) -> Seen:
    if failure := observed.failure_in("StartTranscription", "WaitForTranscription", "PollTranscription"):
        return refuted(shortened(failure))
    if observed.planned is None:
        return observed.never("TranscribeMedia")
    key = transcript_key(observed.planned["transcript_id"])
    if (head := observed.head(key)) is None:
        rejected = [
            item["reason"] for item in (observed.summary or {}).get("rejected", ()) if _is_usable(observed, item)
        ]
        return refuted(f"The sample was rejected: {rejected[0]}") if rejected else observed.never("a transcript")
    seen = _under_our_key(observed, {key: head})
    return seen._replace(evidence=f"{seen.evidence}; {_left_behind(observed)}")


def _is_usable(observed: Observed, item: Mapping[str, Any]) -> bool:
    return bool(item["uri"] == observed.usable)


def _left_behind(observed: Observed) -> str:
    """Whether Transcribe has left the object with which it tests its write access, and with which encryption."""
    name = f"{TRANSCRIPTS}.write_access_check_file.temp"
    versions = observed.client("s3").list_object_versions(Bucket=observed.deployed.clinical, Prefix=name)
    if not versions.get("Versions") and not versions.get("DeleteMarkers"):
        return f"no {name} beside it"
    head = observed.head(name)
    return f"{name} beside it, {head.get('ServerSideEncryption') if head else 'deleted again'}"


def _under_our_key(observed: Observed, heads: Mapping[str, Mapping[str, Any]]) -> Seen:
    """Whether each of these objects is encrypted with the clinical key."""
    for name, head in heads.items():
        used = (head.get("ServerSideEncryption"), head.get("SSEKMSKeyId"))
        if used != ("aws:kms", observed.clinical_key):
            return refuted(f"{name} has {used[0]} with {used[1]}, not {observed.clinical_key}")
    more = f" and {len(heads) - 1} more" if len(heads) > 1 else ""
    return holds(f"{next(iter(heads))}{more}: aws:kms with {observed.clinical_key}")


def _rejection(observed: Observed) -> Seen:
    if observed.summary is None:
        return observed.never("the summary")
    rejected = observed.summary["rejected"] + [
        item for execution in observed.batches for item in rejected_recordings(observed.deployed, execution)
    ]
    reasons = [item["reason"] for item in rejected if item["uri"] == observed.unusable]
    if not reasons:
        return refuted("A text file with the extension .mp3 was not rejected.")
    evidence = f"the reason is: {reasons[0]}"
    return holds(evidence) if any(text in reasons[0] for text in KNOWN_REASONS) else refuted(evidence)


def _entity_detection(observed: Observed) -> Seen:
    if failure := observed.failure_in("StartEntityDetection", "WaitForEntityDetection", "PollEntityDetection"):
        return refuted(shortened(failure))
    result = (observed.summary or {}).get("entity_detection")
    if not result:
        return observed.never("the end of entity detection")
    _, folder = parse_uri(result["output_uri"])
    # The batch may hold a thousand recordings of other patients.
    keys = sorted(observed.keys_below(folder), key=lambda key: not _is_of_usable(observed, key))[:_MOST_OUTPUTS]
    heads = {key: head for key in keys if (head := observed.head(key))}
    if not heads:
        return refuted(f"There is nothing below {result['output_uri']}.")
    seen = _under_our_key(observed, heads)
    return seen._replace(evidence=f"{seen.evidence}; ManifestFilePath is {result['manifest_path']}")


def _is_of_usable(observed: Observed, key: str) -> bool:
    return observed.planned is not None and observed.planned["media_id"] in key


def _results(observed: Observed) -> Seen:
    if failure := observed.failure_in(
        "PrepareDocuments", "CollectBatch", "CollectEntities", "SelectSeeds", "SummarizeBatch"
    ):
        return refuted(shortened(failure))
    if observed.summary is None or observed.planned is None or observed.worked is None:
        return observed.never("the summary")
    transcript_id = observed.planned["transcript_id"]
    if not observed.documents:
        return refuted(f"{observed.summary['documents']['uri']} has no document of the sample.")
    keys = [
        *(documents_prefix(document["job"]) + document["document"] for document in observed.documents),
        *(job_documents_key(job) for job in sorted({document["job"] for document in observed.documents})),
        records_key(observed.planned["object_id"]),
        recording_report_key(transcript_id),
        *(batch_prefix(observed.worked.name) + name for name in (PLAN, SUMMARY, BATCH_REPORT)),
    ]
    if observed.environment.parameters.StartMedicalTranscriptionJob.get("ContentIdentificationType") == "PHI":
        keys.append(deidentified_key(transcript_id))
    heads = {key: observed.head(key) for key in keys}
    if missing := [key for key, head in heads.items() if head is None]:
        return refuted(f"There is no {', no '.join(missing)}.")
    return _under_our_key(observed, {key: head for key, head in heads.items() if head})


def _transcription_time(observed: Observed) -> Seen:
    if not observed.jobs.transcriptions:
        return observed.never("a transcription job")
    answer = observed.client("transcribe").get_medical_transcription_job(
        MedicalTranscriptionJobName=observed.jobs.transcriptions[0]
    )
    job = answer["MedicalTranscriptionJob"]
    expected_seconds = expected_transcription_seconds(usable_seconds())
    return _in_time(job["CreationTime"], job.get("CompletionTime"), expected_seconds)


def _detection_time(observed: Observed) -> Seen:
    if not observed.jobs.detections:
        return observed.never("an entity detection job")
    answer = observed.client("comprehendmedical").describe_entities_detection_v2_job(JobId=observed.jobs.detections[0])
    job = answer["ComprehendMedicalAsyncJobProperties"]
    return _in_time(job["SubmitTime"], job.get("EndTime"), expected_entity_detection_seconds(documents=1))


def _in_time(began: datetime, ended: datetime | None, expected_seconds: float) -> Seen:
    if ended is None:
        return not_seen("The job has not ended.")
    took = (ended - began).total_seconds()
    evidence = f"{took:.0f} s; {expected_seconds:.0f} s are expected"
    return holds(evidence) if took <= _TOLERANCE * expected_seconds else refuted(evidence)


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "transcription",
        "Transcribe Medical reads the recording and writes the transcript under the clinical key.",
        SEND
        + "Compare the rights of start_transcription, and the clinical bucket's policy, with what CloudTrail shows.",
        _transcription,
    ),
    Check(
        "rejection",
        "A file that isn't audio is rejected alone, for a known reason.",
        SEND + "Add the text to docs/aws.md; lambdas/shared/jobs.py decides whether a reason is our side's fault.",
        _rejection,
    ),
    Check(
        "entity-detection",
        "Comprehend Medical reads the documents and writes its output under the clinical key.",
        SEND + "Compare the rights of the entity detection role, and the bucket's policy, with what CloudTrail shows.",
        _entity_detection,
    ),
    Check(
        "results",
        "Documents, records, pages and the summary are written under the clinical key.",
        "Follow docs/reruns.md for the error.",
        _results,
    ),
    Check(
        "transcription-time",
        "A transcription takes about 20 seconds and a quarter of the recording's length.",
        SEND + "The end of jobs is noticed late; nothing is lost.",
        _transcription_time,
    ),
    Check(
        "entity-detection-time",
        "Entity detection of a small batch takes about five minutes.",
        SEND + "The end of jobs is noticed late; nothing is lost.",
        _detection_time,
    ),
)
