"""What runs without the checks' packages needs none of them, so that `make demo` and the like can do without."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# By which targets that need the first lock only run; installation/ has no package at all.
RUN = ("app.py", "infra", "lambdas", "local", "operations", "samples")


@cache
def pins(lock: str) -> dict[str, str]:
    """The version, with what else distinguishes it, of each package of a lock."""
    lines = re.findall(r"^([\w.-]+)==([^\\\n]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {f"{name} {condition}": version for name, value in lines for version, _, condition in [value.partition(";")]}


def names(lock: str) -> set[str]:
    return {key.split()[0] for key in pins(lock)}


# It reads about every package that is installed.
distributions = cache(packages_distributions)


@cache
def packages(module: str) -> set[str]:
    """The packages that bring `module` along, by the names that a lock gives them."""
    return {re.sub(r"[-_.]+", "-", name).lower() for name in distributions().get(top_level(module), [])}


def top_level(module: str) -> str:
    return module.split(".")[0]


def sources(place: str) -> Iterator[Path]:
    path = ROOT / place
    yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def imported(node: ast.AST) -> Iterator[str]:
    """The modules of packages that `node` imports when it runs, also in a function; without those for types only."""
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children: list[ast.stmt] = node.orelse
    else:
        children = list(ast.iter_child_nodes(node))  # type: ignore[arg-type]
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
    for child in children:
        yield from imported(child)


def foreign(place: str) -> dict[str, set[Path]]:
    """The modules that are neither Python's nor ours, with the files that import them."""
    found: dict[str, set[Path]] = {}
    for path in sources(place):
        for module in imported(ast.parse(path.read_text())):
            top = top_level(module)
            ours = (ROOT / top).is_dir() or (ROOT / f"{top}.py").exists()
            if not ours and top not in sys.stdlib_module_names:
                found.setdefault(module, set()).add(path)
    return found


@pytest.mark.parametrize("place", RUN)
def test_what_runs_imports_no_package_of_the_checks(place: str) -> None:
    wrong = {
        module: files for module, files in foreign(place).items() if not packages(module) & names("requirements.lock")
    }
    assert wrong == {}


def test_the_installation_needs_no_package() -> None:
    assert foreign("installation") == {}


def test_what_is_imported_for_types_only_is_left_out() -> None:
    code = "if TYPE_CHECKING:\n    import a\nelse:\n    import b\ndef f():\n    from c.d import e\nfrom . import g"
    assert list(imported(ast.parse(code))) == ["b", "c.d"]


def test_what_is_imported_needs_no_package_of_the_checks_in_turn() -> None:
    only_checks = names("requirements-checks.lock") - names("requirements.lock")
    missing = {module for module in distributions() if packages(module) and packages(module) <= only_checks}
    assert {"cfnlint", "awscli", "mypy"} <= missing
    modules = {module for place in RUN for module in foreign(place)}
    program = f"""
import importlib, sys
for name in {sorted(missing)!r}:
    sys.modules[name] = None
for name in {sorted(modules)!r}:
    importlib.import_module(name)
import moto.cloudformation.parsing  # imports every service's models
"""
    # In a process of its own, since this one has imported some of them.
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_checks_have_the_versions_of_what_runs() -> None:
    checks = pins("requirements-checks.lock")
    local = pins("requirements.lock")
    # The one package that more systems need for the checks than without them.
    differ = {key: version for key, version in local.items() if checks.get(key) != version}
    assert {key.split()[0] for key in differ} <= {"colorama"}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-checks.lock"])
def test_every_package_of_a_lock_has_hashes(lock: str) -> None:
    requirements = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    assert [line for line in requirements if not line.startswith("#") and "--hash=sha256:" not in line] == []
