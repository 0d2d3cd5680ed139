"""SelectSeeds: write seeds of the user ids of each cohort's members.

The members by all batches' records count, so a cohort grows with every batch until it is large enough. No records are
read: commits of records keep the indexes of members (lambdas/cohorts/indexes.py).
"""

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypedDict
from uuid import uuid4

from botocore.exceptions import ClientError

from lambdas.cohorts import suppression_list
from lambdas.cohorts.cohort_rules import Cohort
from lambdas.cohorts.people import read_people
from lambdas.shared import stages
from lambdas.shared.identity import digest
from lambdas.shared.layout import SEEDS, SUPPRESSION_LIST, seed_key, seed_pointer_key
from lambdas.shared.members import read_alike
from lambdas.shared.observability import logger, observed
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.recording_files import UnreadableFile, read_file, understanding
from lambdas.shared.state import (
    AudienceSize,
    Batch,
    CohortWithoutAudience,
    Parameters,
    Seed,
    SeededCohort,
    SelectedSeeds,
    Suppression,
)
from lambdas.shared.storage import CONDITION_NOT_MET, find_bytes, find_head, unchanged, write_json, write_json_lines
from lambdas.shared.uris import parse_uri, uri_of

# Clean Rooms ML takes seeds of 25 to 500,000 ids (its guide, "Seed audience").
MAXIMUM_SEED_SIZE = 500_000
# An audience per newcomer would cost money each time, and comparing two audiences would reveal one person's effect.
REFRESH_AFTER_NEWCOMERS = 25
# Executions that select seeds at the same time may conflict and repeat the selection.
MAXIMUM_ATTEMPTS = 10
# The number of line numbers in each list of the suppression result; the state's size is limited.
MOST_LINES = 100


class SelectSeedsEvent(TypedDict):
    """`parameters` are those of StartAudienceGenerationJob."""

    batch: Batch
    parameters: Parameters


class SqlCohort(TypedDict):
    """A cohort of cdk.json whose people a query in the collaboration selects."""

    name: str
    seedAudience: Mapping[str, Any]
    export: AudienceSize | None


class LastSeed(NamedTuple):
    """The seed that a cohort's pointer named before the people were read, and the pointer's state at that time.

    `head` is S3's answer to HeadObject for the pointer, None for no pointer. Without a readable seed, `seed` is None
    and `people` is empty.
    """

    head: Mapping[str, Any] | None
    seed: Seed | None
    people: frozenset[str]


class Chosen(NamedTuple):
    """The cohorts with a seed, as items of the Map, and the others with their reasons."""

    cohorts: list[SeededCohort]
    not_generated: list[CohortWithoutAudience]


@observed(stages.SEEDS.name, timed=True)
def handler(event: SelectSeedsEvent, context: object) -> SelectedSeeds:
    """Write the seeds that are large enough, and return the sizes of the others.

    Raises:
        InvalidSuppressionList: a line is ambiguous or unreadable, so its person might be in a seed.
    """
    audience = os.environ["AUDIENCE_BUCKET"]
    cohorts: list[Cohort] = json.loads(os.environ["COHORTS"])
    model_arn = event["parameters"].get("configuredAudienceModelArn")
    selected = [sql_seed(cohort) for cohort in json.loads(os.environ["SQL_COHORTS"])]
    if not cohorts:
        return {"cohorts": selected, "not_generated": [], "suppression": None}
    for _ in range(MAXIMUM_ATTEMPTS):
        # The pointers are read before the people: another execution may name a seed meanwhile, from newer records.
        last = {cohort["name"]: last_seed(audience, cohort["name"]) for cohort in cohorts}
        suppressed = read_suppressed(audience)
        people = read_people(cohorts)
        chosen = choose(audience, cohorts, model_arn, last, people, frozenset(suppressed.values()))
        if chosen is not None:
            break
    else:
        raise RuntimeError(
            f"The pointers below {uri_of(audience, SEEDS)} changed during each of {MAXIMUM_ATTEMPTS} selections. A "
            "redrive selects again."
        )
    selected += chosen.cohorts
    logger.info("seeds selected", extra={"batch_id": event["batch"]["batch_id"], "cohorts": len(selected)})
    return {"cohorts": selected, "not_generated": chosen.not_generated, "suppression": suppression(suppressed)}


