"""A poll function as in AWS's samples: boto3, the two clients it needs, print."""

import json
from typing import Any

import boto3

transcribe = boto3.client("transcribe")
s3 = boto3.client("s3")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The status of the job, and the transcript's URI once it is written."""
    print(json.dumps(event))
    answer = transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=event["job_name"])
    job = answer["MedicalTranscriptionJob"]
    if job["TranscriptionJobStatus"] == "COMPLETED":
        s3.head_object(Bucket=event["bucket"], Key=event["key"])
    return {"status": job["TranscriptionJobStatus"]}
