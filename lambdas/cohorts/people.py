"""The members of each cohort, by its index."""

from collections.abc import Iterable

from lambdas.cohorts.cohort_rules import Cohort
from lambdas.cohorts.indexes import read_indexes
from lambdas.shared.members import read_members


def read_people(cohorts: Iterable[Cohort]) -> dict[str, set[str] | None]:
    """The user ids of each cohort's members by its name; None for a cohort whose index isn't ready."""
    indexes = read_indexes()
    ready = {cohort["name"]: indexes.ready(cohort) for cohort in cohorts}
    return {name: read_members(index) if index else None for name, index in ready.items()}
