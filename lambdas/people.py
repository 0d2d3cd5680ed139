"""The people of all records there are, and which of them are members of which cohort."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec

from lambdas.cohort_rules import Found, find_members, rules_by_category
from lambdas.shared.recording_files import MissingFile, UnreadableFile, read_file, understanding
from lambdas.shared.storage import PARALLEL_REQUESTS, list_keys
from lambdas.shared.user_ids import canonical, fault
from lambdas.withdrawals import read_withdrawals


class _Uploaded(msgspec.Struct, gc=False):
    """Records from before it was written have none, and so are older than any withdrawal."""

    uploaded_at: str = ""


_uploaded = msgspec.json.Decoder(_Uploaded).decode_lines


class People(NamedTuple):
    """By their canonical user ids: the members of each cohort, who consent, and whoever is seen in any record.

    `unreadable` has a sentence about each file of records that can't be read: by it, nobody is seen.
    """

    members: dict[str, set[str]]
    seen: set[str]
    unreadable: list[str]


def read_people(clinical: str, cohorts: list[dict[str, Any]]) -> People:
    """Read all records; those from before user ids were made canonical have them as their keys do."""
    members: dict[str, set[str]] = {cohort["name"]: set() for cohort in cohorts}
    seen: set[str] = set()
    unreadable: list[str] = []
    decode = msgspec.json.Decoder(Found).decode_lines
    rules = rules_by_category(cohorts)
    withdrawn = read_withdrawals(clinical)

    def look(key: str) -> tuple[set[tuple[str, str]], set[str]]:
        try:
            with understanding(clinical, key):
                body = read_file(clinical, key)
                records = decode(body)
                ended = withdrawn.get(object_id_of(key))
                consenting = records if ended is None or uploaded_at(body) > ended else []
                return set(find_members(rules, consenting)), {record.user_id for record in records}
        except MissingFile:  # forgotten since it was listed
            pass
        except UnreadableFile as reason:
            unreadable.append(str(reason))
        return set(), set()

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        # A thread keeps the people only: the records themselves would not all fit into memory.
        for found, people in pool.map(look, list_keys(clinical, "records/")):
            seen |= people
            for cohort, user_id in found:
                members[cohort].add(user_id)
    spelt = {user_id: canonical(user_id) for user_id in seen}
    # Whom no line could suppress may be in no seed.
    unnamed = {user_id for user_id in seen if fault(spelt[user_id])}
    named = {cohort: {spelt[user_id] for user_id in found - unnamed} for cohort, found in members.items()}
    return People(named, set(spelt.values()), unreadable)


def uploaded_at(body: bytes) -> str:
    """When the version was uploaded that the records are of; of several, the earliest.

    Read only of objects with a withdrawal, so that the others take no time for it.
    """
    return min((line.uploaded_at for line in _uploaded(body)), default="")


def object_id_of(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".jsonl")
