"""What a year costs in everything but the three services, from calls that are counted on the local AWS.

    python -m bench.growth [VISITS_A_DAY [BATCHES_A_DAY]]

Two executions of the local pipeline, over few and over many recordings, give the calls of a recording and those of a
batch. State transitions and polls are the simulation's (benchmark 6), the functions' seconds those of benchmark 19 for
visits. The sizes are those of visits of half an hour with 4,500 words and 400 findings, recorded as M4A at its usual
bit rate. Free tiers, requests by people, and data leaving the Region are left out.
"""

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from bench.local_pipeline import detect, drop, speakers, transcribe
from local.aws import iam
from local.deployment import synthesize
from local.pipeline import ENVIRONMENT, Pipeline, start_pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models

FEW, MANY = 10, 40
VISITS_A_DAY, BATCHES_A_DAY = 2_000, 100
DAYS, MONTHS = 365, 12
PATIENCE_SECONDS = 300

# Benchmark 6: a recording's state transitions and polls; a batch has some 30 besides, and three in each child of
# CollectBatch. A short function takes 0.4 s (bench/simulation/assumptions.py).
TRANSITIONS, POLLS, BATCH_TRANSITIONS = 15.6, 4, 33
SHORT_SECONDS, SHORT_GB, STEP_GB = 0.4, 0.5, 1.73
# Benchmark 19, per visit: PlanBatch and PrepareDocuments of 5,000, CollectEntities of 50, SummarizeBatch of 5,000.
STEP_SECONDS = 75 / 5_000 + 90 / 5_000 + 14 / 50 + 34 / 5_000
# Functions that a batch calls besides, and those of every minute (ShareJobs).
BATCH_FUNCTIONS, MINUTES_A_DAY = 15, 1_440
# Alarms, metrics and keys of an environment (infra/monitoring.py, shared/observability.py, infra/storage.py).
ALARMS, METRICS, KEYS = 16, 60, 4

# GB of a visit: its recording, and what is kept: transcripts, page, records, files of its batch; the rest goes after a
# month. A line of an access log has some 700 bytes.
RECORDING_GB, KEPT_GB, INTERMEDIATE_GB = 21.6e-3, 2.2e-3, 0.3e-3
ITEMS_GB, LOG_LINE_GB = 3e-6, 7e-7

# us-east-1, first tier, of the public price pages on 2026-11-27, in USD.
PRICES = {
    "S3: writes and lists": 5e-6,
    "S3: reads": 4e-7,
    "S3: GB and months": 0.023,
    "KMS: requests, one in a hundred of those of S3": 3e-6,
    "KMS: keys and months": 1.0,
    "Lambda: requests": 2e-7,
    "Lambda: GB and seconds": 1.33334e-5,
    "Step Functions: state transitions": 2.5e-5,
    "DynamoDB: write units": 6.25e-7,
    "DynamoDB: read units": 1.25e-7,
    "DynamoDB: GB and months, with recovery": 0.45,
    "CloudWatch: GB of logs": 0.5,
    "CloudWatch: alarms and months": 0.1,
    "CloudWatch: metrics and months": 0.3,
    "the nightly compaction": 0.10,
    "a patient forgotten each week": 0.40,
}
WRITES = ("s3:PutObject", "s3:ListBucket", "s3:ListBucketVersions")
READS = ("s3:GetObject", "s3:GetObjectVersion")
# A write in a transaction counts twice, as does a consistent read of a few kilobytes.
ITEM_WRITES = ("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem")
ITEM_READS = ("dynamodb:BatchGetItem", "dynamodb:Query")


class Actions(Counter[str]):
    """Counts what is added, where a set would keep it once."""

    def add(self, action: str) -> None:
        self[action] += 1


class Calls(NamedTuple):
    """Actions of a recording, and of a batch."""

    recording: dict[str, float]
    batch: dict[str, float]


def counted(assembly: Path, number: int) -> Actions:
    """The actions of all roles during an execution over `number` recordings, on a local AWS of its own.

    Raises:
        RuntimeError: the execution failed, or took five minutes.
    """
    used: dict[str, Actions] = defaultdict(Actions)
    with (
        patch.object(iam, "actions_used", used),
        patch.object(transcription_models, "engine", transcribe),
        patch.object(transcription_models, "speakers", speakers),
        patch.object(entity_jobs, "engine", detect),
    ):
        pipeline = start_pipeline(assembly, time_scale=0.002, longest_wait=0.1)
        try:
            drop(pipeline, number)
            _wait(pipeline)
            return sum((actions for role, actions in used.items() if "share_jobs" not in role), Actions())
        finally:
            pipeline.aws.stop()


