"""SelectSeeds: entity records, cohort rules and consent become one seed file of user ids per cohort.

All records count, not only this batch's: a cohort grows with every batch until it is large enough.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec

from lambdas.cohort_rules import Found, find_members, rules_by_category
from lambdas.shared import suppression_list
from lambdas.shared.identity import digest
from lambdas.shared.observability import logger, observed
from lambdas.shared.storage import (
    PARALLEL_REQUESTS,
    find_bytes,
    list_keys,
    read_bytes,
    read_json,
    read_json_lines,
    s3,
    write_json,
    write_json_lines,
)
from lambdas.shared.uris import parse_uri, uri_of
from lambdas.shared.user_ids import canonical, fault, outline

# Clean Rooms ML takes seeds of 25 to 500,000 ids (its guide, "Seed audience").
MAXIMUM_SEED_SIZE = 500_000
# An audience per newcomer would cost money each time, and comparing two audiences would tell what one person changed.
REFRESH_AFTER_NEWCOMERS = 25
# Of the lines that match nobody; they go through the execution's state.
MOST_LINES = 100


class People(NamedTuple):
    """By their canonical user ids: the members of each cohort, who consent, and whoever is seen in any record."""

    members: dict[str, set[str]]
    seen: set[str]


@observed("seeds", timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write the seeds that are large enough and say how large the others are.

    Returns `cohorts` (one item of the Map each), `not_generated` (cohort, seed size and the reason) and what became of
    the `suppression` list, None if no cohort needs it.

    Raises:
        InvalidSuppressionList: a line of it can't be read for certain, so its person might be in a seed.
    """
    clinical, audience = os.environ["CLINICAL_BUCKET"], os.environ["AUDIENCE_BUCKET"]
    cohorts = json.loads(os.environ["COHORTS"])
    model_arn = event["parameters"].get("configuredAudienceModelArn")
    selected: list[dict[str, Any]] = [sql_seed(cohort) for cohort in json.loads(os.environ["SQL_COHORTS"])]
    not_generated: list[dict[str, Any]] = []
    if not cohorts:  # reading all records takes its time
        return {"cohorts": selected, "not_generated": not_generated, "suppression": None}
    suppressed = read_suppressed(audience)
    people = read_people(clinical, cohorts)
    for cohort in cohorts:
        name = cohort["name"]
        user_ids = people.members[name].difference(suppressed.values())
        minimum = cohort["minimum_seed_size"]
        reason = None
        if len(user_ids) < minimum:
            reason = f"{len(user_ids)} consenting people; the cohort needs {minimum}."
        elif len(user_ids) > MAXIMUM_SEED_SIZE:
            reason = f"{len(user_ids)} people; Clean Rooms ML takes at most {MAXIMUM_SEED_SIZE}. Narrow the cohort."
        elif not model_arn:
            reason = "The environment names no configured audience model (configuredAudienceModelArn)."
        if reason:
            not_generated.append({"cohort": name, "eligible": len(user_ids), "reason": reason})
            continue
        seed = current_seed(audience, name, user_ids)
        selected.append({"cohort": name, "eligible": len(user_ids), "export": cohort["export"], **seed})
    logger.info("seeds selected", extra={"batch_id": event["batch"]["batch_id"], "cohorts": len(selected)})
    told = suppression(suppressed, people.seen)
    return {"cohorts": selected, "not_generated": not_generated, "suppression": told}


def sql_seed(cohort: dict[str, Any]) -> dict[str, Any]:
    """The Map item of a cohort whose people a query selects; there is nothing to count here, and nothing to write."""
    seed_id = digest(json.dumps(cohort["seedAudience"], sort_keys=True))
    unknown = {"eligible": None, "seed_uri": None, "seed_size": None}
    return {"cohort": cohort["name"], "seed_id": seed_id, "export": cohort["export"], **unknown}


def read_suppressed(audience: str) -> dict[int, str]:
    """Line number -> the user id that may never be in a seed. No such file means nobody is suppressed.

    Raises:
        InvalidSuppressionList: a line can't be read for certain.
    """
    body = find_bytes(audience, suppression_list.KEY) or b""
    return suppression_list.read_list(body, uri_of(audience, suppression_list.KEY))


def suppression(suppressed: dict[int, str], seen: set[str]) -> dict[str, Any]:
    """What becomes of the suppression list, by the numbers of its lines: what they say stays out of the state."""
    listed = set(suppressed.values())
    unmatched = [number for number, user_id in suppressed.items() if user_id not in seen]
    outlines = {outline(user_id) for user_id in seen} if unmatched else set()
    similar = [number for number in unmatched if outline(suppressed[number]) in outlines]
    return {
        "listed": len(listed),
        "matching": len(listed & seen),
        "unmatched_lines": unmatched[:MOST_LINES],
        "similar_lines": similar[:MOST_LINES],
    }


def read_people(clinical: str, cohorts: list[dict[str, Any]]) -> People:
    """Everybody of all records there are, and the members of each cohort among them.

    Records from before user ids were made canonical have them as their keys do.
    """
    members: dict[str, set[str]] = {cohort["name"]: set() for cohort in cohorts}
    seen: set[str] = set()
    decode = msgspec.json.Decoder(Found).decode_lines
    rules = rules_by_category(cohorts)

    def look(key: str) -> tuple[set[tuple[str, str]], set[str]]:
        records = decode(read_bytes(clinical, key))
        return set(find_members(rules, records)), {record.user_id for record in records}

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        # A thread keeps the people only: the records themselves would not all fit into memory.
        keys = list_keys(clinical, "records/")
        for found, people in pool.map(look, keys):
            seen |= people
            for cohort, user_id in found:
                members[cohort].add(user_id)
    spelt = {user_id: canonical(user_id) for user_id in seen}
    # Whom no line could suppress may be in no seed.
    unnamed = {user_id for user_id in seen if fault(spelt[user_id])}
    named = {cohort: {spelt[user_id] for user_id in found - unnamed} for cohort, found in members.items()}
    return People(named, set(spelt.values()))


def current_seed(audience: str, cohort: str, user_ids: set[str]) -> dict[str, Any]:
    """The seed that the cohort's audience is made of: the last one while it still stands for the cohort, or a new one.

    A person who left makes a new seed at once; people who joined make one when enough of them have.
    """
    pointer = f"seeds/{cohort}/latest.json"
    try:
        latest: dict[str, Any] = read_json(audience, pointer)
        seeded = {line["user_id"] for line in read_json_lines(*parse_uri(latest["seed_uri"]))}
    except s3.exceptions.NoSuchKey:
        pass  # the first one, or one whose seed has expired
    else:
        if seeded <= user_ids and len(user_ids - seeded) < REFRESH_AFTER_NEWCOMERS:
            return latest
    ordered = sorted(user_ids)
    seed_id = digest(*ordered)
    key = f"seeds/{cohort}/{seed_id}.jsonl"
    write_json_lines(audience, key, ({"user_id": user_id} for user_id in ordered))
    seed = {"seed_id": seed_id, "seed_uri": uri_of(audience, key), "seed_size": len(ordered)}
    write_json(audience, pointer, seed)
    return seed
