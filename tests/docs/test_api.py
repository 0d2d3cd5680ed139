"""docs/api.md has a row for everything that the SDK knows of the services' operations, and for nothing else."""

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from infra.cdk_json import read_context
from infra.environment import Environment, settings_of
from lambdas.rules import clean_rooms_ml, parameters
from tests.docs.pages import examples, missing_tests, sections

PAGE = sections("api.md")
SERVICES = {
    "Transcribe Medical": "transcribe",
    "Comprehend Medical": "comprehendmedical",
    "Clean Rooms ML": "cleanroomsml",
}
REQUESTS = {
    "Transcribe Medical": "StartMedicalTranscriptionJob",
    "Comprehend Medical": "StartEntitiesDetectionV2Job",
    "Clean Rooms ML": "StartAudienceGenerationJob",
}
ANSWERS = {
    "Transcribe Medical/Answer of GetMedicalTranscriptionJob": [
        "StartMedicalTranscriptionJob",
        "GetMedicalTranscriptionJob",
    ],
    "Comprehend Medical/Answers": ["StartEntitiesDetectionV2Job", "DescribeEntitiesDetectionV2Job"],
    "Clean Rooms ML/Answers": ["StartAudienceGenerationJob", "GetAudienceGenerationJob"],
}
STATUSES = {
    "Transcribe Medical": ["TranscriptionJobStatus"],
    "Comprehend Medical": ["JobStatus"],
    "Clean Rooms ML": ["AudienceGenerationJobStatus", "AudienceExportJobStatus"],
}


MODULES = {
    "Transcribe Medical": "transcribe_medical.py",
    "Comprehend Medical": "comprehend_medical.py",
    "Clean Rooms ML": "clean_rooms_ml.py",
}
# What the page says of an error that a function handles itself.
HANDLED = ("adopted", "rejected", "started again", "`IncompleteOutput`")


def model_of(chapter: str) -> ServiceModel:
    service = SERVICES[chapter]
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def members(shape: Shape, path: str = "") -> Iterator[str]:
    """`Settings.VocabularyName`, `Tags[].Key`: every member at every depth."""
    if isinstance(shape, ListShape):
        yield from members(shape.member, f"{path}[]")
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            below = f"{path}.{name}" if path else name
            yield below
            yield from members(member, below)


def first_cells(heading: str) -> list[str]:
    return [re.sub(r"`", "", row[0]) for row in PAGE[heading]]


@pytest.mark.parametrize("chapter", REQUESTS)
def test_every_member_of_a_request_has_a_row_and_no_row_is_about_anything_else(chapter: str) -> None:
    operation = REQUESTS[chapter]
    shape = model_of(chapter).operation_model(operation).input_shape
    assert shape is not None
    assert sorted(first_cells(f"{chapter}/Parameters of {operation}")) == sorted(members(shape))


@pytest.mark.parametrize("heading", ANSWERS)
def test_every_member_of_an_answer_has_a_row_and_no_row_is_about_anything_else(heading: str) -> None:
    model = model_of(heading.split("/")[0])
    shapes = [model.operation_model(operation).output_shape for operation in ANSWERS[heading]]
    known = {member for shape in shapes if shape is not None for member in members(shape)}
    assert sorted(first_cells(heading)) == sorted(known)


@pytest.mark.parametrize("chapter", STATUSES)
def test_every_status_has_a_row(chapter: str) -> None:
    shapes = [model_of(chapter).shape_for(name) for name in STATUSES[chapter]]
    known = {status for shape in shapes for status in shape.metadata["enum"]}
    assert set(first_cells(f"{chapter}/Statuses")) == known


@pytest.mark.parametrize("chapter", MODULES)
def test_what_is_waited_for_is_what_the_function_takes_to_be_running(chapter: str) -> None:
    tree = ast.parse(Path("lambdas", MODULES[chapter]).read_text())
    (statuses,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STATUSES"
    )
    said = {row[0].strip("`"): row[1] for row in PAGE[f"{chapter}/Statuses"]}
    assert set(said) == set(statuses)
    waited_for = {status for status, becomes in said.items() if becomes.startswith("waited for")}
    assert waited_for == {status for status, becomes in statuses.items() if becomes == "running"}


