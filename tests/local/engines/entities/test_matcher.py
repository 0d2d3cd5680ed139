from local.engines.entities import detect


def found(text: str) -> list[str]:
    return [entity["Text"] for entity in detect(text)["Entities"]]


def test_a_site_and_its_complaint_are_one_condition() -> None:
    assert found("knee pain and ankle swelling") == ["knee pain", "ankle swelling"]
    assert found("facial swelling") == ["facial swelling"]


def test_the_longest_term_wins() -> None:
    assert found("congestive heart failure") == ["congestive heart failure"]


def test_a_term_does_not_cross_punctuation() -> None:
    assert found("chest, pain") == ["chest", "pain"]
