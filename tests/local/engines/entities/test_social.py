from local.engines.entities import detect
from tests.local.engines.entities.conftest import Attributes


def test_smoking_has_amount_and_frequency(attributes: Attributes) -> None:
    assert attributes("he smokes two packs a day", "smokes") == [("AMOUNT", "two packs"), ("FREQUENCY", "a day")]


def test_allergens_are_entities_and_not_medicines() -> None:
    found = [(e["Text"], e["Type"]) for e in detect("allergic to penicillin, latex and bee stings")["Entities"]]
    assert found == [("penicillin", "ALLERGIES"), ("latex", "ALLERGIES"), ("bee stings", "ALLERGIES")]
