import json
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas import select_seeds

CLINICAL, AUDIENCE = "clinical-bucket", "audience-bucket"
MODEL = {"configuredAudienceModelArn": "arn:model"}
COHORT = {
    "name": "hypertension",
    "category": "MEDICAL_CONDITION",
    "terms": ["Hypertension", "high blood *"],
    "excluded_traits": ["NEGATION", "PERTAINS_TO_FAMILY"],
    "minimum_score": 0.6,
    "minimum_seed_size": 25,
    "export": None,
}


def record(user_id: str, text: str = "hypertension", **more: Any) -> dict[str, Any]:
    return {
        "user_id": user_id, "text": text, "category": "MEDICAL_CONDITION", "score": 0.9, "traits": [],
        "audience_consent": True, **more,
    }  # fmt: skip


def put_records(s3: Any, *records: dict[str, Any], media_id: str = "m") -> None:
    body = "".join(json.dumps(item) + "\n" for item in records)
    s3.put_object(Bucket=CLINICAL, Key=f"records/{media_id}.jsonl", Body=body.encode())


def select(
    monkeypatch: pytest.MonkeyPatch, *cohorts: dict[str, Any], parameters: Mapping[str, str] = MODEL
) -> dict[str, Any]:
    monkeypatch.setenv("COHORTS", json.dumps(list(cohorts or [COHORT])))
    return select_seeds.handler({"batch": {"batch_id": "b"}, "parameters": parameters}, None)


def seed_ids(s3: Any, cohort: dict[str, Any]) -> list[str]:
    key = cohort["seed_uri"].removeprefix(f"s3://{AUDIENCE}/")
    lines = s3.get_object(Bucket=AUDIENCE, Key=key)["Body"].read().decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert all(set(row) == {"user_id"} for row in rows)
    return [row["user_id"] for row in rows]


def people(number: int, start: int = 0) -> list[dict[str, Any]]:
    return [record(f"p-{n:03}") for n in range(start, start + number)]


def test_a_seed_holds_each_person_once_and_nothing_else(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(25), media_id="m1")
    put_records(s3, *people(3), media_id="m2")
    (cohort,) = select(monkeypatch)["cohorts"]
    assert seed_ids(s3, cohort) == [f"p-{n:03}" for n in range(25)]
    assert (cohort["cohort"], cohort["eligible"], cohort["seed_size"], cohort["export"]) == (
        "hypertension",
        25,
        25,
        None,
    )


def test_twenty_four_people_are_too_few(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(24))
    answer = select(monkeypatch)
    assert answer["cohorts"] == []
    assert answer["not_generated"] == [
        {"cohort": "hypertension", "eligible": 24, "reason": "24 consenting people; the cohort needs 25."}
    ]
    assert "Contents" not in s3.list_objects_v2(Bucket=AUDIENCE)


@pytest.mark.parametrize(
    "outsider",
    [
        record("x", audience_consent=False),
        record("x", category="MEDICATION"),
        record("x", score=0.59),
        record("x", text="pulmonary hypertension"),
        record("x", traits=[{"name": "NEGATION", "score": 0.2}]),
        record("x", traits=[{"name": "SYMPTOM", "score": 0.9}, {"name": "PERTAINS_TO_FAMILY", "score": 0.9}]),
    ],
)
def test_an_entity_outside_the_rules_adds_nobody(
    s3: Any, monkeypatch: pytest.MonkeyPatch, outsider: dict[str, Any]
) -> None:
    put_records(s3, *people(25), outsider)
    assert "x" not in seed_ids(s3, select(monkeypatch)["cohorts"][0])


@pytest.mark.parametrize(
    "insider",
    [
        record("x", text="HYPERTENSION"),
        record("x", text="high  blood\npressure"),
        record("x", score=0.6),
        record("x", traits=[{"name": "DIAGNOSIS", "score": 0.9}]),
    ],
)
def test_an_entity_within_the_rules_adds_its_person(
    s3: Any, monkeypatch: pytest.MonkeyPatch, insider: dict[str, Any]
) -> None:
    put_records(s3, *people(25), insider)
    assert "x" in seed_ids(s3, select(monkeypatch)["cohorts"][0])


def test_suppressed_people_are_in_no_seed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket=AUDIENCE, Key="suppression/user_ids.txt", Body=b"\xef\xbb\xbfp-003\r\n\n p-004 \nnobody")
    put_records(s3, *people(27))
    (cohort,) = select(monkeypatch)["cohorts"]
    assert cohort["eligible"] == 25
    assert not {"p-003", "p-004"} & set(seed_ids(s3, cohort))


def test_the_same_people_are_the_same_seed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(25))
    assert select(monkeypatch)["cohorts"] == select(monkeypatch)["cohorts"]


