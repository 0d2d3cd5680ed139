"""The environments of cdk.json."""

import json
from pathlib import Path
from typing import Any

from infra.environment import Environment
from infra.settings import ConfigurationError
from operations.errors import OperationError

_CONFIGURATION = Path(__file__).parents[1] / "cdk.json"


def check_environment(name: str) -> None:
    """Before AWS is asked, which would speak of a Region, credentials or a stack instead of a mistyped name.

    Raises:
        OperationError: cdk.json has no environment of that name, or can't be read.
    """
    environments = _environments()
    if name not in environments:
        raise OperationError(
            f"There is no environment {name!r} in cdk.json, only {', '.join(sorted(environments))}; correct --env."
        )


def environment_of(name: str) -> Environment:
    """The environment's settings in cdk.json.

    Raises:
        OperationError: there is none of that name, or it has a mistake.
    """
    try:
        return Environment.from_context(name, _environments())
    except ConfigurationError as error:
        raise OperationError(str(error)) from None


def _environments() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(_CONFIGURATION.read_text())["context"]["environments"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperationError(f"The environments can't be read from {_CONFIGURATION} ({error}); correct it.") from None
    return found
