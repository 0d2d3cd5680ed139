import pytest

from local.engines.entities import detect


def times(text: str) -> list[tuple[str, str, str]]:
    """(text, type, entity) of each time expression."""
    return [
        (entity["Text"], entity["Type"], entity["Attributes"][0]["Text"])
        for entity in detect(text)["Entities"]
        if entity["Category"] == "TIME_EXPRESSION"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cough for three days", ("three days", "TIME_TO_DX_NAME", "cough")),
        ("two weeks of fever", ("two weeks", "TIME_TO_DX_NAME", "fever")),
        ("mri last week", ("last week", "TIME_TO_TEST_NAME", "mri")),
        ("started lisinopril two months ago", ("two months ago", "TIME_TO_MEDICATION_NAME", "lisinopril")),
        ("headache since monday", ("monday", "TIME_TO_DX_NAME", "headache")),
        ("appendectomy four years ago", ("four years ago", "TIME_TO_PROCEDURE_NAME", "appendectomy")),
    ],
)
def test_a_time_is_tied_to_what_happened_then(text: str, expected: tuple[str, str, str]) -> None:
    assert times(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "yesterday the patient walked the dog",
        "amoxicillin for ten days",
        "aspirin every two days",
        "asthma at 3 years old",
    ],
)
def test_what_is_no_time_of_an_entity_is_left_out(text: str) -> None:
    assert times(text) == []