def test_a_few_newcomers_do_not_make_a_new_audience_and_enough_of_them_do(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_records(s3, *people(25))
    first = select(monkeypatch)["cohorts"][0]
    put_records(s3, *people(24, 25), media_id="m2")
    second = select(monkeypatch)["cohorts"][0]
    assert (second["seed_id"], second["seed_size"], second["eligible"]) == (first["seed_id"], 25, 49)
    put_records(s3, *people(1, 49), media_id="m3")
    third = select(monkeypatch)["cohorts"][0]
    assert (third["seed_size"], third["eligible"]) == (50, 50)


def test_a_person_who_leaves_makes_a_new_seed_at_once(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(30))
    first = select(monkeypatch)["cohorts"][0]
    s3.put_object(Bucket=AUDIENCE, Key="suppression/user_ids.txt", Body=b"p-003")
    second = select(monkeypatch)["cohorts"][0]
    assert second["seed_id"] != first["seed_id"]
    assert "p-003" not in seed_ids(s3, second)


def test_a_seed_that_has_expired_is_made_again(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(25))
    first = select(monkeypatch)["cohorts"][0]
    s3.delete_object(Bucket=AUDIENCE, Key=first["seed_uri"].removeprefix(f"s3://{AUDIENCE}/"))
    assert len(seed_ids(s3, select(monkeypatch)["cohorts"][0])) == 25


def test_without_cohorts_no_record_is_read(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket=CLINICAL, Key="records/m.jsonl", Body=b"not a record")
    monkeypatch.setenv("COHORTS", "[]")
    event = {"batch": {"batch_id": "b"}, "parameters": MODEL}
    assert select_seeds.handler(event, None) == {
        "cohorts": [],
        "not_generated": [],
        "unreadable_records": {"count": 0, "first": []},
    }


@pytest.mark.parametrize(
    "body", [b"\xff", b"{", b"[]", b"5", b'{"user_id": null}', b"[" * 100_000], ids=lambda body: repr(body[:20])
)
def test_records_that_cannot_be_read_are_told_and_the_others_count(
    s3: Any, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    put_records(s3, *people(25))
    s3.put_object(Bucket=CLINICAL, Key="records/spoiled.jsonl", Body=body)
    answer = select(monkeypatch)
    assert len(seed_ids(s3, answer["cohorts"][0])) == 25
    assert answer["unreadable_records"]["count"] == 1
    (sentence,) = answer["unreadable_records"]["first"]
    assert sentence.startswith(f"s3://{CLINICAL}/records/spoiled.jsonl can't be understood")


def test_of_many_records_that_cannot_be_read_the_first_are_told_and_all_counted(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        s3.put_object(Bucket=CLINICAL, Key=f"records/{number:02}.jsonl", Body=b"?")
    told = select(monkeypatch)["unreadable_records"]
    assert (told["count"], len(told["first"])) == (30, 20)


@pytest.mark.parametrize("body", [b"", b"?", b"[]", b'{"seed_id": "x"}', b'{"seed_uri": 5}'])
@pytest.mark.parametrize("what", ["pointer", "seed"])
def test_a_pointer_or_a_seed_that_cannot_be_read_is_made_again_with_the_same_id(
    s3: Any, monkeypatch: pytest.MonkeyPatch, what: str, body: bytes
) -> None:
    put_records(s3, *people(25))
    first = select(monkeypatch)["cohorts"][0]
    seed = first["seed_uri"].removeprefix(f"s3://{AUDIENCE}/")
    spoiled = seed if what == "seed" and body else f"seeds/{COHORT['name']}/latest.json"
    s3.put_object(Bucket=AUDIENCE, Key=spoiled, Body=body)
    again = select(monkeypatch)["cohorts"][0]
    assert again == first
    assert len(seed_ids(s3, again)) == 25


def test_a_cohort_whose_people_a_query_selects_is_passed_on_without_the_query(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def selected(query: str) -> dict[str, Any]:
        seed_audience = {"sqlParameters": {"queryString": query}}
        cohort = {"name": "from-claims", "seedAudience": seed_audience, "export": None}
        monkeypatch.setenv("SQL_COHORTS", json.dumps([cohort]))
        (item,) = select(monkeypatch)["cohorts"]
        return dict(item)

    first, second = selected("SELECT user_id FROM claims"), selected("SELECT user_id FROM visits")
    assert first["seed_id"] != second["seed_id"]
    assert {**first, "seed_id": ""} == {
        "cohort": "from-claims", "seed_id": "", "seed_uri": None, "seed_size": None, "eligible": None, "export": None,
    }  # fmt: skip


def test_without_a_model_sizes_are_told_and_nothing_is_generated(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(25))
    answer = select(monkeypatch, parameters={})
    assert answer["cohorts"] == []
    assert answer["not_generated"][0]["eligible"] == 25
    assert "configured audience model" in answer["not_generated"][0]["reason"]


def test_a_seed_beyond_the_service_s_limit_is_told(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_seeds, "MAXIMUM_SEED_SIZE", 25)
    put_records(s3, *people(26))
    assert "26 people; Clean Rooms ML takes at most 25" in select(monkeypatch)["not_generated"][0]["reason"]


def test_a_label_without_a_score_makes_nobody_a_member(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *(person | {"score": None} for person in people(25)))
    assert select(monkeypatch)["not_generated"][0]["eligible"] == 0


def test_terms_are_no_regular_expressions(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *(person | {"text": text} for person, text in zip(people(3), ("a.b", "axb", "a.b|c"), strict=True)))
    for terms, number in ((["A.B"], 1), (["a?b"], 2), (["a.b|c"], 1), (["a*"], 3), ([], 0)):
        assert select(monkeypatch, COHORT | {"terms": terms})["not_generated"][0]["eligible"] == number, terms
