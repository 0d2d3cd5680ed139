from typing import Any

import pytest

from infra.layers import Layers


def layers(*written: Any) -> Layers:
    return Layers("top", tuple(zip(("top", "below", "bottom"), written, strict=False)))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (({"a": 1}, {"a": 2, "b": 3}), {"a": 1, "b": 3}),
        (({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}), {"a": {"b": 1, "c": 3}}),
        (({"a": None}, {"a": 1}), {"a": None}),
        (({"a": None}, {"a": {"b": 1}}), {"a": None}),
        (({"a": {"b": 1}}, {"a": None}), {"a": {"b": 1}}),
        (({"a": [1]}, {"a": [2, 3]}), {"a": [1]}),
        (({"a": [{"b": 1}]}, {"a": [{"c": 2}]}), {"a": [{"b": 1}]}),
        (({"a": {}}, {"a": {"b": 1}}), {"a": {"b": 1}}),
        (({"a": {}}, {"a": 1}, {"a": {"b": 1}}), {"a": {}}),
        (({}, {"a": 1}, {"a": 2, "b": 3}), {"a": 1, "b": 3}),
        ((1, {"a": 1}), 1),
    ],
)
def test_objects_merge_and_everything_else_hides_what_is_below(written: tuple[Any, ...], value: object) -> None:
    assert layers(*written).value == value


def test_what_is_added_comes_after_what_was_there() -> None:
    assert list(layers({"new": 1, "a": 2}, {"b": 3, "a": 4})) == ["b", "a", "new"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("own", "top.own"),
        ("both", "top.both"),
        ("other", "top.other (from below.other)"),
        ("none", "top.none"),
        ("mixed", "top.mixed (merged with below.mixed)"),
        ("object", "top.object (from below.object)"),
    ],
)
def test_a_value_says_where_it_is_written_unless_that_is_where_it_belongs(path: str, told: str) -> None:
    own = {"own": 1, "both": 1, "mixed": {"a": 1}}
    assert str(layers(own, {"both": 2, "other": 2, "mixed": {"b": 1}, "object": {"b": 1}})[path]) == told


def test_a_sentence_leads_to_the_deepest_key_that_it_begins_with() -> None:
    found = layers({"Settings": {"Show": True}}, {"Settings": {"Maximum": 2}, "SettingsOfOthers": 1})
    assert str(found.at("Settings.Maximum is 2.")) == "top.Settings.Maximum (from below.Settings.Maximum)"
    assert str(found.at("Settings.Show is true.")) == "top.Settings.Show"
    assert str(found.at("Settings.Other is missing.")) == "top.Settings (merged with below.Settings)"
    assert str(found.at("SettingsOfOthers is 1.")) == "top.SettingsOfOthers (from below.SettingsOfOthers)"
    assert str(found.at("Language is missing.")) == "top (merged with below)"
