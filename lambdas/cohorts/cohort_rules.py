"""The rules of a cohort: which findings make their person a member."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate
from typing import TypedDict

import msgspec

from lambdas.shared.spelling import caseless
from lambdas.shared.state import AudienceSize


class Cohort(TypedDict):
    """A cohort of cdk.json, as infra/variables.py gives it to the function; docs/architecture.md explains the rules."""

    name: str
    category: str
    terms: list[str]
    excluded_traits: list[str]
    minimum_score: float
    minimum_seed_size: int
    export: AudienceSize | None


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


# Category -> the cohorts that ask for it, and whether an entity of it meets the other rules of the cohort.
Rules = Mapping[str, list[tuple[str, Callable[[Found], bool]]]]


def find_members(rules: Rules, records: Iterable[Found]) -> Iterator[tuple[str, str]]:
    """Cohort name and user id, for each record and each cohort that it meets the rules of."""
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
    """Whether an entity of the cohort's category meets its other rules.

    `*` and `?` in a term stand for any characters; the rest matches itself in any spelling and case.
    """
    minimum_score, excluded = cohort["minimum_score"], frozenset(cohort["excluded_traits"])
    # To fnmatch a bracket would begin a choice of characters.
    patterns = [translate(caseless(term).replace("[", "[[]")) for term in cohort["terms"]]
    terms = re.compile("|".join(patterns) or "(?!)")

    def meets(record: Found) -> bool:
        # A label of Transcribe Medical may have no score; it is of a category that no cohort has.
        if record.score is None or record.score < minimum_score:
            return False
        if any(trait.name in excluded for trait in record.traits):
            return False
        return terms.match(caseless(record.text)) is not None

    return meets
