from typing import Any

import pytest
from botocore.model import ShapeResolver, StructureShape
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.rules.sdk_model import broken_constraints, input_shape

SHAPES: dict[str, Any] = {
    "Request": {
        "type": "structure",
        "required": ["Name"],
        "members": {
            "Name": {"shape": "Name"},
            "Count": {"shape": "Count"},
            "AtLeast": {"shape": "AtLeast"},
            "Share": {"shape": "Share"},
            "Flag": {"shape": "Flag"},
            "Kind": {"shape": "Kind"},
            "Items": {"shape": "Items"},
            "Pairs": {"shape": "Pairs"},
            "Choice": {"shape": "Choice"},
            "Secret": {"shape": "Secret"},
        },
    },
    "Name": {"type": "string", "min": 2, "max": 4, "pattern": "[a-z]*"},
    "Count": {"type": "integer", "min": 2, "max": 30},
    "AtLeast": {"type": "long", "min": 2},
    "Share": {"type": "float", "max": 1},
    "Flag": {"type": "boolean"},
    "Kind": {"type": "string", "enum": ["A", "B", "C"]},
    "Items": {"type": "list", "member": {"shape": "Item"}, "min": 1, "max": 2},
    "Item": {"type": "structure", "required": ["Key"], "members": {"Key": {"shape": "Name"}}},
    "Pairs": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Count"}, "max": 2},
    "Choice": {"type": "structure", "union": True, "members": {"One": {"shape": "Flag"}, "Two": {"shape": "Flag"}}},
    "Secret": {
        "type": "structure",
        "sensitive": True,
        "members": {"Text": {"shape": "Name"}, "Pairs": {"shape": "Pairs"}},
    },
}
SHAPE = StructureShape("Request", SHAPES["Request"], ShapeResolver(SHAPES))


def broken(request: Any, **options: Any) -> list[str]:
    return broken_constraints(SHAPE, request, operation="Do", **options)


@pytest.mark.parametrize(
    "request_",
    [
        {"Name": "ab"},
        {"Name": "abcd"},
        {"Name": "ab", "Count": 2},
        {"Name": "ab", "Count": 30},
        {"Name": "ab", "AtLeast": 2},
        {"Name": "ab", "Share": 1},
        {"Name": "ab", "Share": 0.5},
        {"Name": "ab", "Flag": False},
        {"Name": "ab", "Kind": "C"},
        {"Name": "ab", "Items": [{"Key": "ab"}]},
        {"Name": "ab", "Items": [{"Key": "ab"}, {"Key": "ab"}]},
        {"Name": "ab", "Pairs": {}},
        {"Name": "ab", "Pairs": {"ab": 2, "cd": 3}},
        {"Name": "ab", "Choice": {"Two": True}},
        {"Name": "ab", "Secret": {"Text": "abcd"}},
        {"Name": "ab", "Unknown": None, "Count": None, "Choice": {"One": None, "Two": True}},
    ],
)
def test_what_the_model_allows_breaks_nothing(request_: Any) -> None:
    assert broken(request_) == []


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"Nmae": "ab"}, "Nmae is no parameter of Do; known here: Name, Count, AtLeast, Share, Flag, Kind, Items, "),
        ({"Name": "a"}, 'Name is "a" with 1 characters; Do takes 2 to 4.'),
        ({"Name": "abcde"}, 'Name is "abcde" with 5 characters; Do takes 2 to 4.'),
        ({"Name": "aB"}, 'Name is "aB"; Do takes a text that matches [a-z]*.'),
        ({"Name": "ab\n"}, 'Name is "ab\\n"; Do takes a text that matches [a-z]*.'),
        ({"Name": 1}, "Name is 1; Do takes a text."),
        ({"Name": ["ab"]}, "Name is a list; Do takes a text."),
        ({"Count": 1}, "Count is 1; Do takes 2 to 30."),
        ({"Count": 31}, "Count is 31; Do takes 2 to 30."),
        ({"Count": True}, "Count is true; Do takes a whole number."),
        ({"Count": 2.0}, "Count is 2.0; Do takes a whole number."),
        ({"Count": "2"}, 'Count is "2"; Do takes a whole number.'),
        ({"AtLeast": 1}, "AtLeast is 1; Do takes 2 or more."),
        ({"Share": 1.5}, "Share is 1.5; Do takes up to 1."),
        ({"Share": float("nan")}, "Share is NaN; Do takes up to 1."),
        ({"Share": False}, "Share is false; Do takes a number."),
        ({"Flag": 1}, "Flag is 1; Do takes true or false."),
        ({"Flag": "true"}, 'Flag is "true"; Do takes true or false.'),
        ({"Kind": "D"}, 'Kind is "D"; Do takes "A", "B" or "C".'),
        ({"Items": []}, "Items has 0 items; Do takes 1 to 2."),
        ({"Items": [{"Key": "ab"}] * 3}, "Items has 3 items; Do takes 1 to 2."),
        ({"Items": {"Key": "ab"}}, "Items is an object; Do takes a list."),
        ({"Items": "ab"}, 'Items is "ab"; Do takes a list.'),
        ({"Items": [{"Key": "ab"}, None]}, "Items[1] is null; Do takes an object."),
        ({"Items": [{"Key": "ab"}, {}]}, "Items[1].Key is missing; Do needs it."),
        ({"Items": [{"Key": "ab"}, {"Key": None}]}, "Items[1].Key is missing; Do needs it."),
        ({"Items": [{"Key": "a"}]}, 'Items[0].Key is "a" with 1 characters; Do takes 2 to 4.'),
        ({"Items": [{"Key": "ab", "key": 1}]}, "Items[0].key is no parameter of Do; known here: Key."),
        ({"Pairs": {"ab": 2, "cd": 3, "ef": 4}}, "Pairs has 3 pairs; Do takes up to 2."),
        ({"Pairs": {"ab": 2, "c": 3}}, 'Pairs (key 2) is "c" with 1 characters; Do takes 2 to 4.'),
        ({"Pairs": {"ab": "2"}}, 'Pairs (value 1) is "2"; Do takes a whole number.'),
        ({"Pairs": [2]}, "Pairs is a list; Do takes an object."),
        ({"Choice": {}}, "Choice has 0 members; Do takes exactly one of One, Two."),
        ({"Choice": {"One": True, "Two": True}}, "Choice has 2 members; Do takes exactly one of One, Two."),
        ({"Choice": True}, "Choice is true; Do takes an object."),
        ({"Secret": "word"}, "Secret is a text (not shown); Do takes an object."),
        ({"Secret": {"Text": "WORD"}}, "Secret.Text is a text (not shown); Do takes a text that matches [a-z]*."),
        ({"Secret": {"Text": "words"}}, "Secret.Text has 5 characters; Do takes 2 to 4."),
        ({"Secret": {"Pairs": {"words": 2}}}, "Secret.Pairs (key 1) has 5 characters; Do takes 2 to 4."),
        ({"Secret": {"Pairs": {"ab": 99}}}, "Secret.Pairs (value 1) is a number (not shown); Do takes 2 to 30."),
    ],
)
def test_what_the_model_forbids_is_one_sentence_with_path_value_and_rule(members: Any, sentence: str) -> None:
    (problem,) = broken({"Name": "ab", **members})
    assert problem.startswith(sentence)


