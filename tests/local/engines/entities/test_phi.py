import pytest

from local.engines.entities import detect


def phi(text: str) -> list[tuple[str, str]]:
    """(text, type) of the protected health information."""
    return [
        (entity["Text"], entity["Type"])
        for entity in detect(text)["Entities"]
        if entity["Category"] == "PROTECTED_HEALTH_INFORMATION"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Anna Smith called", ("Anna Smith", "NAME")),
        ("doctor smith called", ("smith", "NAME")),
        ("a 54-year-old", ("54", "AGE")),
        ("she is fifty four years old", ("fifty four", "AGE")),
        ("seen on 03/14/2024", ("03/14/2024", "DATE")),
        ("seen on march third twenty twenty four", ("march third twenty twenty four", "DATE")),
        ("since twenty sixteen", ("twenty sixteen", "DATE")),
        ("call (555) 123-4567", ("(555) 123-4567", "PHONE_OR_FAX")),
        ("write to a.b@example.org", ("a.b@example.org", "EMAIL")),
        ("see https://example.org/x", ("https://example.org/x", "URL")),
        ("MRN: 123456", ("123456", "ID")),
        ("SSN 123-45-6789", ("123-45-6789", "ID")),
        ("lives at 12 Oak Street, Dayton", ("12 Oak Street, Dayton", "ADDRESS")),
        ("seen at Mercy Hospital", ("Mercy Hospital", "ADDRESS")),
        ("he works as a plumber", ("plumber", "PROFESSION")),
    ],
)
def test_protected_information_is_found(text: str, expected: tuple[str, str]) -> None:
    assert phi(text) == [expected]


@pytest.mark.parametrize(
    "text", ["the doctor will call", "20 mg daily", "two thousand units", "she may return", "a 3 day course"]
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert phi(text) == []
