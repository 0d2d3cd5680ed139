import pytest

from local.engines.entities import detect
from tests.local.engines.entities.conftest import Attributes


def test_a_condition_has_course_quality_and_side(attributes: Attributes) -> None:
    assert attributes("sudden severe left flank pain", "flank pain") == [
        ("ACUITY", "sudden"),
        ("QUALITY", "severe"),
        ("DIRECTION", "left"),
    ]
    assert attributes("hypertension is poorly controlled", "hypertension") == [("QUALITY", "poorly controlled")]


@pytest.mark.parametrize("text", ["pain in the right knee", "my knee is really sore", "swelling of both knees"])
def test_a_complaint_knows_its_site(text: str) -> None:
    sites = [
        attribute["Text"]
        for entity in detect(text)["Entities"]
        for attribute in entity.get("Attributes", [])
        if attribute["Type"] == "SYSTEM_ORGAN_SITE"
    ]
    assert [site.rstrip("s") for site in sites] == ["knee"]
