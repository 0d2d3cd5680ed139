"""The rules of a cohort: a finding that meets them makes its person a member."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate
from typing import Protocol, TypedDict

import msgspec

from lambdas.shared.spelling import caseless
from lambdas.shared.state import AudienceSize

# A new number makes all indexes of cohorts anew: raise it when this module or spelling.py judges findings differently.
VERSION = 1


class Rules(TypedDict):
    """The rules that a finding has to meet; docs/architecture.md explains them."""

    category: str
    terms: list[str]
    excluded_traits: list[str]
    minimum_score: float


class Cohort(Rules):
    """A cohort of cdk.json, as infra/variables.py passes it to us."""

    name: str
    minimum_seed_size: int
    export: AudienceSize | None


def rules_of(cohort: Cohort) -> Rules:
    return {
        "category": cohort["category"],
        "terms": cohort["terms"],
        "excluded_traits": cohort["excluded_traits"],
        "minimum_score": cohort["minimum_score"],
    }


class Named(Protocol):
    @property
    def name(self) -> str: ...


class Finding(Protocol):
    """The members of a record that the rules read."""

    @property
    def audience_consent(self) -> bool: ...
    @property
    def category(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def text(self) -> str: ...
    @property
    def traits(self) -> Sequence[Named]: ...


class FoundTrait(msgspec.Struct, gc=False):
    name: str


class Found(msgspec.Struct, gc=False):
    """A line of `records/` with the members that the rules, or the rebuild of an index, read."""

    user_id: str
    media_id: str
    audience_consent: bool
    category: str
    score: float | None
    text: str
    traits: tuple[FoundTrait, ...]


# Category -> the names of rules with that category, each with a function that checks a finding against the others.
Checks = Mapping[str, list[tuple[str, Callable[[Finding], bool]]]]


def met(checks: Checks, records: Iterable[Finding]) -> set[str]:
    """The names of the rules that any of the consenting records meets."""
    return {
        name
        for record in records
        if record.audience_consent
        for name, meets in checks.get(record.category, ())
        if meets(record)
    }


def checks_of(rules: Mapping[str, Rules]) -> Checks:
    """`rules` are by name."""
    checks: dict[str, list[tuple[str, Callable[[Finding], bool]]]] = defaultdict(list)
    for name, each in rules.items():
        checks[each["category"]].append((name, _check(each)))
    return dict(checks)


def _check(rules: Rules) -> Callable[[Finding], bool]:
    """A function that checks an entity of the rules' category against the other rules.

    In a term, `*` is any characters and `?` is any one; all else matches itself in any spelling and case.
    """
    minimum_score, excluded = rules["minimum_score"], frozenset(rules["excluded_traits"])
    # Brackets are escaped, because fnmatch gives them a meaning.
    patterns = [translate(caseless(term).replace("[", "[[]")) for term in rules["terms"]]
    terms = re.compile("|".join(patterns) or "(?!)")

    def meets(record: Finding) -> bool:
        # Transcribe Medical's labels may have no score; no cohort has their category.
        if record.score is None or record.score < minimum_score:
            return False
        if any(trait.name in excluded for trait in record.traits):
            return False
        return terms.match(caseless(record.text)) is not None

    return meets
