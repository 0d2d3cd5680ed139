"""Which package may import which. docs/architecture.md draws it; whoever adds an arrow adds it here and there."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each with what it may import besides itself. A part of `lambdas` is named by its room, or `lambdas` for the handlers.
ALLOWED = {
    "lambdas.shared": set[str](),
    "lambdas.rules": {"lambdas.shared"},
    "lambdas.transcript": set[str](),
    "lambdas.entities": {"lambdas.shared", "lambdas.transcript"},
    "lambdas.cohorts": {"lambdas.shared"},
    "lambdas.planning": {"lambdas.shared", "lambdas.rules", "lambdas.entities"},
    "lambdas.report": {"lambdas.shared", "lambdas.transcript"},
    "lambdas.analysis": {"lambdas.shared", "lambdas.transcript"},
    "lambdas.searching": {"lambdas.shared", "lambdas.analysis"},
    "lambdas": {
        f"lambdas.{room}"
        for room in (
            *("shared", "rules", "transcript", "entities", "cohorts", "planning", "report", "analysis", "searching"),
        )
    },
    "infra": {"lambdas.rules", "lambdas.shared"},
    "operations": {
        "infra",
        "lambdas.rules",
        "lambdas.shared",
        "lambdas.cohorts",
        "lambdas.planning",
        "lambdas.searching",
        "lambdas.analysis",
    },
    "local": {
        "operations",
        "infra",
        "samples",
        "lambdas.shared",
        "lambdas.planning",
        "lambdas.transcript",
        "lambdas.searching",
    },
    "samples": set[str](),
    "installation": set[str](),
}
OURS = {package.partition(".")[0] for package in ALLOWED} | {"app", "bench", "tests"}


def part_of(path: Path) -> str:
    """The key of ALLOWED under which a module or package is."""
    top, *rest = path.relative_to(ROOT).with_suffix("").parts
    return f"{top}.{rest[0]}" if top == "lambdas" and rest and (ROOT / top / rest[0]).is_dir() else top


def imported(path: Path) -> Iterator[Path]:
    """The modules of ours that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.partition(".")[0] in OURS:
                yield ROOT.joinpath(*name.split("."))


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_what_the_picture_shows_and_nothing_else(package: str) -> None:
    modules = [path for path in (ROOT / package.replace(".", "/")).rglob("*.py") if part_of(path) == package]
    assert modules
    arrows = {part_of(found) for path in modules for found in imported(path)} - {package}
    assert arrows <= ALLOWED[package], "an arrow that isn't drawn"
    assert arrows >= ALLOWED[package], "an arrow that is drawn and not needed any more"
