import json
from typing import Any

from lambdas import summarize_batch

CLINICAL = "clinical-bucket"


def put(s3: Any, key: str, document: Any) -> None:
    s3.put_object(Bucket=CLINICAL, Key=key, Body=json.dumps(document).encode())


def summarize(s3: Any, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    recordings = [{"media_id": "m1", "reused": False}, {"media_id": "m2", "reused": True}]
    rejected = [{"media_id": "m3", "user_id": "p-3", "uri": "s3://b/k", "reason": "The file is empty (0 bytes)."}]
    plan = {
        "reprocess": False,
        "parameters": {},
        "elsewhere": [{"media_id": "m4"}],
        "recordings": recordings,
        "rejected": rejected,
    }
    put(s3, "batches/b/plan.json", plan)
    put(s3, "batches/b/taken.json", [{"media_id": "m5"}])
    state = {
        "batch": {"batch_id": "b", "prefix": "batches/b/", "recordings": 5, "reused": 1, "rejected": 1},
        "documents": {"count": 1, "characters": 150, "uri": "s3://c/d/", "estimated_usd": 0.02, "transcribed": 1,
                      "billable_seconds": 16},
        "seeds": {"cohorts": [], "not_generated": [{"cohort": "asthma", "eligible": 3, "reason": "few"}]},
        "audiences": [],
        **more,
    }  # fmt: skip
    answer = summarize_batch.handler({"state": state}, None)
    return answer, json.loads(s3.get_object(Bucket=CLINICAL, Key="batches/b/summary.json")["Body"].read())


def test_every_recording_has_one_outcome_and_the_cost_is_told(s3: Any) -> None:
    put(
        s3, "batches/b/rejections/m1.json", {"media_id": "m1", "user_id": "p-1", "uri": "s3://b/m1", "reason": "silent"}
    )
    answer, summary = summarize(s3)
    assert answer == {
        "batch_id": "b", "summary_uri": f"s3://{CLINICAL}/batches/b/summary.json",
        "received": 5, "transcribed": 1, "reused": 1, "elsewhere": 2, "rejected": 2,
    }  # fmt: skip
    assert [item["media_id"] for item in summary["rejected"]] == ["m3", "m1"]
    assert [item["media_id"] for item in summary["elsewhere"]] == ["m4", "m5"]
    assert summary["cost_usd"]["transcribe_medical"] == 0.02
    assert summary["cost_usd"]["total"] == 0.04
    assert summary["cohorts_without_audience"] == [{"cohort": "asthma", "eligible": 3, "reason": "few"}]


def test_audiences_carry_their_metrics_and_where_they_were_exported_to(s3: Any) -> None:
    generation = {"id": "arn:job", "status": "COMPLETED", "result": {"metrics": {"recallMetric": 0.7}}}
    seed = {"cohort": "c", "eligible": 30, "seed_size": 25, "seed_uri": "s3://a/seed"}
    item = {"seed": seed, "generation": generation}
    exported = {**item, "audience_export": {"result": {"output_uri": "s3://owner/out/"}}}
    _, summary = summarize(s3, audiences=[item, exported])
    assert [audience["export_uri"] for audience in summary["audiences"]] == [None, "s3://owner/out/"]
    assert summary["audiences"][0]["metrics"] == {"recallMetric": 0.7}


def test_what_clean_rooms_ml_refused_is_told_with_its_reason(s3: Any) -> None:
    item = {"seed": {"cohort": "c", "eligible": 30, "seed_size": 25, "seed_uri": "s3://a/seed"}}
    refused = {**item, "generation": {"id": "arn:job", "status": "REJECTED", "result": {"reason": "too small"}}}
    done = {**item, "generation": {"id": "arn:job", "status": "COMPLETED", "result": {"metrics": None}}}
    unexported = {**done, "audience_export": {"result": {"reason": "no such size"}}}
    _, summary = summarize(s3, audiences=[refused, unexported])
    assert summary["cohorts_without_audience"][1] == {
        "cohort": "c",
        "eligible": 30,
        "reason": "Clean Rooms ML: too small",
    }
    assert [audience["export_refused"] for audience in summary["audiences"]] == ["no such size"]


def test_the_answer_names_no_patient(s3: Any) -> None:
    assert "p-3" not in json.dumps(summarize(s3)[0])
