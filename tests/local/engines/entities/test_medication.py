import pytest

from tests.local.engines.entities.conftest import Attributes


@pytest.mark.parametrize("dose", ["10 mg", "10mg", "ten milligrams", "0.5 mg"])
def test_a_dose_may_be_digits_or_words(dose: str, attributes: Attributes) -> None:
    assert attributes(f"takes lisinopril {dose} daily", "lisinopril") == [("DOSAGE", dose), ("FREQUENCY", "daily")]


def test_a_full_prescription_is_read_in_order(attributes: Attributes) -> None:
    assert attributes("amoxicillin 500 mg by mouth three times a day for ten days", "amoxicillin") == [
        ("DOSAGE", "500 mg"),
        ("ROUTE_OR_MODE", "by mouth"),
        ("FREQUENCY", "three times a day"),
        ("DURATION", "ten days"),
    ]


def test_a_medicine_may_have_two_frequencies(attributes: Attributes) -> None:
    found = attributes("albuterol two puffs every four hours as needed", "albuterol")
    assert found == [("DOSAGE", "two puffs"), ("FREQUENCY", "every four hours"), ("FREQUENCY", "as needed")]


def test_an_amount_before_a_form_is_its_strength(attributes: Attributes) -> None:
    assert attributes("metformin 500 mg tablets", "metformin") == [("STRENGTH", "500 mg"), ("FORM", "tablets")]


def test_each_medicine_of_a_list_keeps_its_own_dose(attributes: Attributes) -> None:
    text = "metoprolol 25 mg, atorvastatin 40 mg and 81 mg of aspirin"
    assert attributes(text, "metoprolol") == [("DOSAGE", "25 mg")]
    assert attributes(text, "atorvastatin") == [("DOSAGE", "40 mg")]
    assert attributes(text, "aspirin") == [("DOSAGE", "81 mg")]


def test_an_infusion_has_a_rate(attributes: Attributes) -> None:
    assert attributes("heparin at 12 units per hour", "heparin") == [("RATE", "12 units per hour")]


def test_an_attribute_of_another_sentence_is_not_taken(attributes: Attributes) -> None:
    assert attributes("She takes aspirin. Walks twice daily.", "aspirin") == []
