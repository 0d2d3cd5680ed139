import json
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas import select_seeds
from lambdas.cohorts.people import read_people as all_people
from lambdas.shared.errors import InvalidSuppressionList
from tests.lambdas.rebuilding import rebuild

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
        "user_id": user_id, "media_id": f"m-{user_id}", "text": text, "category": "MEDICAL_CONDITION", "score": 0.9,
        "traits": [], "audience_consent": True, **more,
    }  # fmt: skip


def put_records(s3: Any, *records: dict[str, Any], media_id: str = "m") -> None:
    for number, item in enumerate(records):
        s3.put_object(Bucket=CLINICAL, Key=f"records/{media_id}-{number}.jsonl", Body=json.dumps(item).encode())


def select(monkeypatch: pytest.MonkeyPatch, *cohorts: dict[str, Any], parameters: Mapping[str, str] = MODEL) -> Any:
    """Index all records by the cohorts, and select seeds."""
    monkeypatch.setenv("COHORTS", json.dumps(list(cohorts or [COHORT])))
    rebuild()
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


def suppress(s3: Any, text: str) -> None:
    s3.put_object(Bucket=AUDIENCE, Key="suppression/user_ids.txt", Body=text.encode())


def test_a_suppressed_person_is_in_no_seed_however_list_and_records_spell_the_name(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppress(s3, "Jos\u00e9-1\nJose\u0301-2\np-003,\n\ufeff\u201cp-004\u201d\n")
    spelt = ["Jose\u0301-1", "Jos\u00e9-2", "p-003 ", "p-004"]
    put_records(s3, *people(25, 100), *map(record, spelt))
    answer = select(monkeypatch)
    assert answer["cohorts"][0]["eligible"] == 25
    assert answer["suppression"] == {"listed": 4, "matching": 4, "unmatched_lines": [], "similar_lines": []}


def test_a_list_that_is_not_certain_stops_all_seeds(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    suppress(s3, "p-001\np-003,2026-01-01\n")
    put_records(s3, *people(27))
    with pytest.raises(InvalidSuppressionList, match=r"^s3://audience-bucket/suppression/user_ids.txt .* Line 2 has"):
        select(monkeypatch)
    assert "seeds/" not in str(s3.list_objects_v2(Bucket=AUDIENCE)["Contents"])


def test_lines_that_match_nobody_are_told_by_their_numbers_and_nobody_by_name(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppress(s3, "p-001\nP-002\np-0O3\nforgotten\nforgotten\nno-consent\n")
    put_records(s3, *people(27), record("no-consent", audience_consent=False), record("else", category="MEDICATION"))
    answer = select(monkeypatch)
    assert answer["suppression"] == {
        "listed": 5, "matching": 2, "unmatched_lines": [2, 3, 4, 5], "similar_lines": [2, 3],
    }  # fmt: skip
    assert answer["cohorts"][0]["eligible"] == 26
    assert "p-00" not in json.dumps(answer)


def test_so_many_lines_that_match_nobody_keep_the_state_small(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    suppress(s3, "\n".join(f"P-{number:05}" for number in range(120)))
    put_records(s3, *(record(f"p-{number:05}") for number in range(120)))
    told = select(monkeypatch)["suppression"]
    assert (told["listed"], told["matching"]) == (120, 0)
    assert told["unmatched_lines"] == told["similar_lines"] == list(range(1, 101))


def test_without_a_list_nobody_is_suppressed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(25))
    told = select(monkeypatch)["suppression"]
    assert told == {"listed": 0, "matching": 0, "unmatched_lines": [], "similar_lines": []}


def test_one_patient_in_two_spellings_is_one_person_of_the_seed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(24), record("Jos\u00e9"), record("Jose\u0301"))
    assert seed_ids(s3, select(monkeypatch)["cohorts"][0])[0] == "Jos\u00e9"


def test_whom_no_line_could_suppress_is_in_no_seed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(25), record("p\n100"))
    assert select(monkeypatch)["cohorts"][0]["eligible"] == 25


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


def test_without_cohorts_nothing_is_read(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_seeds, "read_suppressed", None)
    monkeypatch.setenv("COHORTS", "[]")
    event = {"batch": {"batch_id": "b"}, "parameters": MODEL}
    assert select_seeds.handler(event, None) == {
        "cohorts": [],
        "not_generated": [],
        "suppression": None,
    }


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


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("Crohn's disease", "Crohn\u2019s disease"),
        ("Crohn\u2019s disease", "crohn's\u00a0disease"),
        ("Crohn\u02bcs", "CROHN`S"),
        ("Sj\u00f6gren", "SJO\u0308GREN"),
        ("Sjo\u0308gren", "sj\u00f6gren"),
        ("Sj\u00f6gren*", "Sj\u00f6gren\u2013Larsson"),
        ("x-ray", "X\u2011Ray"),
        ("x\u2013ray", "x-ray"),
        ("Sj?gren", "Sjo\u0308gren"),
        ("gro\u00df", "GROSS"),
        ("\u201cwhite coat\u201d *", '"white\u2009coat" hypertension'),
        ("hyper\u00adtension", "hyper\u200btension"),
        ("[x] (y)", "[X] (Y)"),
    ],
)
def test_a_term_meets_the_text_in_any_spelling(s3: Any, monkeypatch: pytest.MonkeyPatch, term: str, text: str) -> None:
    put_records(s3, record("p-1", text=text), record("p-2", text="x"), record("p-3", text="\uff0a"))
    assert select(monkeypatch, COHORT | {"terms": [term]})["not_generated"][0]["eligible"] == 1


def test_terms_are_no_regular_expressions(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *(person | {"text": text} for person, text in zip(people(3), ("a.b", "axb", "a.b|c"), strict=True)))
    for terms, number in ((["A.B"], 1), (["a?b"], 2), (["a.b|c"], 1), (["a*"], 3), ([], 0)):
        assert select(monkeypatch, COHORT | {"terms": terms})["not_generated"][0]["eligible"] == number, terms


def test_two_executions_that_end_together_make_one_seed_of_their_people(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audience of each would tell what one person changed."""
    put_records(s3, *people(25))
    read_people = all_people
    others: list[Any] = []

    def overtaken(*arguments: Any) -> Any:
        seen = read_people(*arguments)
        monkeypatch.setattr(select_seeds, "read_people", read_people)
        put_records(s3, *people(1, 25), media_id="m2")
        others.append(select(monkeypatch)["cohorts"][0])
        return seen

    monkeypatch.setattr(select_seeds, "read_people", overtaken)
    ours = select(monkeypatch)["cohorts"][0]
    assert (others[0]["seed_size"], ours["seed_id"]) == (26, others[0]["seed_id"])


def test_a_cohort_whose_index_is_not_ready_has_no_seed_yet(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(25))
    select(monkeypatch)
    monkeypatch.setenv("COHORTS", json.dumps([COHORT | {"terms": ["fever"]}]))
    answer = select_seeds.handler({"batch": {"batch_id": "b"}, "parameters": MODEL}, None)
    assert answer["cohorts"] == []
    assert answer["not_generated"][0]["eligible"] is None
    assert "members aren't known yet" in answer["not_generated"][0]["reason"]


def test_pointers_that_never_hold_still_fail_the_step(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(s3, *people(25))
    monkeypatch.setattr(select_seeds, "current_seed", lambda *arguments: None)
    with pytest.raises(RuntimeError, match=r"changed during each of 10 selections. A redrive selects again"):
        select(monkeypatch)
