"""Audiences that were generated from a seed which held the patient, or a patient who was forgotten earlier.

An exported audience is in its owner's bucket, where `forget` can't delete it.

Sources: API references of ListAudienceGenerationJobs, GetAudienceGenerationJob (seedAudience.dataSource.s3Uri) and
DeleteAudienceGenerationJob.
"""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lambdas.shared.parallel import mapped
from lambdas.shared.uris import parse_uri, uri_of
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting.removal import PEOPLE_REMOVED
from operations.forgetting.survey import Findings


class Audience(NamedTuple):
    """`seed_uri` is None if the seed is a query; `seed_is_there` is false if the seed has expired."""

    arn: str
    status: str
    seed_uri: str | None
    held_them: bool
    seed_is_there: bool


def audiences(deployed: Deployed, findings: Findings) -> list[Audience]:
    """The environment's audiences whose seed held, or may have held, the patient.

    A seed that still holds the patient is in `findings`. A seed that an earlier run has rewritten has a mark in its
    metadata.
    """
    client, s3 = deployed.client("cleanroomsml"), deployed.client("s3")
    holding = {
        uri_of(found.version.bucket, found.version.key) for found in findings.parts if found.category.kind == "seeds"
    }
    pages = client.get_paginator("list_audience_generation_jobs").paginate()
    listed = [job for page in pages for job in page["audienceGenerationJobs"]]
    ours = [job["audienceGenerationJobArn"] for job in listed if job["name"].startswith(f"{deployed.prefix}-")]

    def describe(arn: str) -> Audience:
        job = client.get_audience_generation_job(audienceGenerationJobArn=arn)
        uri = job.get("seedAudience", {}).get("dataSource", {}).get("s3Uri")
        if uri is None or uri in holding:
            return Audience(arn, job["status"], uri, uri is not None, True)
        removed = _people_removed(s3, uri)
        return Audience(arn, job["status"], uri, bool(removed), removed is not None)

    return [audience for audience in mapped(describe, ours) if audience.held_them or not audience.seed_is_there]


def delete_audiences(deployed: Deployed, found: list[Audience]) -> None:
    """Raises OperationError if an audience is still being generated."""
    client = deployed.client("cleanroomsml")
    for audience in found:
        try:
            client.delete_audience_generation_job(audienceGenerationJobArn=audience.arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                continue
            if error.response["Error"]["Code"] != "ConflictException":
                raise
            raise OperationError(
                f"The audience {audience.arn} can't be deleted ({error.response['Error']['Message']}); wait until it "
                "has ended, then forget again with --audiences."
            ) from None


def _people_removed(s3: Any, uri: str) -> bool | None:
    """Whether `forget` has removed a patient from this seed; None if the seed has expired."""
    bucket, key = parse_uri(uri)
    try:
        return PEOPLE_REMOVED in s3.head_object(Bucket=bucket, Key=key)["Metadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
            raise
        return None
