"""Stolen credentials by way of a service: jobs that are to read or write for a role what it can't itself."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from local.aws.credentials import ACCOUNT_ID, operator_credentials
from tests.attack.actor import Actor
from tests.attack.inputs import FOREIGN_MODEL
from tests.attack.matrix import REFUSALS, Verdict
from tests.attack.stage import HELD, Stage, credentials_of

AREA = "jobs"
PATIENCE_SECONDS = 30
# A start that is refused for what the caller can't read, in the services' own codes.
UNREADABLE = REFUSALS | {"BadRequestException", "InvalidRequestException"}


class Job(NamedTuple):
    """`outcome` starts the job and tells how it ended: the status, and the reason if any."""

    role: str
    what: str
    outcome: Callable[[Actor], str]


def jobs(stage: Stage) -> Iterator[Job]:
    media, clinical, audience, bystander = (
        stage.buckets[name] for name in ("media", "clinical", "audience", "bystander")
    )
    ours = next(iter(stage.dropped.texts))
    places = ((clinical, f"records/{HELD}"), (audience, f"seeds/{HELD}"), (bystander, f"other/{HELD}"))
    for number, (bucket, key) in enumerate(places):
        wanted = {"Media": {"MediaFileUri": f"s3://{bucket}/{key}"}, "MediaFormat": "wav"}
        yield transcription(stage, f"reads {key}", f"read-{number}", **wanted)
    for number, key in enumerate(("records/attack.json", "deidentified/attack.json", "entity-jobs/attack")):
        wanted = {"Media": {"MediaFileUri": ours}, "OutputKey": key}
        yield transcription(stage, f"writes {key}", f"write-{number}", **wanted)
    for name in ("media-key", "audience-key", "bystander-key"):
        arn = f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/{stage.keys[name]}"
        wanted = {"Media": {"MediaFileUri": ours}, "OutputKey": "transcripts/attack", "OutputEncryptionKMSKeyId": arn}
        yield transcription(stage, f"encrypts with {name}", name, **wanted)
    prefixes = (
        (clinical, "records/"), (clinical, "transcripts/"), (media, "media/"), (audience, "seeds/"),
        (bystander, "other/"),
    )  # fmt: skip
    for bucket, prefix in prefixes:
        yield entity_detection(stage, f"reads {prefix}", (bucket, prefix), (clinical, "entities/"))
        if prefix != "records/":
            yield entity_detection(stage, f"writes {prefix}", (clinical, "documents/"), (bucket, prefix))
    for number, (bucket, key) in enumerate(((clinical, f"records/{HELD}"), (bystander, f"other/{HELD}"))):
        yield audience_generation(
            stage, f"reads {key}", f"read-{number}", stage.models["our-model"], f"s3://{bucket}/{key}"
        )
    seed = f"s3://{audience}/seeds/{HELD}"
    yield audience_generation(stage, "uses another account's model", "model", FOREIGN_MODEL, seed)


def transcription(stage: Stage, what: str, name: str, **wanted: Any) -> Job:
    def outcome(actor: Actor) -> str:
        transcribe = actor.client("transcribe")
        transcribe.start_medical_transcription_job(
            **{
                "MedicalTranscriptionJobName": f"attack-{name}",
                "LanguageCode": "en-US",
                "Specialty": "PRIMARYCARE",
                "Type": "DICTATION",
                "OutputBucketName": stage.buckets["clinical"],
                **wanted,
            }
        )

        def described() -> tuple[str, str]:
            answer = transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=f"attack-{name}")
            job = answer["MedicalTranscriptionJob"]
            return job["TranscriptionJobStatus"], job.get("FailureReason", "")

        return ended(described)

    return Job("start_transcription", what, outcome)


def entity_detection(stage: Stage, what: str, source: tuple[str, str], target: tuple[str, str]) -> Job:
    def outcome(actor: Actor) -> str:
        comprehend = actor.client("comprehendmedical")
        started = comprehend.start_entities_detection_v2_job(
            JobName="attack",
            LanguageCode="en",
            InputDataConfig=dict(zip(("S3Bucket", "S3Key"), source, strict=True)),
            OutputDataConfig=dict(zip(("S3Bucket", "S3Key"), target, strict=True)),
            DataAccessRoleArn=stage.roles["EntityDetection"].arn,
        )

        def described() -> tuple[str, str]:
            answer = stage.world.run.pipeline.aws.client("comprehendmedical").describe_entities_detection_v2_job(
                JobId=started["JobId"]
            )
            job = answer["ComprehendMedicalAsyncJobProperties"]
            return job["JobStatus"], job.get("Message", "")

        return ended(described)

    return Job("start_entity_detection", what, outcome)


def audience_generation(stage: Stage, what: str, name: str, model: str, seed: str) -> Job:
    def outcome(actor: Actor) -> str:
        started = actor.client("cleanroomsml").start_audience_generation_job(
            name=f"attack-{name}",
            configuredAudienceModelArn=model,
            seedAudience={"dataSource": {"s3Uri": seed}, "roleArn": stage.roles["SeedReader"].arn},
        )

        def described() -> tuple[str, str]:
            job = stage.world.run.pipeline.aws.client("cleanroomsml").get_audience_generation_job(
                audienceGenerationJobArn=started["audienceGenerationJobArn"]
            )
            return job["status"], str(job.get("statusDetails", ""))

        return ended(described)

    return Job("start_audience_generation", what, outcome)


def ended(described: Callable[[], tuple[str, str]]) -> str:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        status, reason = described()
        if status in ("COMPLETED", "PARTIAL_SUCCESS", "FAILED", "ACTIVE", "CREATE_FAILED") or time.monotonic() > end:
            return f"{status} {reason}"
        time.sleep(0.02)


def attack_jobs(stage: Stage, cases: list[Job]) -> Iterator[Verdict]:
    """Each with the credentials of the function that starts such jobs: the start is refused, or the job fails."""
    for case in cases:
        stage.actor.become(credentials_of(stage.roles[case.role]))
        problem = ""
        try:
            outcome = case.outcome(stage.actor)
            if not re.match(r"(CREATE_)?FAILED .*(denied|cannot (read|list|write))", outcome, re.IGNORECASE):
                problem = f"{case.role}: a job that {case.what} ends as {outcome}"
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNREADABLE:
                problem = f"{case.role}: a job that {case.what} ends in {error}"
        yield Verdict(AREA, case.role, case.what, "wrong" if problem else "refused", problem)
    stage.actor.become(operator_credentials())
