import re
from pathlib import Path

import pytest

from infra.definition import read_definition
from infra.settings import ConfigurationError


def read(folder: Path, text: str) -> object:
    file = folder / "some.asl.yaml"
    file.write_text(text)
    return read_definition(file)


def test_what_states_share_in_the_file_each_has_as_its_own() -> None:
    definition = read_definition()
    first, second = definition["States"]["PlanBatch"]["Retry"], definition["States"]["SelectSeeds"]["Retry"]
    assert first == second
    first[0]["MaxAttempts"] += 1
    assert first != second


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A: 1\nB: 2\nA: 3\n", "line 3: A is given twice."),
        ("States:\n  A: {Next: B}\n  B:\n    End: true\n  A: {End: true}\n", "line 5: A is given twice."),
        ('Retry:\n  - {MaxAttempts: 1, "MaxAttempts": 2}\n', "line 2: MaxAttempts is given twice."),
    ],
    ids=["at the top", "a state", "in a list"],
)
def test_a_key_that_is_given_twice_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^some.asl.yaml, {re.escape(said)}$"):
        read(tmp_path, text)


def test_the_same_key_in_two_objects_is_none_that_is_given_twice(tmp_path: Path) -> None:
    assert read(tmp_path, "A: &a {Next: B}\nB: {Next: A}\nC: *a\n") == {
        "A": {"Next": "B"},
        "B": {"Next": "A"},
        "C": {"Next": "B"},
    }