@pytest.mark.parametrize("request_", [None, True, 1, "Name", ["Name"]])
def test_a_request_that_is_no_object_is_refused(request_: Any) -> None:
    (problem,) = broken(request_)
    assert problem.startswith("The request is ") and problem.endswith("; Do takes an object.")


def test_only_a_complete_request_needs_what_is_required_at_the_top() -> None:
    assert broken({}) == ["Name is missing; Do needs it."]
    assert broken({}, complete=False) == []
    assert broken({"Items": [{}]}, complete=False) == ["Items[0].Key is missing; Do needs it."]


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(broken({"Name": "", "Count": 1, "Kind": "D", "Choice": {}, "Other": 1})) == 5


def test_documented_values_narrow_an_enumeration() -> None:
    only = {"Kind": ("B",)}
    assert broken({"Name": "ab", "Kind": "B"}, only=only) == []
    assert broken({"Name": "ab", "Kind": "A"}, only=only) == ['Kind is "A"; Do takes "B".']


def test_a_long_value_is_cut() -> None:
    (problem,) = broken({"Name": "b" * 5000})
    assert len(problem) < 150 and "5000 characters" in problem
    assert len(broken({"Name": "ab", "c" * 5000: 1})[0]) < 250


@pytest.mark.parametrize(
    "members",
    [
        {"Items": "patient"},
        {"Items": ["patient"]},
        {"Items": [{"Key": "patient"}]},
        {"Items": [{"Key": "PAT"}]},
        {"Items": [{"Key": {"patient": 1}}]},
    ],
)
@pytest.mark.parametrize("undisclosed", ["Items.Key", "Items"])
def test_an_undisclosed_value_is_in_no_sentence_wherever_it_was_put(members: Any, undisclosed: str) -> None:
    problems = broken({"Name": "ab", **members}, undisclosed=[undisclosed])
    assert problems
    assert not any("pat" in problem.lower().replace("path", "") for problem in problems)


NAMES = st.sampled_from([*SHAPES["Request"]["members"], "Key", "One", "Text"]) | st.text(st.characters(), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_no_json_value_is_too_odd_to_be_judged(request_: Any) -> None:
    for problem in broken(request_, undisclosed=["Name"]):
        problem.encode("ascii")


def test_the_shape_of_an_operation_is_read_once() -> None:
    shape = input_shape("comprehendmedical", "StartEntitiesDetectionV2Job")
    assert input_shape("comprehendmedical", "StartEntitiesDetectionV2Job") is shape
    assert "JobName" in shape.members
