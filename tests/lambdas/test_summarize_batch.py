import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from lambdas import summarize_batch
from lambdas.report.labels import escape
from lambdas.report.summary import Counts

CLINICAL = "clinical-bucket"
MODEL = "arn:aws:cleanrooms-ml:us-east-1:123456789012:configured-audience-model/m"
GENERATION = "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-generation-job/j"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/summary.schema.json").read_text())
SEEDS: dict[str, Any] = {
    "cohorts": [],
    "not_generated": [{"cohort": "asthma", "eligible": 3, "reason": "few"}],
    "suppression": None,
}
UNREADABLE = {"count": 1, "first": ["records/o.jsonl can't be understood."]}
SUMMARY = jsonschema.Draft202012Validator(SCHEMA)


def put(s3: Any, key: str, document: Any) -> None:
    s3.put_object(Bucket=CLINICAL, Key=key, Body=json.dumps(document).encode())


def recording(number: int, **more: Any) -> dict[str, Any]:
    return {"media_id": f"m{number}", "user_id": f"p-{number}", "uri": f"s3://b/media/p-{number}/a.wav", **more}


def planned(number: int, reused: bool) -> dict[str, Any]:
    uploaded = {"uploaded_at": "2026-01-01T00:00:00+00:00", "audience_consent": True}
    return recording(number, transcript_id=f"t{number}", reused=reused, **uploaded)


def put_collected(s3: Any, name: str, generation: int = 1, **more: Any) -> None:
    """The counts by an attempt of a child of CollectBatch."""
    counts = dict.fromkeys(("records", "phi_labels", "documents", "documents_unprocessed", "rejected"), 0)
    put(s3, f"batches/b/collected-{generation}/{name}.json", {**counts, "by_category": {}, "elsewhere": [], **more})


def summarize(
    s3: Any, model: str = MODEL, documented: str = "m1", costs: dict[str, Any] | None = None, **more: Any
) -> tuple[Any, Any]:
    plan = {
        "batch_id": "b",
        "reprocess": False,
        "parameters": {
            "StartMedicalTranscriptionJob": {"Type": "DICTATION"},
            "StartAudienceGenerationJob": {"configuredAudienceModelArn": model},
        },
        "elsewhere": [recording(4, execution_name="other")],
        "recordings": [planned(1, reused=False), planned(2, reused=True)],
        "rejected": [recording(3, reason="The file is empty (0 bytes).")],
    }
    put(s3, "batches/b/plan.json", plan | ({"costs": costs} if costs else {}))
    put(s3, "batches/b/elsewhere-1.json", [recording(5, execution_name="another")])
    put(
        s3,
        "batches/b/documents-1.jsonl",
        {"document": "m1-0000.txt", "media_id": documented, "offset": 0, "characters": 150},
    )
    state = {
        "batch": {"batch_id": "b", "prefix": "batches/b/", "recordings": 5, "reused": 1, "rejected": 1},
        "documents": {"index_key": "batches/b/documents-1.jsonl", "elsewhere_key": "batches/b/elsewhere-1.json",
                      "generation": 1, "count": 1, "characters": 150, "new": {"count": 1}, "estimated_usd": 0.02,
                      "billable_seconds": 16},
        "seeds": SEEDS,
        "audiences": [],
        **more,
    }  # fmt: skip
    answer = summarize_batch.handler({"state": state}, None)
    summary = json.loads(s3.get_object(Bucket=CLINICAL, Key="batches/b/summary.json")["Body"].read())
    SUMMARY.validate(summary)
    return answer, summary


def report(s3: Any) -> str:
    html: str = s3.get_object(Bucket=CLINICAL, Key="batches/b/report.html")["Body"].read().decode()
    return html


def test_every_recording_has_one_outcome_and_the_cost_is_told(s3: Any) -> None:
    put(s3, "batches/b/rejections/m1.json", recording(1, reason="silent"))
    answer, summary = summarize(s3)
    assert answer == {
        "batch_id": "b", "summary_uri": f"s3://{CLINICAL}/batches/b/summary.json",
        "report_uri": f"s3://{CLINICAL}/batches/b/report.html",
        "received": 5, "transcribed": 0, "reused": 1, "elsewhere": 2, "rejected": 2,
    }  # fmt: skip
    assert [item["media_id"] for item in summary["rejected"]] == ["m3", "m1"]
    assert [item["media_id"] for item in summary["elsewhere"]] == ["m4", "m5"]
    assert summary["cost_usd"]["transcribe_medical"] == 0.02
    assert summary["cost_usd"]["total"] == 0.04
    assert (summary["cost_usd"]["estimate"], summary["cost_usd"]["bound"]) == (None, None)
    assert summary["cohorts_without_audience"] == [{"cohort": "asthma", "eligible": 3, "reason": "few"}]


def test_the_real_cost_stands_beside_the_estimate_and_the_bound_of_the_plan(s3: Any) -> None:
    estimate = {"transcribe_medical": 0.0188, "comprehend_medical": 0.01, "total": 0.0288}
    bound = {"transcribe_medical": 0.125, "comprehend_medical": 0.3, "total": 0.425}
    _, summary = summarize(s3, costs={"estimate": estimate, "bound": bound, "reserved_on": "2026-11-27"})
    cost = summary["cost_usd"]
    assert (cost["total"], cost["estimate"], cost["bound"]) == (0.04, estimate, bound)


