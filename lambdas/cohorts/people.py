"""The people in all records, and the members of each cohort."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from lambdas.cohorts.cohort_rules import Cohort, Found, find_members, rules_by_category
from lambdas.shared.layout import RECORDS
from lambdas.shared.object_items import read_objects
from lambdas.shared.recording_files import MissingFile, UnreadableFile, read_file, understanding
from lambdas.shared.storage import PARALLEL_REQUESTS, list_keys
from lambdas.shared.user_ids import canonical, fault


class People(NamedTuple):
    """Canonical user ids: `members` are each cohort's consenting people, `seen` all people in any record.

    `unreadable` has a sentence about each unreadable file of records; nobody in such a file is seen.
    """

    members: dict[str, set[str]]
    seen: set[str]
    unreadable: list[str]


def read_people(clinical: str, cohorts: list[Cohort]) -> People:
    """Read all records. Their user ids are made canonical, because old records have them as in their keys.

    Each object's last planned version decides on consent, even if that version was rejected. Consent is read after the
    records, so that a withdrawal in the meantime counts.
    """
    members: dict[str, set[str]] = {cohort["name"]: set() for cohort in cohorts}
    qualifying: dict[str, set[tuple[str, str]]] = {}
    seen: set[str] = set()
    unreadable: list[str] = []
    decode = msgspec.json.Decoder(Found).decode_lines
    rules = rules_by_category(cohorts)

    def look(key: str) -> tuple[str, set[tuple[str, str]], set[str]]:
        object_id = object_id_of(key)
        try:
            with understanding(clinical, key):
                records = decode(read_file(clinical, key))
                return object_id, set(find_members(rules, records)), {record.user_id for record in records}
        except MissingFile:  # forgotten since it was listed
            pass
        except UnreadableFile as reason:
            unreadable.append(str(reason))
        return object_id, set(), set()

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        # The threads return people only: all records together would not fit into memory.
        for object_id, found, people in pool.map(look, list_keys(clinical, RECORDS)):
            seen |= people
            if found:
                qualifying[object_id] = found
    items = read_objects(qualifying)
    for object_id, found in qualifying.items():
        # Objects from before the ledger have no item; their records' own consent counts.
        if object_id not in items or items[object_id].consent:
            for cohort, user_id in found:
                members[cohort].add(user_id)
    spelt = {user_id: canonical(user_id) for user_id in seen}
    # A person whom no line of the suppression list could name must not be in a seed.
    unnamed = {user_id for user_id in seen if fault(spelt[user_id])}
    named = {cohort: {spelt[user_id] for user_id in found - unnamed} for cohort, found in members.items()}
    return People(named, set(spelt.values()), unreadable)


def object_id_of(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".jsonl")
