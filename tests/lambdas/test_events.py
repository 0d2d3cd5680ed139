"""Each function's declared input is what the state that calls it passes on."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_type_hints

import pytest

from infra.definition import ANALYSIS, read_definition
from infra.functions import ANALYSIS_STEPS, FUNCTIONS, PIPELINE_STEPS, pascal_case


def tasks(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and definition of every Task, also within Maps."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        elif state["Type"] == "Map":
            yield from tasks(state["ItemProcessor"]["States"])


TASKS = dict(tasks(read_definition()["States"])) | dict(tasks(read_definition(ANALYSIS)["States"]))


@pytest.mark.parametrize("function", sorted({*PIPELINE_STEPS, *ANALYSIS_STEPS}))
def test_a_function_declares_the_parameters_of_its_state(function: str) -> None:
    module, _, name = FUNCTIONS[function][0].rpartition(".")
    event = get_type_hints(inspect.unwrap(getattr(import_module(module), name)))["event"]
    parameters = TASKS[pascal_case(function)]["Parameters"]
    # A Task that waits for its token has the function's input within the call's parameters.
    passed = {parameter.removesuffix(".$") for parameter in parameters.get("Payload", parameters)}
    assert passed == event.__required_keys__ | event.__optional_keys__
