import re
from pathlib import Path
from typing import Any

import pytest

from lambdas.rules.parameters import merged, problems
from tests.lambdas.conftest import PARAMETERS


@pytest.mark.parametrize(
    ("parameters", "patch", "result"),
    [
        # The examples of RFC 7396, appendix A, that have objects on both sides.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_parameters_are_merged_as_json_merge_patches_are(parameters: Any, patch: Any, result: Any) -> None:
    before = repr(parameters)
    assert merged(parameters, patch) == result
    assert repr(parameters) == before


def test_what_every_environment_asks_for_is_no_problem() -> None:
    assert problems(PARAMETERS) == []


@pytest.mark.parametrize("operation", list(PARAMETERS))
def test_a_problem_is_told_with_its_operation(operation: str) -> None:
    (problem,) = problems({**PARAMETERS, operation: {**PARAMETERS[operation], "Nonsense": 1}})
    assert problem.startswith(f"{operation}: Nonsense is no parameter")


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("StartMedicalTranscriptionJob", "LanguageCode"),
        ("StartMedicalTranscriptionJob", "Specialty"),
        ("StartMedicalTranscriptionJob", "Type"),
        ("StartEntitiesDetectionV2Job", "LanguageCode"),
    ],
)
def test_what_the_service_needs_and_the_pipeline_does_not_know_must_be_given(operation: str, name: str) -> None:
    told = [f"{operation}: {name} is missing; the service needs it."]
    assert problems({**PARAMETERS, operation: {**PARAMETERS[operation], name: None}}) == told


def test_an_audience_model_may_be_missing() -> None:
    assert problems({**PARAMETERS, "StartAudienceGenerationJob": {}}) == []


@pytest.mark.parametrize("parameters", [None, [], "x", {"StartMedicalTranscriptionJob": 3}])
def test_what_is_no_object_is_told(parameters: Any) -> None:
    assert any("not an object" in problem for problem in problems(parameters))


def test_the_infrastructure_takes_nothing_from_the_functions_that_needs_a_client() -> None:
    rules = "\n".join(path.read_text() for path in Path("lambdas/rules").glob("*.py"))
    infrastructure = "\n".join(path.read_text() for path in Path("infra").glob("*.py"))
    imported = re.compile(r"^(?:from|import) (botocore.session|boto3|lambdas[\w.]*)", re.MULTILINE)
    assert {name for name in imported.findall(rules) if not name.startswith("lambdas.rules")} == {
        "lambdas.shared.sdk_data"
    }
    assert set(imported.findall(Path("lambdas/shared/sdk_data.py").read_text())) == set()
    of_functions = {name for name in imported.findall(infrastructure) if name.startswith("lambdas.")}
    shared = set(re.findall(r"^from lambdas\.shared import (\w+)$", infrastructure, re.MULTILINE))
    shared |= {name.rpartition(".")[2] for name in of_functions if name.startswith("lambdas.shared.")}
    assert {name for name in of_functions if not name.startswith("lambdas.shared")} == {"lambdas.rules"}
    seen = set[str]()
    while left := shared - seen:
        name = left.pop()
        seen.add(name)
        found = imported.findall(Path(f"lambdas/shared/{name}.py").read_text())
        assert all(other.startswith("lambdas.shared.") for other in found), name
        shared |= {other.rpartition(".")[2] for other in found}
