import pytest

from tests.local.engines.entities.conftest import Attributes


@pytest.mark.parametrize(
    ("text", "test", "expected"),
    [
        ("blood pressure is 140/90", "blood pressure", [("TEST_VALUE", "140/90")]),
        ("blood pressure one forty over ninety", "blood pressure", [("TEST_VALUE", "one forty over ninety")]),
        ("glucose was 180 mg/dL", "glucose", [("TEST_VALUE", "180"), ("TEST_UNIT", "mg/dL")]),
        ("the chest x-ray was normal", "chest x-ray", [("TEST_VALUE", "normal")]),
        ("a1c seven point two percent", "a1c", [("TEST_VALUE", "seven point two"), ("TEST_UNIT", "percent")]),
        ("an ekg in 12 months", "ekg", []),
    ],
)
def test_a_test_has_the_value_that_follows_it(
    text: str, test: str, expected: list[tuple[str, str]], attributes: Attributes
) -> None:
    assert attributes(text, test) == expected
