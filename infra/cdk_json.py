"""Reads the CDK's context from cdk.json, with `defaults` and `environments` (infra/environment.py)."""

import json
from pathlib import Path
from typing import Any

from infra.settings import ConfigurationError

CDK_JSON = Path(__file__).parents[1] / "cdk.json"


def read_context(path: Path = CDK_JSON) -> dict[str, Any]:
    """The context, read from the file: the CDK would drop the keys whose value is null.

    Raises:
        ConfigurationError: there is no such file, it isn't JSON, has a key twice, or has no environments.
    """
    try:
        context: dict[str, Any] = json.loads(path.read_text(), object_pairs_hook=_object)["context"]
        if not isinstance(context["environments"], dict) or not isinstance(context.get("defaults", {}), dict):
            raise ValueError("environments and defaults must be objects")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"The environments can't be read from {path} ({error}); correct the file.") from None
    return context


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without duplicate keys; the JSON parser alone would drop the first of two cohorts of one name."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)} is there twice in one object")
    return found
