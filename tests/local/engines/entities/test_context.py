import pytest

from local.engines.entities import detect

KINDS = {"SIGN", "SYMPTOM", "DIAGNOSIS"}


def traits(text: str) -> dict[str, set[str]]:
    """Context traits by entity text."""
    return {
        entity["Text"]: {trait["Name"] for trait in entity["Traits"]} - KINDS for entity in detect(text)["Entities"]
    }


@pytest.mark.parametrize(
    "text",
    [
        "patient denies hypertension",
        "no hypertension",
        "he does not have hypertension",
        "There is no evidence of hypertension.",
        "negative for hypertension",
        "hypertension was ruled out",
        "without diabetes or hypertension",
        "she denies that she has hypertension",
    ],
)
def test_a_denied_condition_is_negated(text: str) -> None:
    assert traits(text)["hypertension"] == {"NEGATION"}


@pytest.mark.parametrize(
    "text",
    [
        "patient has hypertension",
        "no change in his hypertension",
        "hypertension is not controlled",
        "he denies chest pain but has hypertension",
        "no chest pain no fever he has hypertension",
        "denies chest pain. Has hypertension.",
        "she denies fever, and her hypertension is stable, treated with amlodipine",
    ],
)
def test_an_affirmed_condition_is_not_negated(text: str) -> None:
    assert traits(text)["hypertension"] == set()


def test_a_negation_reaches_along_a_list_without_punctuation() -> None:
    assert set(map(frozenset, traits("no fever chills or night sweats").values())) == {frozenset({"NEGATION"})}


@pytest.mark.parametrize(
    "text",
    [
        "her mother has hypertension",
        "family history of hypertension",
        "hypertension in his father",
        "both of my parents had hypertension",
        "his dad was told about hypertension years ago",
    ],
)
def test_a_condition_of_a_relative_pertains_to_family(text: str) -> None:
    assert "PERTAINS_TO_FAMILY" in traits(text)["hypertension"]


def test_a_relative_does_not_take_over_the_patients_condition() -> None:
    assert traits("her mother has diabetes but she has hypertension") == {
        "diabetes": {"PERTAINS_TO_FAMILY"},
        "hypertension": set(),
    }


def test_a_denied_family_history_is_both() -> None:
    assert traits("no family history of hypertension")["hypertension"] == {"NEGATION", "PERTAINS_TO_FAMILY"}


@pytest.mark.parametrize(
    "text",
    [
        "possible pneumonia",
        "rule out pneumonia",
        "concern for pneumonia",
        "pneumonia cannot be excluded",
        "she may have pneumonia",
        "if he develops pneumonia he should return",
    ],
)
def test_a_supposed_condition_is_hypothetical_and_not_negated(text: str) -> None:
    assert traits(text)["pneumonia"] == {"HYPOTHETICAL"}


def test_history_and_former_use_are_past() -> None:
    assert traits("history of stroke")["stroke"] == {"PAST_HISTORY"}
    assert traits("former smoker")["smoker"] == {"PAST_HISTORY"}
    assert traits("he had an appendectomy in 1999")["appendectomy"] == {"PAST_HISTORY"}


def test_a_stopped_medicine_is_negated_and_its_reason_is_not() -> None:
    found = traits("she stopped lisinopril because of a cough")
    assert found == {"lisinopril": {"NEGATION"}, "cough": set()}


def test_a_planned_test_is_in_the_future_and_a_done_one_is_not() -> None:
    assert traits("we will order an echocardiogram")["echocardiogram"] == {"FUTURE"}
    assert traits("the echocardiogram was normal")["echocardiogram"] == set()
