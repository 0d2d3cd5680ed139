from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, StringShape, StructureShape

from bench.entities import GOLD_SETS, gold
from local.engines.entities import MODEL_VERSION, detect


def spoken(text: str) -> dict[str, dict[str, Any]]:
    """Entities by their text."""
    return {entity["Text"]: entity for entity in detect(text)["Entities"]}


def _undocumented(shape: Any, value: Any, path: str = "") -> list[str]:
    """The members, enum values and types of `value` that botocore's model of the answer doesn't have."""
    if isinstance(shape, StructureShape):
        unknown = [f"{path}.{name}" for name in value if name not in shape.members]
        return unknown + [
            found
            for name, member in shape.members.items()
            if name in value
            for found in _undocumented(member, value[name], f"{path}.{name}")
        ]
    if isinstance(shape, ListShape):
        return [found for item in value for found in _undocumented(shape.member, item, path)]
    if isinstance(shape, StringShape):
        return [] if isinstance(value, str) and (not shape.enum or value in shape.enum) else [f"{path} {value}"]
    expected = int if shape.type_name == "integer" else float
    return [] if isinstance(value, expected) else [f"{path} {value}"]


@pytest.mark.parametrize("name", GOLD_SETS)
def test_answers_have_the_shape_and_the_enums_of_detect_entities_v2(name: str) -> None:
    model = botocore.session.get_session().get_service_model("comprehendmedical")
    shape = model.operation_model("DetectEntitiesV2").output_shape
    for sentence in gold(name):
        assert _undocumented(shape, detect(sentence["text"])) == []


@pytest.mark.parametrize("name", GOLD_SETS)
def test_every_place_in_an_answer_holds_the_text_it_says(name: str) -> None:
    for sentence in gold(name):
        answer = detect(sentence["text"])
        pieces = [piece for entity in answer["Entities"] for piece in (entity, *entity.get("Attributes", []))] + [
            unmapped["Attribute"] for unmapped in answer["UnmappedAttributes"]
        ]
        assert pieces
        for piece in pieces:
            assert sentence["text"][piece["BeginOffset"] : piece["EndOffset"]] == piece["Text"]
            assert 0 < piece["Score"] <= 1


def test_all_seven_categories_are_found() -> None:
    answer = detect(
        "Mrs. Lopez smokes and has had knee pain since Monday. Skin of the elbow was dry. "
        "The x-ray was normal. Take naproxen 250 mg."
    )
    assert {entity["Category"] for entity in answer["Entities"]} == {
        "PROTECTED_HEALTH_INFORMATION",
        "BEHAVIORAL_ENVIRONMENTAL_SOCIAL",
        "MEDICAL_CONDITION",
        "TIME_EXPRESSION",
        "ANATOMY",
        "TEST_TREATMENT_PROCEDURE",
        "MEDICATION",
    }


def test_offsets_count_code_points_not_bytes_nor_utf_16_units() -> None:
    text = "😀 Señor Núñez İ has asthma."
    entity = spoken(text)["asthma"]
    assert entity["BeginOffset"] == text.index("asthma")


def test_a_letter_that_grows_when_lowered_does_not_shift_a_negation() -> None:
    entities = spoken("İİİİİİ has asthma. He denies fever.")
    assert [trait["Name"] for trait in entities["asthma"]["Traits"]] == ["DIAGNOSIS"]
    assert [trait["Name"] for trait in entities["fever"]["Traits"]] == ["SYMPTOM", "NEGATION"]


def test_ids_are_unique_over_entities_and_attributes() -> None:
    answer = detect("Metoprolol 25 mg twice daily and aspirin 81 mg daily. Blood pressure is 150 over 90 today.")
    ids = [entity["Id"] for entity in answer["Entities"]] + [
        attribute["Id"]
        for entity in answer["Entities"]
        for attribute in entity.get("Attributes", [])
        if attribute["RelationshipType"] != "OVERLAP"
    ]
    assert len(ids) == len(set(ids)) == 9


def test_an_attribute_that_is_an_entity_too_has_its_id() -> None:
    entities = spoken("pain in the left knee")
    (site,) = [a for a in entities["pain"]["Attributes"] if a["Type"] == "SYSTEM_ORGAN_SITE"]
    assert site["Id"] == entities["knee"]["Id"]


def test_an_amount_without_a_medicine_is_unmapped() -> None:
    answer = detect("Take 5 mg every morning.")
    assert answer["Entities"] == []
    (unmapped,) = answer["UnmappedAttributes"]
    assert (unmapped["Type"], unmapped["Attribute"]["Text"]) == ("MEDICATION", "5 mg")


def test_a_nearer_attribute_is_related_with_a_higher_score() -> None:
    attributes = spoken("lisinopril 10 mg, taken with juice daily")["lisinopril"]["Attributes"]
    near, far = (attribute["RelationshipScore"] for attribute in attributes)
    assert near > far >= 0.6


def test_capitals_and_punctuation_do_not_change_what_is_found() -> None:
    written = detect("He has hypertension, takes lisinopril ten milligrams daily, and denies chest pain.")
    heard = detect("he has hypertension takes lisinopril ten milligrams daily and denies chest pain")

    def found(answer: dict[str, Any]) -> list[tuple[str, list[str], list[str]]]:
        return [
            (
                entity["Text"],
                [trait["Name"] for trait in entity["Traits"]],
                [attribute["Text"] for attribute in entity.get("Attributes", [])],
            )
            for entity in answer["Entities"]
        ]

    assert found(written) == found(heard)
    assert len(found(heard)) == 3


@pytest.mark.parametrize("text", ["", " ", "...", "ok", "\n\n"])
def test_a_text_without_anything_clinical_has_no_entities(text: str) -> None:
    assert detect(text) == {"Entities": [], "UnmappedAttributes": [], "ModelVersion": MODEL_VERSION}


def test_the_model_version_says_that_it_is_a_local_stand_in() -> None:
    assert "local" in MODEL_VERSION


@pytest.mark.parametrize("word", ["hypertention", "diabetis", "lisinoprill"])
def test_a_misrecognised_word_is_not_papered_over(word: str) -> None:
    assert detect(f"the patient has {word}")["Entities"] == []
