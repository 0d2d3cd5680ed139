"""What must be true of a drop of recordings when everything is over, whatever went wrong on the way."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.faults.world import Dropped, World


class Expected(NamedTuple):
    """What a case that lets a job fail may leave behind; every other case leaves nothing."""

    rejected: int = 0
    failed_transcriptions: int = 0
    audience: bool = True
    failed_audiences: int = 0


NOTHING = Expected()


def broken(world: World, dropped: Dropped, executions: list[dict[str, Any]], expected: Expected = NOTHING) -> list[str]:
    """What isn't as it must be, a sentence each; none if nothing was lost and nothing done twice."""
    summaries = [summary_of(world, execution) for execution in executions if execution["status"] == "SUCCEEDED"]
    rejected = {item["uri"] for summary in summaries for item in summary["rejected"]}
    problems = [] if len(rejected) == expected.rejected else [f"{len(rejected)} recordings were rejected: {rejected}"]
    return [
        *problems,
        *outcomes(dropped, summaries, rejected),
        *work(world, dropped, rejected, expected),
        *records(world, dropped, summaries, rejected),
        *audiences(world, summaries, expected),
        *seeds(world, dropped, summaries),
    ]


def summary_of(world: World, execution: dict[str, Any]) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(world.run.clinical(f"batches/{execution['name']}/summary.json"))
    plan = json.loads(world.run.clinical(f"batches/{execution['name']}/plan.json"))
    return summary | {"plan": plan}


def outcomes(dropped: Dropped, summaries: list[dict[str, Any]], rejected: set[str]) -> Iterator[str]:
    """Every recording is transcribed by one execution, or was before that one failed; others reused it or left it."""
    transcribed: Counter[str] = Counter()
    reused: set[str] = set()
    for summary in summaries:
        elsewhere = {item["uri"] for item in summary["elsewhere"]}
        for item in summary["plan"]["recordings"]:
            if item["reused"]:
                reused.add(item["uri"])
            elif item["uri"] not in elsewhere | rejected:
                transcribed[item["uri"]] += 1
        counts = summary["recordings"]
        if counts["received"] != sum(value for name, value in counts.items() if name != "received"):
            yield f"the counts of {summary['batch_id']} don't add up: {counts}"
    for uri in dropped.texts:
        done = transcribed[uri] == 1 or (transcribed[uri] == 0 and uri in reused | rejected)
        if not done:
            yield f"{uri} was transcribed by {transcribed[uri]} executions"


def work(world: World, dropped: Dropped, rejected: set[str], expected: Expected) -> Iterator[str]:
    """Each recording has one job, and each text was looked at once."""
    transcribe = world.run.pipeline.aws.client("transcribe")
    # The newest first: a case makes a handful.
    found = transcribe.list_medical_transcription_jobs(MaxResults=8)["MedicalTranscriptionJobSummaries"]
    described = [
        transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=item["MedicalTranscriptionJobName"])
        for item in found
    ]
    jobs = Counter(item["MedicalTranscriptionJob"]["Media"]["MediaFileUri"] for item in described)
    number = sum(jobs[uri] for uri in dropped.texts)
    if number != len(dropped.texts) + expected.failed_transcriptions:
        yield f"the recordings have {number} transcription jobs"
    detected = Counter(world.run.engines.documents)
    for uri, text in dropped.texts.items():
        if detected[text] != (0 if uri in rejected else 1):
            yield f"the text of {uri} was looked at {detected[text]} times"


def records(world: World, dropped: Dropped, summaries: list[dict[str, Any]], rejected: set[str]) -> Iterator[str]:
    """No entity is missing or there twice."""
    objects = {item["uri"]: item["object_id"] for summary in summaries for item in summary["plan"]["recordings"]}
    for uri in set(dropped.texts) - rejected:
        lines = world.run.clinical(f"records/{objects[uri]}.jsonl").splitlines() if uri in objects else []
        found = [row["text"] for row in map(json.loads, lines) if row["source"] == "comprehend_medical"]
        if found != ["hypertension"]:
            yield f"{uri} has {len(found)} entities"


def audiences(world: World, summaries: list[dict[str, Any]], expected: Expected) -> Iterator[str]:
    """The drop's seed has one audience, exported once."""
    client = world.run.pipeline.aws.client("cleanroomsml")
    for uri in {item["seed_uri"] for summary in summaries for item in summary["audiences"]}:
        jobs = [
            job
            for page in client.get_paginator("list_audience_generation_jobs").paginate()
            for job in page["audienceGenerationJobs"]
        ][-8:]
        arns = [job["audienceGenerationJobArn"] for job in jobs]
        of_seed = [
            arn
            for arn in arns
            if client.get_audience_generation_job(audienceGenerationJobArn=arn)["seedAudience"]["dataSource"]["s3Uri"]
            == uri
        ]
        exports = [
            export
            for arn in of_seed
            for export in client.list_audience_export_jobs(audienceGenerationJobArn=arn)["audienceExportJobs"]
        ]
        if len(of_seed) != 1 + expected.failed_audiences or len(exports) != 1:
            yield f"{uri} has {len(of_seed)} audiences and {len(exports)} exports"
    if any(summary["audiences"] for summary in summaries) is not expected.audience:
        yield f"there is {'no' if expected.audience else 'an'} audience"


def seeds(world: World, dropped: Dropped, summaries: list[dict[str, Any]]) -> Iterator[str]:
    """Whoever did not consent, or has withdrawn, is in none."""
    for summary in summaries:
        for audience in summary["audiences"]:
            bucket, key = audience["seed_uri"].removeprefix("s3://").split("/", 1)
            seed = world.run.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
            for user in (dropped.users[1], dropped.suppressed):
                if f'"{user}"' in seed:
                    yield f"{user} is in {audience['seed_uri']}"
