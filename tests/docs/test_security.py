"""docs/security.md says of every function what its role may do, and names tests that exist."""

import re

from tests.docs.pages import missing_tests, sections
from tests.infra.test_permissions import (
    EXECUTIONS,
    FUNCTION_GRANTS,
    GENERATIONS,
    LEDGER,
    MACHINE,
    MAP_RUNS,
    MODEL,
    TRANSCRIPTIONS,
)

PAGE = "security.md"
NAMES = {
    "*": "*",
    "Ingest/Queue.Arn": "queue",
    "DataAccessRoles/EntityDetection/Role.Arn": "its data-access role",
    "DataAccessRoles/SeedReader/Role.Arn": "its data-access role",
    MACHINE: "state machine",
    f"{EXECUTIONS}:*": "executions",
    MAP_RUNS: "map runs",
    TRANSCRIPTIONS: "medical transcription jobs",
    GENERATIONS: "audience generation jobs",
    MODEL: "the configured audience model",
}


def name_of(resource: str) -> str:
    """A resource of the template as the page calls it."""
    if stored := re.fullmatch(r"Storage/(\w+)/(Bucket|Key)\.Arn(/.*)?", resource):
        store, kind, objects = stored.groups()
        return f"{store.lower()} key" if kind == "Key" else store.lower() + (objects or "")
    if resource.startswith(f"{LEDGER}/"):
        return f"ledger{resource.removeprefix(LEDGER)}"
    return NAMES[resource]


def test_the_table_of_permissions_is_what_the_template_grants() -> None:
    told: dict[str, dict[str, set[str]]] = {}
    for function, permissions, resources, why in sections(PAGE)["Who may do what"]:
        assert why
        for action in re.findall("`([^`]+)`", permissions):
            told.setdefault(function.strip("`"), {}).setdefault(action, set()).update(
                re.findall("`([^`]+)`", resources)
            )
    assert told == {
        function: {action: set(map(name_of, resources)) for action, resources in grants.items()}
        for function, grants in FUNCTION_GRANTS.items()
    }


def test_every_test_that_is_named_exists() -> None:
    assert missing_tests(PAGE) == []


def test_every_threat_names_its_evidence() -> None:
    tests = {row[0] for row in sections(PAGE)["The tests"]}
    shown = [re.findall(r"\bT\d+\b", row[2]) for row in sections(PAGE)["Threats, and what stops them"]]
    assert all(shown)
    assert {test for tests_of_row in shown for test in tests_of_row} == tests