def test_what_another_execution_finished_meanwhile_is_left_to_it(s3: Any) -> None:
    put_collected(s3, "c1-0000-0000", elsewhere=[recording(1, execution_name="another")])
    answer, summary = summarize(s3)
    assert (answer["transcribed"], answer["elsewhere"], answer["rejected"]) == (0, 3, 1)
    assert [item["media_id"] for item in summary["elsewhere"]] == ["m4", "m5", "m1"]


def test_the_counts_are_the_sum_of_the_last_attempts_of_all_children(s3: Any) -> None:
    put_collected(s3, "c1-0000-0000", records=5, by_category={"ANATOMY": 5}, rejected=1)
    put_collected(s3, "c1-0001-0000", records=3, by_category={"ANATOMY": 2, "MEDICATION": 1}, documents=2)
    put_collected(s3, "c1-0000-0012", records=7, by_category={"ANATOMY": 7})
    put_collected(s3, "c2-0000-0000", records=4, by_category={"MEDICATION": 4}, documents=1, phi_labels=2)
    put_collected(s3, "c1-0002-0000", generation=2, records=100)
    _, summary = summarize(s3)
    assert summary["entities"] == {
        "records": 7, "by_category": {"ANATOMY": 2, "MEDICATION": 5}, "phi_labels": 2, "documents": 3,
        "documents_unprocessed": 0, "rejected": 0,
    }  # fmt: skip


def test_each_recording_has_one_outcome_whatever_earlier_attempts_have_left(s3: Any) -> None:
    # The fifth was rejected before another execution took it over; nobody planned the sixth.
    for number in (5, 6):
        put(s3, f"batches/b/rejections/m{number}.json", recording(number, reason="silent"))
    answer, summary = summarize(s3)
    assert [item["media_id"] for item in summary["rejected"]] == ["m3"]
    assert {name: answer[name] for name in ("transcribed", "reused", "elsewhere", "rejected")} == {
        "transcribed": 1,
        "reused": 1,
        "elsewhere": 2,
        "rejected": 1,
    }


def test_a_recording_of_which_nothing_is_left_counts_as_rejected(s3: Any) -> None:
    _, summary = summarize(s3, documented="m2")
    assert [item["media_id"] for item in summary["rejected"]] == ["m3", "m1"]
    assert "rejections/m1.json is not there" in summary["rejected"][1]["reason"]


def test_without_a_rebuild_no_records_were_read(s3: Any) -> None:
    _, summary = summarize(s3)
    assert summary["unreadable_records"] == {"count": 0, "first": []}


def test_records_that_a_rebuild_cannot_read_are_reported(s3: Any) -> None:
    _, summary = summarize(s3, rebuild={"unreadable_records": UNREADABLE})
    assert summary["unreadable_records"] == UNREADABLE
    assert escape("records/o.jsonl can't be understood.") in report(s3)


def rejected_for(*reasons: str) -> list[Any]:
    return [recording(number, reason=reason) for number, reason in enumerate(reasons)]


LENGTHS = [f"The recording is {seconds} seconds long; it takes up to 14400." for seconds in ("15000.00", "16000.12")]


@pytest.mark.parametrize(
    ("transcribed", "reasons", "suspicious"),
    [
        (0, [], 0),
        (0, ["empty"], 1),
        (1, ["empty"], 0),
        (1, ["empty", "empty"], 2),
        (2, LENGTHS, 0),
        (1, LENGTHS, 2),
        (0, ["empty", "silent"], 0),
        (0, ["empty", "silent", "empty"], 2),
    ],
)
def test_rejections_are_suspicious_if_most_recordings_share_a_reason(
    transcribed: int, reasons: list[str], suspicious: int
) -> None:
    counts: Counts = {
        "received": 0,
        "transcribed": transcribed,
        "rejected": len(reasons),
        "reused": 100,
        "elsewhere": 100,
    }
    assert summarize_batch.suspicious(counts, rejected_for(*reasons)) == suspicious


def test_audiences_carry_their_metrics_and_where_they_were_exported_to(s3: Any) -> None:
    generation = {"id": GENERATION, "status": "COMPLETED", "result": {"metrics": {"recallMetric": 0.7}}}
    seed = {"cohort": "c", "eligible": 30, "seed_size": 25, "seed_uri": "s3://a/seed"}
    item = {"seed": seed, "generation": generation}
    exported = {**item, "audience_export": {"result": {"output_uri": "s3://owner/out/"}}}
    _, summary = summarize(s3, audiences=[item, exported])
    assert [audience["export_uri"] for audience in summary["audiences"]] == [None, "s3://owner/out/"]
    assert [audience["not_visible"] for audience in summary["audiences"]] == [{}, {}]
    assert summary["audiences"][0]["metrics"] == {"recallMetric": 0.7}


