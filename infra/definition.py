"""Reads the state machines' definitions from statemachine/, to deploy, simulate or test them."""

import json
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from infra.settings import ConfigurationError

_FOLDER = Path(__file__).parent.parent / "statemachine"
FILE = _FOLDER / "pipeline.asl.yaml"
BACKFILL = _FOLDER / "backfill.asl.yaml"
SEARCH = _FOLDER / "search.asl.yaml"
ANALYSIS = _FOLDER / "analysis.asl.yaml"


def read_definition(file: Path = FILE) -> dict[str, Any]:
    """The definition as JSON, with the file's YAML anchors expanded.

    Raises:
        ConfigurationError: a key is given twice; YAML would silently take the last one.
    """
    with file.open() as stream:
        loader = yaml.SafeLoader(stream)
        root = loader.get_single_node()
        _refuse_keys_given_twice(root, file.name)
        definition: dict[str, Any] = json.loads(json.dumps(loader.construct_document(root)))
    return definition


def _refuse_keys_given_twice(node: yaml.Node, name: str) -> None:
    if isinstance(node, yaml.MappingNode):
        known = set()
        for key, value in node.value:
            if key.value in known:
                raise ConfigurationError(f"{name}, line {key.start_mark.line + 1}: {key.value} is given twice.")
            known.add(key.value)
            _refuse_keys_given_twice(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_keys_given_twice(item, name)
