import json
from typing import Any

import pytest

from lambdas.report.stages import find_stages

CLINICAL, PREFIX = "clinical-bucket", "batches/b/"
INDEX = f"{PREFIX}documents-1.jsonl"


def put(s3: Any, key: str, document: Any) -> None:
    s3.put_object(Bucket=CLINICAL, Key=PREFIX + key, Body=json.dumps(document).encode())


def test_a_stage_lasts_from_its_first_job_to_its_last(s3: Any) -> None:
    put(s3, "jobs/transcription/a.json", {"CreationTime": "2020-01-01T10:00:05+01:00",
        "CompletionTime": "2020-01-01T10:03:00+01:00"})  # fmt: skip
    put(s3, "jobs/transcription/b.json", {"CreationTime": "2020-01-01T09:00:01+00:00",
        "CompletionTime": "2020-01-01T09:01:00+00:00"})  # fmt: skip
    assert find_stages(CLINICAL, PREFIX, INDEX) == [
        {
            "stage": "transcription",
            "jobs": 2,
            "began_at": "2020-01-01T09:00:01+00:00",
            "ended_at": "2020-01-01T09:03:00+00:00",
        }
    ]


def test_the_stages_come_in_the_order_they_began(s3: Any) -> None:
    for stage, (began, ended), day in (
        ("audience_export", ("createTime", "updateTime"), 4),
        ("audience_generation", ("createTime", "updateTime"), 3),
        ("entity_detection", ("SubmitTime", "EndTime"), 2),
        ("transcription", ("CreationTime", "CompletionTime"), 1),
    ):
        times = {began: f"2020-01-0{day}T00:00:00+00:00", ended: f"2020-01-0{day}T00:00:09+00:00"}
        put(s3, f"jobs/{stage}/j.json", times)
    put(s3, "plan.json", {})
    put(s3, "documents-1.jsonl", [])
    told = find_stages(CLINICAL, PREFIX, INDEX)
    assert [stage["stage"] for stage in told[:4]] == [
        "transcription",
        "entity_detection",
        "audience_generation",
        "audience_export",
    ]
    assert {stage["stage"]: (stage["jobs"], stage["began_at"]) for stage in told[4:]} == {
        "plan": (None, None),
        "documents": (None, None),
    }


def test_a_job_of_which_the_service_tells_no_times_is_left_out(s3: Any) -> None:
    put(s3, "jobs/transcription/a.json", {"CreationTime": "2020-01-01T10:00:05+01:00"})
    put(s3, "jobs/something_new/a.json", {"CreationTime": "2020-01-01T10:00:05+01:00"})
    assert find_stages(CLINICAL, PREFIX, INDEX) == []


@pytest.mark.parametrize("body", ["", "[]", '{"CreationTime": "soon", "CompletionTime": "later"}', "\\ud800"])
def test_a_job_s_record_that_cannot_be_read_is_left_out(s3: Any, body: str) -> None:
    put(
        s3,
        "jobs/transcription/a.json",
        {"CreationTime": "2020-01-01T10:00:00Z", "CompletionTime": "2020-01-01T11:00:00Z"},
    )
    s3.put_object(Bucket=CLINICAL, Key=f"{PREFIX}jobs/transcription/b.json", Body=body.encode())
    assert [stage["jobs"] for stage in find_stages(CLINICAL, PREFIX, INDEX)] == [1]


def test_the_times_of_another_batch_are_not_taken(s3: Any) -> None:
    put(s3, "../c/plan.json", {})
    assert find_stages(CLINICAL, PREFIX, INDEX) == []
