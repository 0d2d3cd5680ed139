"""The indexes of cohorts: by which rules the members table lists which objects.

The ledger's item `indexes#current` lists the indexes and counts its changes (`version`). An index has one cohort's
members under one state of its rules, and a name that no other index ever has. Changed rules make a new index:

- `building`: a rebuild reads all records into it.
- `ready`: it has all members.
- `retired`: a rebuild removes its members.

Every commit of records (CollectEntities) also writes the object's membership in the indexes that are building or ready,
and a rebuild misses none of these commits:

- An index is listed here before its rebuild lists the records. A commit first writes the records, then reads this list,
  and is refused if the object's item has changed since before both. A rebuild reads the item, then the records, then
  this list, and writes under the same condition.
- So if the rebuild has listed the records, it either precedes their commit, which is refused and reads this list again,
  or reads what was committed. If it hasn't, they were written after the index was listed, and their commit read that.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple, TypedDict

from lambdas.cohorts.cohort_rules import VERSION, Checks, Cohort, Finding, Rules, checks_of, met, rules_of
from lambdas.shared.ledger import Change, read_item, write
from lambdas.shared.ledger_keys import INDEXES_KEY
from lambdas.shared.lifetime import expires_at, lifetime_days
from lambdas.shared.members import Membership
from lambdas.shared.user_ids import fault


class IndexedRules(Rules):
    """The rules that an index follows; `version` is that of the code, `expire_after_days` the records' lifetime."""

    version: int
    expire_after_days: int | None


class Index(TypedDict):
    """An index; `execution` is the name of the execution that rebuilds it, or has done so."""

    name: str
    cohort: str
    rules: IndexedRules
    state: Literal["building", "ready", "retired"]
    execution: str


class Indexes(NamedTuple):
    """The list as it was read; `version` is 0 for none."""

    version: int
    listed: list[Index]

    def ready(self, cohort: Cohort) -> str | None:
        """The name of the index with the cohort's members, None if there is none yet."""
        wanted = _wanted(cohort)
        found = (index for index in self.listed if index["cohort"] == cohort["name"] and index["rules"] == wanted)
        return next((index["name"] for index in found if index["state"] == "ready"), None)

    def membership(self, user_id: str, records: Iterable[Finding], written: datetime) -> Membership | None:
        """The membership of an object with these records, written at that time; None if there is no index.

        A person whom no line of the suppression list could name is a member of nothing.
        """
        rules = {index["name"]: index["rules"] for index in self.listed if index["state"] != "retired"}
        if not rules:
            return None
        names = set() if fault(user_id) else met(_checks(json.dumps(rules)), records)
        return Membership(user_id, frozenset(names), expires_at(written))


def read_indexes() -> Indexes:
    item = read_item(INDEXES_KEY)
    return Indexes(item.get("version", 0), json.loads(item.get("indexes", "[]")))


def write_indexes(seen: Indexes, listed: list[Index]) -> bool:
    """Replace the list; False, without a change, if it has changed since it was `seen`."""
    change = Change(
        INDEXES_KEY,
        put={"version": seen.version + 1, "indexes": json.dumps(listed)},
        expected={"version": seen.version or None},
    )
    return write(change) is not None


def reconciled(listed: Iterable[Index], cohorts: list[Cohort], execution: str, names: Iterator[str]) -> list[Index]:
    """The list that fits the cohorts: without an index by their rules, one is added; others are retired.

    `execution` has to rebuild what changes; new indexes take the next of the `names`.
    """
    wanted = {cohort["name"]: _wanted(cohort) for cohort in cohorts}
    found: list[Index] = []
    for index in listed:
        if index["state"] != "retired" and index["rules"] != wanted.get(index["cohort"]):
            index = {**index, "state": "retired", "execution": execution}
        found.append(index)
    there = {index["cohort"] for index in found if index["state"] != "retired"}
    return found + [
        {"name": next(names), "cohort": cohort, "rules": rules, "state": "building", "execution": execution}
        for cohort, rules in wanted.items()
        if cohort not in there
    ]


@lru_cache(maxsize=4)
def _checks(rules: str) -> Checks:
    """The checks of `rules`, as JSON. To make them takes longer than to check a recording's records."""
    return checks_of(json.loads(rules))


def _wanted(cohort: Cohort) -> IndexedRules:
    return {**rules_of(cohort), "version": VERSION, "expire_after_days": lifetime_days()}
