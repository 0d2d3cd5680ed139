from dataclasses import FrozenInstanceError, dataclass
from typing import Annotated, Any

import pytest

from infra.layers import Layers
from infra.settings import ConfigurationError, between, matching, one_of, read_object


@dataclass(frozen=True)
class Inner:
    share: Annotated[float, between(0, 1)]


@dataclass(frozen=True)
class Outer:
    name: str
    count: Annotated[int, between(1, 10)]
    kind: Annotated[str, one_of("a", "b")]
    flag: bool
    code: Annotated[str, matching("[0-9]+", "of digits")] | None
    inner: Inner | None
    items: tuple[Inner, ...]


VALID: dict[str, Any] = {
    "count": 3,
    "kind": "a",
    "flag": True,
    "code": None,
    "inner": {"share": 1},
    "items": [{"share": 0.5}],
}


def read(**changes: object) -> Outer:
    return read_object(Outer, Layers("top", (("top", VALID | changes),)), name="given")


def test_objects_become_dataclasses_and_lists_become_tuples() -> None:
    assert read() == Outer("given", 3, "a", True, None, Inner(1.0), (Inner(0.5),))


def test_what_was_read_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        read().count = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"count": 11}, "top.count is 11, but must be a whole number from 1 to 10."),
        ({"count": "3"}, 'top.count is "3", but must be a whole number from 1 to 10.'),
        ({"count": 3.5}, "top.count is 3.5, but must be a whole number from 1 to 10."),
        ({"count": True}, "top.count is true, but must be a whole number from 1 to 10."),
        ({"count": None}, "top.count is null, but must be a whole number from 1 to 10."),
        ({"kind": "c"}, 'top.kind is "c", but must be a text that is one of a, b.'),
        ({"flag": 1}, "top.flag is 1, but must be true or false."),
        ({"code": "x"}, 'top.code is "x", but must be a text of digits, or null.'),
        ({"code": 1}, "top.code is 1, but must be a text of digits, or null."),
        ({"inner": []}, "top.inner is [], but must be an object."),
        ({"inner": {"share": 2}}, "top.inner.share is 2, but must be a number from 0 to 1."),
        ({"inner": {}}, "top.inner.share is missing; it must be a number from 0 to 1."),
        ({"items": {}}, "top.items is {}, but must be a list."),
        ({"items": [{"share": 0}, {"share": "x"}]}, 'top.items[1].share is "x", but must be a number from 0 to 1.'),
        (
            {"surplus": 1},
            "top.surplus is not a known key; allowed here: count, kind, flag, code, inner, items.",
        ),
        ({"name": "x"}, "top.name is not a known key; allowed here: count, kind, flag, code, inner, items."),
    ],
)
def test_a_mistake_is_one_sentence_with_path_value_and_what_is_allowed(
    changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(**changes)
    assert str(raised.value) == sentence


def test_something_else_than_an_object_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^top is \[1\], but must be an object\.$"):
        read_object(Inner, Layers("top", (("top", [1]),)))


@dataclass(frozen=True)
class Person:
    name: Annotated[str, matching("[a-z]+", "of letters")]
    age: Annotated[int, between(0, 150)]


@dataclass(frozen=True)
class Team:
    people: tuple[Person, ...]


def team(*written: dict[str, Any]) -> Team:
    """Read from `people` in several locations, the first of which counts."""
    places = ("top", "below", "bottom")
    return read_object(
        Team, Layers("top", tuple((place, {"people": people}) for place, people in zip(places, written, strict=False)))
    )


def test_dataclasses_with_a_name_are_an_object_with_names_as_keys() -> None:
    assert team({"b": {"age": 2}, "a": {"age": 1}}) == Team((Person("b", 2), Person("a", 1)))
    assert team({}) == Team(())


def test_what_stands_under_the_asterisk_counts_for_all_and_less_than_what_one_has_itself() -> None:
    assert team({"*": {"age": 1}, "a": {}}, {"*": {"age": 2}, "b": {"age": 3}, "c": {}}) == Team(
        (Person("b", 3), Person("c", 1), Person("a", 1))
    )


def test_one_that_is_null_is_left_out() -> None:
    assert team({"a": None}, {"a": {"age": 1}, "b": {"age": 2}}) == Team((Person("b", 2),))


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (({"a": {"age": 151}},), "top.people.a.age is 151, but must be a whole number from 0 to 150."),
        (
            ({}, {"a": {"age": 151}}),
            "top.people.a.age (from below.people.a.age) is 151, but must be a whole number from 0 to 150.",
        ),
        (
            ({"a": {}}, {"*": {"age": -1}}),
            "top.people.a.age (from below.people.*.age) is -1, but must be a whole number from 0 to 150.",
        ),
        (
            ({"a": {"age": 1}}, {"*": {"size": 1}}),
            "top.people.a.size (from below.people.*.size) is not a known key; allowed here: age.",
        ),
        (({"a": {}},), "top.people.a.age is missing; it must be a whole number from 0 to 150."),
        (({"a": {"age": 1, "name": "b"}},), "top.people.a.name is not a known key; allowed here: age."),
        (
            ({}, {"A": {"age": 1}}),
            'the name of top.people.A (from below.people.A) is "A", but must be a text of letters.',
        ),
        (({"a": 1}, {"a": {"age": 1}}), "top.people.a is 1, but must be an object."),
        (({"*": 1},), "top.people.* is 1, but must be an object."),
        (({"a": None}, {"b": {"age": 1}}), "top.people.a is null, but there is nothing of that name to leave out."),
        (
            ([{"name": "a", "age": 1}],),
            'top.people is [{"name": "a", "age": 1}], but must be an object with names as keys.',
        ),
    ],
)
def test_a_mistake_under_a_name_says_where_it_is_written(written: Any, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        team(*written)
    assert str(raised.value) == sentence
