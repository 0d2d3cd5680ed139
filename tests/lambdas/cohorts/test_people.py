import json
from typing import Any

import pytest

from lambdas.cohorts import people
from lambdas.cohorts.cohort_rules import Cohort
from lambdas.cohorts.people import read_people
from lambdas.shared import recording_files
from lambdas.shared.ledger import Change, write
from lambdas.shared.object_items import object_key

CLINICAL = "clinical-bucket"
COHORT: Cohort = {
    "name": "c",
    "category": "MEDICAL_CONDITION",
    "terms": ["fever"],
    "minimum_score": 0.5,
    "excluded_traits": [],
    "minimum_seed_size": 25,
    "export": None,
}


def put_record(s3: Any, object_id: str, **more: Any) -> None:
    line = {
        "user_id": "p-1", "audience_consent": True, "category": "MEDICAL_CONDITION", "score": 0.9, "text": "fever",
        "traits": [], **more,
    }  # fmt: skip
    s3.put_object(Bucket=CLINICAL, Key=f"records/{object_id}.jsonl", Body=json.dumps(line).encode() + b"\n")


def plan(object_id: str, *, consent: bool) -> None:
    write(Change(object_key(object_id), put={"sequence": 1, "version": "newest", "consent": consent}))


@pytest.mark.parametrize("consent", [True, False])
def test_the_newest_version_that_was_planned_has_the_say_on_consent(s3: Any, consent: bool) -> None:
    put_record(s3, "o")
    plan("o", consent=consent)
    found = read_people(CLINICAL, [COHORT])
    assert found.members == {"c": {"p-1"} if consent else set()}
    assert found.seen == {"p-1"}


def test_consent_of_a_newer_version_makes_nobody_a_member_by_records_without_it(s3: Any) -> None:
    put_record(s3, "o", audience_consent=False)
    plan("o", consent=True)
    assert read_people(CLINICAL, [COHORT]).members == {"c": set()}


def test_records_from_before_there_was_a_ledger_have_their_own_consent(s3: Any) -> None:
    put_record(s3, "o")
    assert read_people(CLINICAL, [COHORT]).members == {"c": {"p-1"}}


def test_what_one_recording_withdraws_another_of_the_patient_still_gives(s3: Any) -> None:
    for object_id in ("one", "other"):
        put_record(s3, object_id)
    plan("one", consent=False)
    assert read_people(CLINICAL, [COHORT]).members == {"c": {"p-1"}}


def test_consent_is_read_after_the_records(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_record(s3, "o")
    plan("o", consent=True)
    read_file = recording_files.read_file

    def withdrawn_meanwhile(bucket: str, key: str) -> bytes:
        body = read_file(bucket, key)
        plan("o", consent=False)
        return body

    monkeypatch.setattr(people, "read_file", withdrawn_meanwhile)
    assert read_people(CLINICAL, [COHORT]).members == {"c": set()}
