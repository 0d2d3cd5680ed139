"""SelectSeeds: entity records, cohort rules and consent become one seed file of user ids per cohort.

All records count, not only this batch's: a cohort grows with every batch until it is large enough.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from fnmatch import translate
from typing import Any

import msgspec

from lambdas.shared.identity import digest
from lambdas.shared.observability import logger, metrics, observed
from lambdas.shared.recording_files import MissingFile, UnreadableFile, read_file, understanding
from lambdas.shared.storage import (
    PARALLEL_REQUESTS,
    list_keys,
    read_bytes,
    s3,
    write_json,
    write_json_lines,
)
from lambdas.shared.uris import parse_uri, uri_of

SUPPRESSION_KEY = "suppression/user_ids.txt"
# Clean Rooms ML takes seeds of 25 to 500,000 ids (its guide, "Seed audience").
MAXIMUM_SEED_SIZE = 500_000
# An audience per newcomer would cost money each time, and comparing two audiences would tell what one person changed.
REFRESH_AFTER_NEWCOMERS = 25
# State is limited, and one sentence tells what to do about all.
UNREADABLE_TOLD = 20


class FoundTrait(msgspec.Struct, gc=False):
    """A trait of an entity."""

    name: str


class Found(msgspec.Struct, gc=False):
    """What of a line of `records/` decides on an audience; the rest of it is skipped unbuilt."""

    user_id: str
    audience_consent: bool
    category: str
    score: float | None
    text: str
    traits: tuple[FoundTrait, ...]


@observed("seeds", timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write the seeds that are large enough and say how large the others are.

    Returns `cohorts` (one item of the Map each), `not_generated` (cohort, seed size and the reason) and
    `unreadable_records` (how many files, and a sentence about each of the first).
    """
    clinical, audience = os.environ["CLINICAL_BUCKET"], os.environ["AUDIENCE_BUCKET"]
    cohorts = json.loads(os.environ["COHORTS"])
    model_arn = event["parameters"].get("configuredAudienceModelArn")
    selected: list[dict[str, Any]] = [sql_seed(cohort) for cohort in json.loads(os.environ["SQL_COHORTS"])]
    not_generated: list[dict[str, Any]] = []
    if not cohorts:  # reading all records takes its time
        return {"cohorts": selected, "not_generated": not_generated, "unreadable_records": {"count": 0, "first": []}}
    suppressed = read_suppressed(audience)
    everybody, unreadable = read_members(clinical, cohorts)
    members = {name: user_ids - suppressed for name, user_ids in everybody.items()}
    for cohort in cohorts:
        name, user_ids = cohort["name"], members[cohort["name"]]
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
    metrics.add_metric("RecordsUnreadable", "Count", len(unreadable))
    told = {"count": len(unreadable), "first": sorted(unreadable)[:UNREADABLE_TOLD]}
    return {"cohorts": selected, "not_generated": not_generated, "unreadable_records": told}


def sql_seed(cohort: dict[str, Any]) -> dict[str, Any]:
    """The Map item of a cohort whose people a query selects; there is nothing to count here, and nothing to write."""
    seed_id = digest(json.dumps(cohort["seedAudience"], sort_keys=True))
    unknown = {"eligible": None, "seed_uri": None, "seed_size": None}
    return {"cohort": cohort["name"], "seed_id": seed_id, "export": cohort["export"], **unknown}


def read_suppressed(audience: str) -> set[str]:
    """The user ids that may never be in a seed, one per line. No such file means nobody is suppressed."""
    try:
        text = read_bytes(audience, SUPPRESSION_KEY).decode("utf-8-sig")  # spreadsheets begin a text with a mark
    except s3.exceptions.NoSuchKey:
        return set()
    return {line.strip() for line in text.splitlines() if line.strip()}


