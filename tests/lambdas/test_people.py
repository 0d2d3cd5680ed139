import json
from typing import Any

import pytest

from lambdas.people import read_people

CLINICAL = "clinical-bucket"
COHORT = {
    "name": "c",
    "category": "MEDICAL_CONDITION",
    "terms": ["fever"],
    "minimum_score": 0.5,
    "excluded_traits": [],
}
BEFORE, THEN, AFTER = (f"2026-01-0{day}T00:00:00+00:00" for day in (1, 2, 3))


def put_record(s3: Any, object_id: str, **more: Any) -> None:
    line = {
        "user_id": "p-1", "audience_consent": True, "category": "MEDICAL_CONDITION", "score": 0.9, "text": "fever",
        "traits": [], **more,
    }  # fmt: skip
    s3.put_object(Bucket=CLINICAL, Key=f"records/{object_id}.jsonl", Body=json.dumps(line).encode() + b"\n")


@pytest.mark.parametrize(
    ("uploaded", "member"),
    [({"uploaded_at": BEFORE}, False), ({"uploaded_at": THEN}, False), ({"uploaded_at": AFTER}, True), ({}, False)],
)
def test_a_version_without_consent_ends_the_consent_of_those_before_it(
    s3: Any, uploaded: dict[str, str], member: bool
) -> None:
    put_record(s3, "o", **uploaded)
    s3.put_object(Bucket=CLINICAL, Key=f"withdrawals/o/{THEN}", Body=b"")
    people = read_people(CLINICAL, [COHORT])
    assert people.members == {"c": {"p-1"} if member else set()}
    assert people.seen == {"p-1"}


def test_what_one_recording_withdraws_another_of_the_patient_still_gives(s3: Any) -> None:
    for object_id in ("one", "other"):
        put_record(s3, object_id, uploaded_at=BEFORE)
    s3.put_object(Bucket=CLINICAL, Key=f"withdrawals/one/{THEN}", Body=b"")
    assert read_people(CLINICAL, [COHORT]).members == {"c": {"p-1"}}
