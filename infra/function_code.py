"""What the functions' zip holds: the `lambdas` package, the packages it brings along, the SDK's models, and bytecode.

All of it is the same wherever and whenever the same Python puts it together, so that an unchanged function is not
deployed again.
"""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.sdk_models import write_sdk_models
from infra.settings import ConfigurationError

# The functions run on python3.13; bytecode is of one minor version.
RUNTIME_PYTHON = (3, 13)

_ROOT = Path(__file__).parent.parent
# `make setup` installs requirements-lambda.txt here: for Lambda's processor and Python, not for this machine's.
_PACKAGES = Path(sys.prefix) / "lambda-packages"
# Compiled by whichever Python came by; for type checkers; the installer's notes on this installation.
_NOTES = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock")
_never_wanted = shutil.ignore_patterns("__pycache__", "*.pyi", "py.typed", *_NOTES)
# Of Powertools' parts, all that Logger and Metrics use; the others are nine tenths of it.
_USED_UTILITIES = ("__init__.py", "jmespath_utils")


def has_bytecode() -> bool:
    """Whether this process is of the runtime's Python, so that what it compiles can be used there."""
    return sys.version_info[:2] == RUNTIME_PYTHON


def function_code() -> str:
    """A folder with everything that is zipped; it is removed when this process ends.

    Raises:
        ConfigurationError: the packages are not there.
    """
    return _folder().name


@cache
def _folder() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="function-code-")
    write_function_code(Path(folder.name), bytecode=has_bytecode())
    return folder


def write_function_code(target: Path, *, bytecode: bool, packages: Path = _PACKAGES) -> None:
    """Write everything that is zipped to the folder `target`, which exists.

    Raises:
        ConfigurationError: the packages are not there.
    """
    for name, version in pinned_packages():
        if not (packages / f"{name}-{version}.dist-info").is_dir():
            raise ConfigurationError(
                f"{packages} lacks {name} {version}, which the functions bring along; run `make setup`, which installs "
                "requirements-lambda.txt there."
            )
    shutil.copytree(_ROOT / "lambdas", target / "lambdas", ignore=_never_wanted)
    shutil.copytree(packages, target, ignore=_not_wanted, dirs_exist_ok=True)
    write_sdk_models(target / "sdk_models")
    if bytecode:
        _compile(target)


def pinned_packages() -> list[tuple[str, str]]:
    """Name, as it is written in files' names, and version of each package that the functions bring along."""
    pins = re.findall(r"^([\w-]+)==(\S+)", (_ROOT / "requirements-lambda.txt").read_text(), re.MULTILINE)
    return [(name.replace("-", "_"), version) for name, version in pins]


def _not_wanted(folder: str, names: list[str]) -> set[str]:
    left_out = _never_wanted(folder, names)
    match Path(folder).parts[-2:]:
        case (_, "aws_lambda_powertools"):
            left_out.add("event_handler")
        case ("aws_lambda_powertools", "utilities"):
            left_out.update(name for name in names if name not in _USED_UTILITIES)
    return left_out


def _compile(target: Path) -> None:
    """Put bytecode beside the sources that is used without a look at their dates, which are 1980 in a zip of the CDK's.

    In a process of its own: what a process has done before shows in the bytecode it writes.
    """
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(target), "-p", "/var/task", "-q"]
    subprocess.run([sys.executable, "-I", "-m", "compileall", *options, str(target)], check=True)