def read_members(clinical: str, cohorts: list[dict[str, Any]]) -> tuple[dict[str, set[str]], list[str]]:
    """Cohort name -> the consenting people one of whose entities meets its rules, of all records there are.

    With it, a sentence about each file of records that can't be read: its person is in no cohort by this recording.
    """
    members: dict[str, set[str]] = {cohort["name"]: set() for cohort in cohorts}
    decode = msgspec.json.Decoder(Found).decode_lines
    rules = rules_by_category(cohorts)
    unreadable: list[str] = []

    def look(key: str) -> set[tuple[str, str]]:
        try:
            with understanding(clinical, key):
                return set(find_members(rules, decode(read_file(clinical, key))))
        except MissingFile:  # forgotten since it was listed
            return set()
        except UnreadableFile as fault:
            unreadable.append(str(fault))
            return set()

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        # A thread keeps the members only: the records themselves would not all fit into memory.
        for found in pool.map(look, list_keys(clinical, "records/")):
            for cohort, user_id in found:
                members[cohort].add(user_id)
    return members, unreadable


# Category -> the cohorts that ask for it, and whether an entity of it meets the other rules of the cohort.
Rules = Mapping[str, list[tuple[str, Callable[[Found], bool]]]]


def find_members(rules: Rules, records: Iterable[Found]) -> Iterator[tuple[str, str]]:
    """Cohort name and user id, for each record and each cohort that it meets the rules of."""
    for record in records:
        if record.audience_consent:
            for cohort, meets in rules.get(record.category, ()):
                if meets(record):
                    yield cohort, record.user_id


def rules_by_category(cohorts: list[dict[str, Any]]) -> Rules:
    rules: dict[str, list[tuple[str, Callable[[Found], bool]]]] = defaultdict(list)
    for cohort in cohorts:
        rules[cohort["category"]].append((cohort["name"], rules_of(cohort)))
    return dict(rules)


def rules_of(cohort: dict[str, Any]) -> Callable[[Found], bool]:
    """Whether an entity of the cohort's category meets its other rules.

    `*` and `?` in a term stand for any characters; else it is exact.
    """
    minimum_score, excluded = cohort["minimum_score"], frozenset(cohort["excluded_traits"])
    terms = re.compile("|".join(translate(term.lower()) for term in cohort["terms"]) or "(?!)")

    def meets(record: Found) -> bool:
        # A label of Transcribe Medical may have no score; it is of a category that no cohort has.
        if record.score is None or record.score < minimum_score:
            return False
        if any(trait.name in excluded for trait in record.traits):
            return False
        return terms.match(" ".join(record.text.lower().split())) is not None

    return meets


def current_seed(audience: str, cohort: str, user_ids: set[str]) -> dict[str, Any]:
    """The seed that the cohort's audience is made of: the last one while it still stands for the cohort, or a new one.

    A person who left makes a new seed at once; people who joined make one when enough of them have.
    """
    pointer = f"seeds/{cohort}/latest.json"
    if latest := last_seed(audience, pointer):
        seed, seeded = latest
        if seeded <= user_ids and len(user_ids - seeded) < REFRESH_AFTER_NEWCOMERS:
            return seed
    ordered = sorted(user_ids)
    seed_id = digest(*ordered)
    key = f"seeds/{cohort}/{seed_id}.jsonl"
    write_json_lines(audience, key, ({"user_id": user_id} for user_id in ordered))
    seed = {"seed_id": seed_id, "seed_uri": uri_of(audience, key), "seed_size": len(ordered)}
    write_json(audience, pointer, seed)
    return seed


def last_seed(audience: str, pointer: str) -> tuple[dict[str, Any], set[str]] | None:
    """The seed that the pointer names, and the people in it; None if there is none, or none that can be read.

    A new seed of the same people has the same id, and so the same audience.
    """
    try:
        with understanding(audience, pointer):
            found = json.loads(read_file(audience, pointer, "AUDIENCE_KEY_ARN"))
            seed = {name: found[name] for name in ("seed_id", "seed_uri", "seed_size")}
            lines = read_file(*parse_uri(seed["seed_uri"]), "AUDIENCE_KEY_ARN").splitlines()
            return seed, {str(json.loads(line)["user_id"]) for line in lines}
    except UnreadableFile:
        return None
