"""The rules of a cohort: a finding that meets them makes its person a member."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate
from typing import TypedDict

import msgspec

from lambdas.shared.spelling import caseless
from lambdas.shared.state import AudienceSize


class Cohort(TypedDict):
    """A cohort of cdk.json, as infra/variables.py passes it to us; docs/architecture.md explains the rules."""

    name: str
    category: str
    terms: list[str]
    excluded_traits: list[str]
    minimum_score: float
    minimum_seed_size: int
    export: AudienceSize | None


class FoundTrait(msgspec.Struct, gc=False):
    name: str


class Found(msgspec.Struct, gc=False):
    """The members of a line of `records/` that the rules read; the decoder skips the rest."""

    user_id: str
    audience_consent: bool
    category: str
    score: float | None
    text: str
    traits: tuple[FoundTrait, ...]


# Category -> the cohorts with that category, each with a function that checks a finding against the other rules.
Rules = Mapping[str, list[tuple[str, Callable[[Found], bool]]]]


def find_members(rules: Rules, records: Iterable[Found]) -> Iterator[tuple[str, str]]:
    """(Cohort name, user id) for each consenting record and each cohort whose rules the record meets."""
    for record in records:
        if record.audience_consent:
            for cohort, meets in rules.get(record.category, ()):
                if meets(record):
                    yield cohort, record.user_id


def rules_by_category(cohorts: list[Cohort]) -> Rules:
    rules: dict[str, list[tuple[str, Callable[[Found], bool]]]] = defaultdict(list)
    for cohort in cohorts:
        rules[cohort["category"]].append((cohort["name"], rules_of(cohort)))
    return dict(rules)


def rules_of(cohort: Cohort) -> Callable[[Found], bool]:
    """A function that checks an entity of the cohort's category against the cohort's other rules.

    In a term, `*` is any characters and `?` is any one; all else matches itself in any spelling and case.
    """
    minimum_score, excluded = cohort["minimum_score"], frozenset(cohort["excluded_traits"])
    # Brackets are escaped, because fnmatch gives them a meaning.
    patterns = [translate(caseless(term).replace("[", "[[]")) for term in cohort["terms"]]
    terms = re.compile("|".join(patterns) or "(?!)")

    def meets(record: Found) -> bool:
        # Transcribe Medical's labels may have no score; no cohort has their category.
        if record.score is None or record.score < minimum_score:
            return False
        if any(trait.name in excluded for trait in record.traits):
            return False
        return terms.match(caseless(record.text)) is not None

    return meets
