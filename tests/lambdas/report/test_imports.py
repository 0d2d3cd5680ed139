"""Rendering is no other function's business: none of them reads the template when it starts."""

import ast
from pathlib import Path

LAMBDAS = Path(__file__).parents[3] / "lambdas"


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_only_the_two_functions_that_write_pages_import_them() -> None:
    importers = {
        path.relative_to(LAMBDAS).as_posix()
        for path in LAMBDAS.rglob("*.py")
        if any(name.startswith("lambdas.report") for name in imported(path))
    }
    assert {path for path in importers if not path.startswith("report/")} == {
        "collect_entities.py",
        "summarize_batch.py",
    }


def test_pages_need_nothing_but_the_standard_library_and_our_own() -> None:
    for path in (LAMBDAS / "report").glob("*.py"):
        roots = {name.partition(".")[0] for name in imported(path)} - {"lambdas"}
        assert roots <= {"base64", "bisect", "collections", "concurrent", "datetime", "hashlib", "html", "itertools",
                         "json", "pathlib", "re", "typing"}, path.name  # fmt: skip
