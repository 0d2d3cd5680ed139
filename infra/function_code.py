"""Builds the functions' zips: the `lambdas` package, its dependencies, the SDK's models, and bytecode.

The same Python version always builds the same bytes, so that unchanged functions are not deployed again.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.sdk_models import write_sdk_models
from infra.settings import ConfigurationError

# The functions' runtime, python3.13; bytecode is specific to a minor version.
RUNTIME_PYTHON = (3, 13)

_ROOT = Path(__file__).parent.parent
# `make setup` installs these requirements here, for Lambda's platform and Python.
COMMON = {"requirements-lambda.txt": Path(sys.prefix) / "lambda-packages"}
ANALYSIS = COMMON | {"requirements-lambda-analysis.txt": Path(sys.prefix) / "lambda-packages-analysis"}
# The functions whose zip has more than the common packages.
PACKAGES = {"compact_records": ANALYSIS, "search_range": ANALYSIS}
# Bytecode of any Python, files for type checkers, and the installer's metadata.
_NOTES = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock")
_never_wanted = shutil.ignore_patterns("__pycache__", "*.pyi", "py.typed", *_NOTES)
# Parts of DuckDB for other ways to call it.
_UNUSED = ("_duckdb-stubs", "adbc_driver_duckdb")
# The parts of Powertools that Logger and Metrics use: a tenth of it.
_USED_UTILITIES = ("__init__.py", "jmespath_utils")


def has_bytecode() -> bool:
    """Whether this process runs the runtime's Python, so that it can compile bytecode for it."""
    return sys.version_info[:2] == RUNTIME_PYTHON


def function_code(function: str) -> str:
    """A folder with the contents of the function's zip; it is removed when this process ends.

    Raises:
        ConfigurationError: the packages are not installed.
    """
    return _folder(tuple(PACKAGES.get(function, COMMON).items())).name


@cache
def _folder(packages: tuple[tuple[str, Path], ...]) -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="function-code-")
    write_function_code(Path(folder.name), bytecode=has_bytecode(), packages=dict(packages))
    return folder


def write_function_code(target: Path, *, bytecode: bool, packages: Mapping[str, Path] = COMMON) -> None:
    """Write a zip's contents to the existing folder `target`; `packages` are folders by their requirements.

    Raises:
        ConfigurationError: the packages are not installed.
    """
    for requirements, installed in packages.items():
        for name, version in pinned_packages(requirements):
            if not (installed / f"{name}-{version}.dist-info").is_dir():
                raise ConfigurationError(
                    f"{installed} lacks {name} {version}, which the functions need; run `make setup`, which installs "
                    f"{requirements} there."
                )
    shutil.copytree(_ROOT / "lambdas", target / "lambdas", ignore=_never_wanted)
    for installed in packages.values():
        shutil.copytree(installed, target, ignore=_not_wanted, dirs_exist_ok=True)
    write_sdk_models(target / "sdk_models")
    if bytecode:
        _compile(target)


def pinned_packages(requirements: str) -> list[tuple[str, str]]:
    """Name (as in file names) and version of each package in the file of requirements."""
    pins = re.findall(r"^([\w-]+)==(\S+)", (_ROOT / requirements).read_text(), re.MULTILINE)
    return [(name.replace("-", "_"), version) for name, version in pins]


def _not_wanted(folder: str, names: list[str]) -> set[str]:
    left_out = _never_wanted(folder, names) | {*_UNUSED}
    match Path(folder).parts[-2:]:
        case (_, "aws_lambda_powertools"):
            left_out.add("event_handler")
        case ("aws_lambda_powertools", "utilities"):
            left_out.update(name for name in names if name not in _USED_UTILITIES)
    return left_out


def _compile(target: Path) -> None:
    """Compile the sources to bytecode that ignores their dates, which the CDK's zip sets to 1980.

    A new process compiles, because the bytecode depends on what a process has done before.
    """
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(target), "-p", "/var/task", "-q"]
    subprocess.run([sys.executable, "-I", "-m", "compileall", *options, str(target)], check=True)
