"""The schema of `summary.json` describes the type that SummarizeBatch fills."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lambdas.report.summary import Summary

PUBLISHED = json.loads((Path(__file__).parents[3] / "docs/schemas/summary.schema.json").read_text())
DECLARED = msgspec.json.schema(Summary)
# The services' own shapes, which their API references describe, and what a reader gets as it is.
THEIRS = {"parameters"}


def shape(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """What a program relies on: the members of objects, which of them are required, and the types that may stand there.

    Descriptions, patterns and bounds are left out: types don't have them.
    """
    if "$ref" in schema:
        found = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return shape(found, root)
    if "anyOf" in schema:
        return frozenset().union(*(shape(each, root) for each in schema["anyOf"]))
    if "enum" in schema:
        return frozenset({"string"})
    kinds = schema.get("type", ())
    return frozenset(
        kind if kind not in ("object", "array") else (kind, members(schema, root, kind))
        for kind in ([kinds] if isinstance(kinds, str) else kinds)
    )


def members(schema: Mapping[str, Any], root: Mapping[str, Any], kind: str) -> Any:
    if kind == "array":
        return shape(schema["items"], root)
    if "properties" not in schema:
        return None
    required = schema.get("required", ())
    return frozenset(
        (name, name in required, None if name in THEIRS else shape(each, root))
        for name, each in schema["properties"].items()
    )


@pytest.mark.parametrize("member", sorted(PUBLISHED["properties"]))
def test_the_schema_says_of_each_member_what_its_type_says(member: str) -> None:
    declared = DECLARED["$defs"]["Summary"]["properties"]
    if member not in THEIRS:
        assert shape(PUBLISHED["properties"][member], PUBLISHED) == shape(declared[member], DECLARED)


def test_schema_and_type_have_the_same_members_all_of_them_required() -> None:
    declared = DECLARED["$defs"]["Summary"]
    assert set(PUBLISHED["properties"]) == set(declared["properties"])
    assert set(PUBLISHED["required"]) == set(declared["required"]) == set(declared["properties"])