@pytest.mark.parametrize("chapter", SERVICES)
def test_every_error_of_every_operation_that_the_functions_call_has_a_row(chapter: str) -> None:
    model = model_of(chapter)
    source = "\n".join(path.read_text() for path in Path("lambdas").rglob("*.py"))
    called = [name for name in model.operation_names if re.search(rf"\b{xform_name(name)}\b", source)]
    assert len(called) == {"Transcribe Medical": 2, "Comprehend Medical": 3, "Clean Rooms ML": 5}[chapter]
    known = {(name, error.name) for name in called for error in model.operation_model(name).error_shapes}
    rows = {(row[0].strip("`"), row[1].strip("`")) for row in PAGE[f"{chapter}/Errors"]}
    assert rows == known


@pytest.mark.parametrize("chapter", MODULES)
def test_what_the_page_says_to_be_handled_is_what_the_function_catches(chapter: str) -> None:
    operations = {xform_name(name): name for name in model_of(chapter).operation_names}
    caught = set()
    for node in ast.walk(ast.parse(Path("lambdas", MODULES[chapter]).read_text())):
        if isinstance(node, ast.Try):
            names = {found.attr for part in node.body for found in ast.walk(part) if isinstance(found, ast.Attribute)}
            clauses = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
            errors = re.findall(r"\.exceptions\.(\w+)", clauses)
            caught |= {(operations[name], error) for name in names & set(operations) for error in errors}
    rows = PAGE[f"{chapter}/Errors"]
    handled = {(row[0].strip("`"), row[1].strip("`")) for row in rows if any(word in row[2] for word in HANDLED)}
    assert handled == caught


def test_every_row_names_tests_that_exist() -> None:
    assert missing_tests("api.md") == []
    legend = [row[0] for row in PAGE["The tests"]]
    assert len(legend) == len(set(legend))
    tables = {heading: rows for heading, rows in PAGE.items() if "/" in heading}
    named = set()
    for heading, rows in tables.items():
        for row in rows:
            assert row[-1] and set(row[-1].split(", ")) <= set(legend), (heading, row)
            named |= set(row[-1].split(", "))
    assert named == set(legend)


def test_what_a_person_may_ask_for_is_what_the_rules_let_pass() -> None:
    for chapter, operation in REQUESTS.items():
        rows = PAGE[f"{chapter}/Parameters of {operation}"]
        top = {row[0].strip("`"): row[1] for row in rows if not re.search(r"[.\[]", row[0])}
        service = parameters.OPERATIONS[operation]
        assert {name for name, who in top.items() if who == "pipeline"} == set(service.SET_BY_PIPELINE)
    rows = PAGE["Clean Rooms ML/Parameters of StartAudienceGenerationJob"]
    seed = [row for row in rows if re.fullmatch(r"`seedAudience\.\w+`", row[0]) and row[1] == "pipeline"]
    by_pipeline = {row[0].strip("`").split(".")[1] for row in seed}
    assert by_pipeline == set(clean_rooms_ml.SEED_SET_BY_PIPELINE)


def test_the_defaults_are_those_of_every_environment(environments: dict[str, Any]) -> None:
    for chapter, operation in REQUESTS.items():
        for row in PAGE[f"{chapter}/Parameters of {operation}"]:
            told = re.search(r"Default in cdk\.json: `(.+?)`", row[2])
            name = row[0].strip("`")
            for environment, entry in environments.items():
                # An environment of one's own chooses its audience model.
                if name not in parameters.NOT_NEEDED and "." not in name:
                    asked = entry["parameters"][operation].get(name)
                    assert asked == (told[1] if told else None), (environment, name)


def test_the_examples_work(environments: dict[str, Any]) -> None:
    of_environment, of_input, of_cohorts = examples("api.md")
    assert parameters.problems(of_environment) == []
    assert parameters.problems(parameters.merged(of_environment, of_input["parameters"])) == []
    entry = copy.deepcopy(environments["local"])
    entry["parameters"] = of_environment
    entry["audience"]["sql_cohorts"] = of_cohorts
    (cohort,) = Environment.from_context("local", {"environments": {"local": entry}}).audience.sql_cohorts
    assert cohort.name == "from-claims"


@pytest.fixture
def environments() -> dict[str, Any]:
    context = read_context()
    return {name: settings_of(name, context).value for name in context["environments"]}