def _wait(pipeline: Pipeline) -> None:
    """Until an execution has ended and none is running."""
    stepfunctions, end = pipeline.aws.client("stepfunctions"), time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        listed = stepfunctions.list_executions(stateMachineArn=pipeline.state_machine_arn)["executions"]
        statuses = {item["status"] for item in listed}
        if statuses and "RUNNING" not in statuses:
            if statuses != {"SUCCEEDED"}:
                raise RuntimeError(f"executions of the local pipeline are {', '.join(sorted(statuses))}")
            return
        time.sleep(0.5)
    raise RuntimeError(f"the local pipeline took more than {PATIENCE_SECONDS} s")


def measured(few: int = FEW, many: int = MANY) -> Calls:
    with tempfile.TemporaryDirectory() as folder:
        assembly = synthesize(ENVIRONMENT, Path(folder))
        small, large = counted(assembly, few), counted(assembly, many)
    recording = {action: (large[action] - small[action]) / (many - few) for action in large}
    return Calls(recording, {action: small[action] - few * each for action, each in recording.items()})


def amounts(calls: Calls, visits: int, batches: int) -> dict[str, float]:
    """How much of each priced thing a year takes, with `visits` and `batches` a day."""
    year, executions = visits * DAYS, batches * DAYS

    def of(actions: tuple[str, ...]) -> float:
        return sum(
            max(0.0, calls.recording.get(name, 0)) * year + max(0.0, calls.batch.get(name, 0)) * executions
            for name in actions
        )

    requests = of(WRITES) + of(READS)
    functions = (1 + POLLS) * year + (BATCH_FUNCTIONS + visits / batches / 50) * executions + MINUTES_A_DAY * DAYS
    # What is kept grows evenly through the year; a month's intermediates are always there.
    stored = year * (RECORDING_GB + KEPT_GB + requests / year * LOG_LINE_GB) * MONTHS / 2
    return {
        "S3: writes and lists": of(WRITES),
        "S3: reads": of(READS),
        "S3: GB and months": stored + visits * 30 * INTERMEDIATE_GB * MONTHS,
        "KMS: requests, one in a hundred of those of S3": requests / 100,
        "KMS: keys and months": KEYS * MONTHS,
        "Lambda: requests": functions,
        "Lambda: GB and seconds": functions * SHORT_SECONDS * SHORT_GB + year * STEP_SECONDS * STEP_GB,
        "Step Functions: state transitions": TRANSITIONS * year + BATCH_TRANSITIONS * executions,
        "DynamoDB: write units": 2 * of(ITEM_WRITES),
        "DynamoDB: read units": 2 * of(ITEM_READS),
        "DynamoDB: GB and months, with recovery": year * ITEMS_GB * MONTHS / 2,
        "CloudWatch: GB of logs": functions * 1.5e-6 + (TRANSITIONS * year + BATCH_TRANSITIONS * executions) * 1e-6,
        "CloudWatch: alarms and months": ALARMS * MONTHS,
        "CloudWatch: metrics and months": METRICS * MONTHS,
        "the nightly compaction": DAYS,
        "a patient forgotten each week": 52,
    }


def table(visits: int, found: dict[str, float]) -> Iterator[str]:
    yield "| thing | a year | USD |\n|---|---|---|"
    total = 0.0
    for thing, amount in found.items():
        usd = amount * PRICES[thing]
        total += usd
        yield f"| {thing} | {amount:,.0f} | {usd:,.0f} |"
    yield f"| **all** | | **{total:,.0f}**, {1000 * total / visits / DAYS:.2f} per 1,000 visits |"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth", description="What a year costs besides the services."
    )
    parser.add_argument("visits", type=int, nargs="?", default=VISITS_A_DAY, help="a day")
    parser.add_argument("batches", type=int, nargs="?", default=BATCHES_A_DAY, help="a day")
    arguments = parser.parse_args()
    visits, batches = arguments.visits, arguments.batches
    calls = measured()
    for of, actions in calls._asdict().items():
        print(f"of a {of}: " + ", ".join(f"{name} {number:.1f}" for name, number in sorted(actions.items())))
    print("\n".join(table(visits, amounts(calls, visits, batches))))


if __name__ == "__main__":
    main()
