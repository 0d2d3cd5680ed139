import pytest

from local.engines.entities import detect


@pytest.mark.parametrize(
    ("clinical", "everyday", "word"),
    [
        ("pain in her back", "she will come back to us", "back"),
        ("purulent discharge from the ear", "the discharge instructions were given", "discharge"),
        ("he drinks three beers", "she drinks plenty of water", "drinks"),
        ("weight is 180 pounds", "watch the weight limit", "weight"),
        ("a white male", "the white paper", "white"),
        ("sores in the mouth", "aspirin by mouth", "mouth"),
    ],
)
def test_a_word_is_a_term_only_in_clinical_company(clinical: str, everyday: str, word: str) -> None:
    assert word in [entity["Text"] for entity in detect(clinical)["Entities"]]
    assert word not in [entity["Text"] for entity in detect(everyday)["Entities"]]
