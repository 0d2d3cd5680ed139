"""The simulations' assumptions about AWS and the recordings: undocumented durations, and the default quotas.

Quotas: Amazon Transcribe guide, "Guidelines and quotas" (250 jobs, 25 starts and 30 gets a second; older copies of the
page say 100, 10 and 20); Comprehend Medical guide, "Guidelines and quotas"; Step Functions guide, "Service quotas"
(largest Regions); Lambda guide, "Quotas"; S3 guide, "Optimizing performance". A new account's may be lower: see
docs/quotas.md.
"""

import random
from typing import NamedTuple

AUDIO_MEDIAN_SECONDS = 600.0
AUDIO_SIGMA = 0.8
AUDIO_SHORTEST, AUDIO_LONGEST = 30.0, 4 * 3600.0
TRANSCRIPTION_OVERHEAD_SECONDS = 20.0
TRANSCRIPTION_SHARE_OF_AUDIO, TRANSCRIPTION_SIGMA = 0.25, 0.25
# The error of the length that PlanBatch estimates from a file's size, which decides the order only.
SIZE_SIGMA = 0.2
ENTITY_DETECTION_OVERHEAD_SECONDS, ENTITY_DETECTION_SIGMA = 360.0, 0.3
ENTITY_DETECTION_DOCUMENTS_PER_SECOND = 5.0
GENERATION_MEDIAN_SECONDS, GENERATION_SIGMA = 3600.0, 0.35
CALL_SECONDS = 0.4  # a function that makes a call or a few
REQUEST_SECONDS = 0.04  # a request to S3, of 16 that share a processor
SECONDS_PER_BATCH_STEP = 0.05  # PrepareDocuments and CollectEntities, per recording
EVENT_BYTES = 2_000  # a message as the function gets it: the event, its escapes, SQS's attributes

QUOTAS = {
    "StartMedicalTranscriptionJob /s": 25.0,
    "GetMedicalTranscriptionJob /s": 30.0,
    "StartEntitiesDetectionV2Job /s": 5.0,
    "ListEntitiesDetectionV2Jobs /s": 10.0,
    "DescribeEntitiesDetectionV2Job /s": 10.0,
    "StartExecution /s": 300.0,
    "state transitions /s": 5_000.0,
    "functions at a time": 1_000.0,
    # The size of a token bucket that is refilled by one a second.
    "ListExecutions bucket": 100.0,
    "ListMapRuns bucket": 100.0,
    "DescribeMapRun bucket": 200.0,
    "UpdateMapRun bucket": 100.0,
    "S3 lists of transcripts/ /s": 5_500.0,
    "S3 reads of media/ /s": 5_500.0,
    "S3 reads of records/ /s": 5_500.0,
    # The limits of a new on-demand table, for items below 1 KB.
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
    "DynamoDB reads /s": 12_000.0,
    "DynamoDB writes /s": 4_000.0,
    "DynamoDB writes of the members table /s": 4_000.0,
}
TRANSCRIPTION_JOBS, ENTITY_DETECTION_JOBS = 250, 10


class Workload(NamedTuple):
    """A recording: seconds of audio, duration of its job, seconds of audio estimated from its size."""

    audio_seconds: float
    job_seconds: float
    guessed_audio_seconds: float


def recordings(count: int, seed: int) -> list[Workload]:
    chance = random.Random(seed)
    drawn = []
    for _ in range(count):
        audio = AUDIO_MEDIAN_SECONDS * chance.lognormvariate(0, AUDIO_SIGMA)
        audio = min(max(audio, AUDIO_SHORTEST), AUDIO_LONGEST)
        pace = TRANSCRIPTION_SHARE_OF_AUDIO * chance.lognormvariate(0, TRANSCRIPTION_SIGMA)
        drawn.append(
            Workload(audio, TRANSCRIPTION_OVERHEAD_SECONDS + audio * pace, audio * chance.lognormvariate(0, SIZE_SIGMA))
        )
    return drawn


def generations(count: int, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [GENERATION_MEDIAN_SECONDS * chance.lognormvariate(0, GENERATION_SIGMA) for _ in range(count)]


def describe() -> str:
    return (
        f"Assumed: audio lognormal, median {AUDIO_MEDIAN_SECONDS:.0f} s, sigma {AUDIO_SIGMA}, "
        f"{AUDIO_SHORTEST:.0f} s to {AUDIO_LONGEST:.0f} s; transcription {TRANSCRIPTION_OVERHEAD_SECONDS:.0f} s + "
        f"{TRANSCRIPTION_SHARE_OF_AUDIO} of the audio (sigma {TRANSCRIPTION_SIGMA}); entity detection "
        f"{ENTITY_DETECTION_OVERHEAD_SECONDS:.0f} s (sigma {ENTITY_DETECTION_SIGMA}) + a second per "
        f"{ENTITY_DETECTION_DOCUMENTS_PER_SECOND:.0f} documents; audience {GENERATION_MEDIAN_SECONDS:.0f} s "
        f"(sigma {GENERATION_SIGMA}); {TRANSCRIPTION_JOBS} transcription and {ENTITY_DETECTION_JOBS} entity detection "
        f"jobs at a time; {CALL_SECONDS} s per short function.\n"
        "Quotas: " + ", ".join(f"{name} {quota:g}" for name, quota in QUOTAS.items())
    )
