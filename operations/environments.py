"""The environments of cdk.json."""

from typing import Any

from infra.cdk_json import read_context
from infra.environment import Environment
from infra.settings import ConfigurationError
from operations.errors import OperationError


def check_environment(name: str) -> None:
    """Check the name before the first call to AWS, whose error would name a Region or a stack instead.

    Raises:
        OperationError: cdk.json has no environment of that name, or can't be read.
    """
    environments = _context()["environments"]
    if name not in environments:
        raise OperationError(
            f"There is no environment {name!r} in cdk.json, only {', '.join(sorted(environments))}; correct --env."
        )


def environment_of(name: str) -> Environment:
    """The environment's settings in cdk.json.

    Raises:
        OperationError: there is no environment of that name, or its settings are wrong.
    """
    try:
        return Environment.from_context(name, _context())
    except ConfigurationError as error:
        raise OperationError(str(error)) from None


def _context() -> dict[str, Any]:
    try:
        return read_context()
    except ConfigurationError as error:
        raise OperationError(str(error)) from None