def test_what_clean_rooms_ml_refused_is_told_with_its_reason(s3: Any) -> None:
    item = {"seed": {"cohort": "c", "eligible": 30, "seed_size": 25, "seed_uri": "s3://a/seed"}}
    refused = {**item, "generation": {"id": GENERATION, "status": "REJECTED", "result": {"reason": "too small"}}}
    done = {**item, "generation": {"id": GENERATION, "status": "COMPLETED", "result": {"metrics": None}}}
    unexported = {**done, "audience_export": {"result": {"reason": "no such size"}}}
    _, summary = summarize(s3, audiences=[refused, unexported])
    assert summary["cohorts_without_audience"][1] == {
        "cohort": "c",
        "eligible": 30,
        "reason": "Clean Rooms ML: too small",
    }
    (audience,) = summary["audiences"]
    assert audience["export_refused"] == "no such size"
    assert "export_uri" not in audience["not_visible"]
    assert "no such size" in report(s3)


@pytest.mark.parametrize("model", [MODEL, MODEL.replace("123456789012", "222233334444")])
@pytest.mark.parametrize("metrics", [None, {"recallMetric": 0.7}])
@pytest.mark.parametrize(
    ("export", "hidden"),
    [({}, False), ({"result": {"output_uri": None}}, True), ({"result": {"output_uri": "s3://owner/out/"}}, False)],
)
def test_what_exists_and_is_not_shown_has_a_reason_and_nothing_else_has_one(
    s3: Any, model: str, metrics: Any, export: dict[str, Any], hidden: bool
) -> None:
    seed = {"cohort": "c", "eligible": 30, "seed_size": 25, "seed_uri": "s3://a/seed"}
    item = {"seed": seed, "generation": {"id": GENERATION, "status": "COMPLETED", "result": {"metrics": metrics}}}
    _, summary = summarize(s3, model, audiences=[{**item, **({"audience_export": export} if export else {})}])
    (audience,) = summary["audiences"]
    reasons = audience["not_visible"]
    assert set(reasons) == {*(["metrics"] if metrics is None else []), *(["export_uri"] if hidden else [])}
    assert all(audience[member] is None for member in reasons)
    html = report(s3)
    for reason in reasons.values():
        assert ("Account 222233334444" in reason or "account 222233334444" in reason) == (model != MODEL)
        assert escape(reason) in html
    assert not hidden or model == MODEL or "generation job j." in reasons["export_uri"]


def test_what_became_of_the_suppression_list_is_told(s3: Any) -> None:
    found = {"listed": 3, "matching": 1, "unmatched_lines": [2, 9], "similar_lines": [9]}
    _, summary = summarize(s3, seeds=SEEDS | {"suppression": found})
    assert summary["suppression"] == found
    assert "Lines 2, 9" in report(s3)


def test_the_answer_names_no_patient(s3: Any) -> None:
    assert "p-3" not in json.dumps(summarize(s3)[0])


def test_the_page_links_the_recordings_that_have_one(s3: Any) -> None:
    summarize(s3)
    html = report(s3)
    assert "../../reports/t1.html" in html
    assert "../../reports/t2.html" in html
    assert html.count("../../reports/") == 2
    assert "The file is empty (0 bytes)." in html


def test_a_batch_without_documents_has_a_summary_and_a_page(s3: Any) -> None:
    _, summary = summarize(s3)
    assert summary["entity_detection"] is None
    assert summary["entities"]["records"] == 0
    assert "drop" not in report(s3)


def test_the_summary_of_a_batch_with_everything_is_as_the_schema_says(s3: Any) -> None:
    times = {"CreationTime": "2020-01-01T00:00:00+00:00", "CompletionTime": "2020-01-01T00:01:00+00:00"}
    put(s3, "batches/b/jobs/transcription/j.json", times)
    metrics = {"relevanceMetrics": [{"audienceSize": {"type": "PERCENTAGE", "value": 1}, "score": 9.5}]}
    seed = {"cohort": "c", "eligible": None, "seed_size": None, "seed_uri": None}
    item = {"seed": seed, "generation": {"id": GENERATION, "status": "COMPLETED", "result": {"metrics": metrics}}}
    result = {
        "service_status": "PARTIAL_SUCCESS", "model_version": None, "output_uri": "s3://c/entities/j/",
        "jobs": 1, "manifest_path": "entities/j/Manifest",
    }  # fmt: skip
    put_collected(s3, "c1-0000-0000", records=2, by_category={"ANATOMY": 2}, documents_unprocessed=1)
    _, summary = summarize(s3, audiences=[item], entity_detection={"result": result})
    assert [stage["stage"] for stage in summary["stages"]] == ["transcription", "plan", "documents"]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"unknown": 1}, "unknown"),
        ({"finished_at": "yesterday"}, "finished_at"),
        ({"recordings": {"received": 1}}, "recordings"),
        ({"jobs_uri": "https://example.com/"}, "jobs_uri"),
    ],
)
def test_the_schema_refuses_what_is_no_summary(s3: Any, changed: dict[str, Any], where: str) -> None:
    _, summary = summarize(s3)
    with pytest.raises(jsonschema.ValidationError, match=where):
        SUMMARY.validate(summary | changed)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
