"""PrepareCohorts and FinishRebuild: before seeds are selected, each cohort has an index of its members.

Between the two, the Map RebuildCohorts reads all records into the indexes that are missing (lambdas/index_records.py).
"""

import json
import os
from typing import Literal, TypedDict
from uuid import uuid4

from lambdas.cohorts.cohort_rules import Cohort
from lambdas.cohorts.indexes import Index, read_indexes, reconciled, write_indexes
from lambdas.planning.other_executions import works
from lambdas.shared import stages
from lambdas.shared.layout import RECORDS, unreadable_records_prefix
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS
from lambdas.shared.ledger_keys import INDEXES_KEY
from lambdas.shared.observability import logger, observed
from lambdas.shared.state import Batch, PreparedCohorts, Rebuild, UnreadableRecords
from lambdas.shared.storage import list_keys, read_json

# The time after which an execution asks again whether another one has finished a rebuild.
WAIT_SECONDS = 60
# The number of sentences about unreadable files; the state's size is limited.
MOST_UNREADABLE_LISTED = 20


class PrepareCohortsEvent(TypedDict):
    execution_arn: str


class FinishRebuildEvent(TypedDict):
    batch: Batch
    indexes: list[str]


@observed(stages.SEEDS.name)
def prepare(event: PrepareCohortsEvent, context: object) -> PreparedCohorts:
    """List the indexes that the cohorts need, and decide whether this execution rebuilds, waits, or selects seeds.

    An index is rebuilt by the execution that has listed it, or, once that has ended, by the next one that asks. Two
    rebuilds of one index at the same time are harmless.
    """
    arn_prefix, _, execution = event["execution_arn"].rpartition(":")
    cohorts: list[Cohort] = json.loads(os.environ["COHORTS"])
    for _ in range(MAXIMUM_ATTEMPTS):
        seen = read_indexes()
        listed = reconciled(seen.listed, cohorts, execution, iter(lambda: uuid4().hex, ""))
        others = {index["execution"] for index in listed if index["state"] != "ready"} - {execution}
        ended = {other for other in others if not works(f"{arn_prefix}:{other}")}
        listed = [_taken_over(index, ended, execution) for index in listed]
        if listed == seen.listed or write_indexes(seen, listed):
            return _prepared(listed, execution)
    raise RuntimeError(f"{INDEXES_KEY} changed {MAXIMUM_ATTEMPTS} times while execution {execution} tried to write it")


def _taken_over(index: Index, ended: set[str], execution: str) -> Index:
    return {**index, "execution": execution} if index["state"] != "ready" and index["execution"] in ended else index


def _prepared(listed: list[Index], execution: str) -> PreparedCohorts:
    ours = [index["name"] for index in listed if index["state"] != "ready" and index["execution"] == execution]
    status: Literal["READY", "REBUILD", "WAIT"] = "READY"
    if ours:
        status = "REBUILD"
    elif any(index["state"] == "building" for index in listed):
        status = "WAIT"
    logger.info("cohorts prepared", extra={"status": status, "indexes": len(listed)})
    return {"status": status, "indexes": ours, "records_prefix": RECORDS, "wait_seconds": WAIT_SECONDS}


@observed(stages.SEEDS.name)
def finish(event: FinishRebuildEvent, context: object) -> Rebuild:
    """After the Map: the indexes that it has built are ready, and those that it has emptied are listed no more."""
    batch, done = event["batch"], set(event["indexes"])
    for _ in range(MAXIMUM_ATTEMPTS):
        seen = read_indexes()
        listed: list[Index] = [
            {**index, "state": "ready"} if index["name"] in done else index
            for index in seen.listed
            if index["name"] not in done or index["state"] != "retired"
        ]
        if listed == seen.listed or write_indexes(seen, listed):
            return {"unreadable_records": _unreadable(batch["bucket"], batch["batch_id"])}
    raise RuntimeError(
        f"{INDEXES_KEY} changed {MAXIMUM_ATTEMPTS} times while execution {batch['batch_id']} tried to write it"
    )


def _unreadable(bucket: str, batch_id: str) -> UnreadableRecords:
    sentences = [
        sentence
        for key in list_keys(bucket, unreadable_records_prefix(batch_id))
        for sentence in read_json(bucket, key)
    ]
    return {"count": len(sentences), "first": sentences[:MOST_UNREADABLE_LISTED]}