def choose(
    audience: str,
    cohorts: list[Cohort],
    model_arn: str | None,
    last: Mapping[str, LastSeed],
    people: Mapping[str, set[str] | None],
    suppressed: frozenset[str],
) -> Chosen | None:
    """The outcome of each cohort by its members, `people`, which are None while its index is being rebuilt.

    Returns None if another execution has named a cohort's seed since `last` was read.
    """
    chosen = Chosen([], [])
    for cohort in cohorts:
        name = cohort["name"]
        members = people[name]
        if members is None:
            changed = "The cohort's rules have changed, and its members aren't known yet. The next batch selects them."
            chosen.not_generated.append({"cohort": name, "eligible": None, "reason": changed})
            continue
        user_ids = members - suppressed
        minimum = cohort["minimum_seed_size"]
        reason = None
        if len(user_ids) < minimum:
            reason = f"{len(user_ids)} consenting people; the cohort needs {minimum}."
        elif len(user_ids) > MAXIMUM_SEED_SIZE:
            reason = f"{len(user_ids)} people; Clean Rooms ML takes at most {MAXIMUM_SEED_SIZE}. Narrow the cohort."
        elif not model_arn:
            reason = "The environment names no configured audience model (configuredAudienceModelArn)."
        if reason:
            chosen.not_generated.append({"cohort": name, "eligible": len(user_ids), "reason": reason})
        elif seed := current_seed(audience, name, user_ids, last[name]):
            chosen.cohorts.append({"cohort": name, "eligible": len(user_ids), "export": cohort["export"], **seed})
        else:
            return None
    return chosen


def sql_seed(cohort: SqlCohort) -> SeededCohort:
    """The Map item of a cohort whose people a query selects; nobody is counted, and no file is written."""
    seed_id = digest(json.dumps(cohort["seedAudience"], sort_keys=True))
    return {
        "cohort": cohort["name"],
        "eligible": None,
        "export": cohort["export"],
        "seed_id": seed_id,
        "seed_uri": None,
        "seed_size": None,
    }


def read_suppressed(audience: str) -> dict[int, str]:
    """Line number -> a user id that may never be in a seed. Without the file, nobody is suppressed.

    Raises:
        InvalidSuppressionList: a line is ambiguous or unreadable.
    """
    body = find_bytes(audience, SUPPRESSION_LIST) or b""
    return suppression_list.read_list(body, uri_of(audience, SUPPRESSION_LIST))


def suppression(suppressed: dict[int, str]) -> Suppression:
    """How the suppression list was applied. Line numbers stand for lines, because user ids stay out of the state."""
    listed = sorted(set(suppressed.values()))
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        alike = dict(zip(listed, pool.map(read_alike, listed), strict=True))
    unmatched = [number for number, user_id in suppressed.items() if user_id not in alike[user_id]]
    similar = [number for number in unmatched if alike[suppressed[number]]]
    return {
        "listed": len(listed),
        "matching": sum(user_id in alike[user_id] for user_id in listed),
        "unmatched_lines": unmatched[:MOST_LINES],
        "similar_lines": similar[:MOST_LINES],
    }


def current_seed(audience: str, cohort: str, user_ids: set[str], last: LastSeed) -> Seed | None:
    """The cohort's last seed while it is still valid, else a new one.

    A new seed is written as soon as a person has left the cohort, or REFRESH_AFTER_NEWCOMERS people have joined it.
    Returns None if another execution has named a seed since `last` was read, because it may have read newer records.
    """
    if last.seed and last.people <= user_ids and len(user_ids - last.people) < REFRESH_AFTER_NEWCOMERS:
        return last.seed
    ordered = sorted(user_ids)
    seed_id = digest(*ordered)
    key = seed_key(cohort, seed_id)
    write_json_lines(audience, key, ({"user_id": user_id} for user_id in ordered))
    seed: Seed = {"seed_id": seed_id, "seed_uri": uri_of(audience, key), "seed_size": len(ordered)}
    try:
        # The unique `named` changes the ETag even when an earlier seed is named again.
        write_json(audience, seed_pointer_key(cohort), {**seed, "named": str(uuid4())}, **unchanged(last.head))
    except ClientError as error:
        if error.response["Error"]["Code"] not in CONDITION_NOT_MET:
            raise
        return None
    return seed


def last_seed(audience: str, cohort: str) -> LastSeed:
    """The seed that the cohort's pointer names. A new seed of the same people has the same id and the same audience."""
    pointer = seed_pointer_key(cohort)
    head = find_head(audience, pointer)
    try:
        with understanding(audience, pointer):
            found = json.loads(read_file(audience, pointer, "AUDIENCE_KEY_ARN"))
            seed: Seed = {
                "seed_id": found["seed_id"],
                "seed_uri": found["seed_uri"],
                "seed_size": found["seed_size"],
            }
            lines = read_file(*parse_uri(found["seed_uri"]), "AUDIENCE_KEY_ARN").splitlines()
            return LastSeed(head, seed, frozenset(str(json.loads(line)["user_id"]) for line in lines))
    except UnreadableFile:
        return LastSeed(head, None, frozenset())
