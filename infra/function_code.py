"""What the functions' zip holds: the `lambdas` package, the packages it brings along, and the SDK's models.

All of it is the same wherever and whenever it is put together, so that an unchanged function is not deployed again.
"""

import shutil
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.sdk_models import write_sdk_models
from infra.settings import ConfigurationError

_ROOT = Path(__file__).parent.parent
# `make setup` installs requirements-lambda.txt here: for Lambda's processor and Python, not for this machine's.
_PACKAGES = Path(sys.prefix) / "lambda-packages"
# Compiled by whichever Python came by; for type checkers; pip's notes on this installation.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyi", "py.typed", "INSTALLER", "RECORD", "REQUESTED")


def function_code() -> str:
    """A folder with everything that is zipped; it is removed when this process ends.

    Raises:
        ConfigurationError: the packages are not there.
    """
    return _folder().name


@cache
def _folder() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="function-code-")
    write_function_code(Path(folder.name))
    return folder


def write_function_code(target: Path, packages: Path = _PACKAGES) -> None:
    """Write everything that is zipped to the folder `target`, which exists.

    Raises:
        ConfigurationError: the packages are not there.
    """
    if not (packages / "msgspec").is_dir():
        raise ConfigurationError(
            f"{packages} lacks msgspec, which the functions need; run `make setup`, which installs "
            "requirements-lambda.txt there."
        )
    shutil.copytree(_ROOT / "lambdas", target / "lambdas", ignore=_LEFT_OUT)
    # lambdas/__init__.py knows these two names.
    shutil.copytree(packages, target / "packages", ignore=_LEFT_OUT)
    write_sdk_models(target / "sdk_models")
