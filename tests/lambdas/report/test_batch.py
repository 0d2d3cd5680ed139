from typing import Any

from lambdas.report.batch import batch_page
from lambdas.shared.state import PlannedRecording
from tests.lambdas.report.parsed import Parsed
from tests.lambdas.report.test_audiences import AUDIENCE

PLANNED: list[PlannedRecording] = [
    {
        "media_id": f"m{number}",
        "object_id": f"o{number}",
        "user_id": f"p-{number}",
        "transcript_id": f"t{number}",
        "uri": f"s3://b/media/p-{number}/visit.wav",
        "uploaded_at": "2026-01-01T00:00:00+00:00",
        "audience_consent": number == 1,
        "reused": number == 2,
    }
    for number in (1, 2, 3, 4)
]


def summary(**more: Any) -> Any:
    return {
        "batch_id": "drop-1",
        "finished_at": "2026-01-01T10:10:00+00:00",
        "reprocess": False,
        "parameters": {"StartMedicalTranscriptionJob": {"Type": "DICTATION"}},
        "recordings": {"received": 5, "transcribed": 1, "reused": 1, "elsewhere": 1, "rejected": 2},
        "stages": [
            {"stage": "plan", "jobs": None, "began_at": None, "ended_at": "2026-01-01T10:00:00+00:00"},
            {
                "stage": "transcription",
                "jobs": 2,
                "began_at": "2026-01-01T10:00:00+00:00",
                "ended_at": "2026-01-01T10:05:00+00:00",
            },
        ],
        "rejected": [
            {"media_id": "m3", "user_id": "p-3", "uri": "s3://b/media/p-3/visit.wav", "reason": "It is empty."}
        ],
        "elsewhere": [
            {"media_id": "m4", "user_id": "p-4", "uri": "s3://b/media/p-4/visit.wav", "execution_name": "drop-0"}
        ],
        "jobs_uri": "s3://c/batches/drop-1/jobs/",
        "documents": {"count": 1, "characters": 5, "uri": "s3://c/d/"},
        "entities": {
            "records": 3,
            "by_category": {"ANATOMY": 1, "MEDICATION": 2},
            "phi_labels": 4,
            "documents": 1,
            "documents_unprocessed": 0,
            "rejected": 0,
        },
        "entity_detection": None,
        "audiences": [AUDIENCE],
        "cohorts_without_audience": [{"cohort": "gout", "eligible": None, "reason": "too few"}],
        "unreadable_records": {"count": 0, "first": []},
        "suppression": {"listed": 12, "matching": 10, "unmatched_lines": [3, 7], "similar_lines": [7]},
        "cost_usd": {
            "transcribe_medical": 1.5,
            "comprehend_medical": 0.25,
            "total": 1.75,
            "estimate": {"transcribe_medical": 1.25, "comprehend_medical": 0.5, "total": 1.75},
            "bound": {"transcribe_medical": 18.0, "comprehend_medical": 43.2, "total": 61.2},
            "not_included": "S3.",
        },
        **more,
    }


def page(**more: Any) -> Parsed:
    return Parsed(batch_page(summary(**more), PLANNED, {"m1", "m4"}))


def rows(parsed: Parsed) -> list[str]:
    return [element.seen.strip() for element in parsed.with_tag("tr")]


def test_every_outcome_is_counted() -> None:
    tiles = [element.seen for element in page().with_tag("li") if element.seen[:1].isdigit()]
    assert tiles == [
        "5 received", "1 transcribed", "1 reused: finished before", "1 left to other executions", "2 rejected",
    ]  # fmt: skip


def test_a_rejection_has_its_reason_and_what_was_left_to_another_execution_its_name() -> None:
    told = rows(page())
    assert "p-3/visit.wavIt is empty." in told
    assert "p-4/visit.wavdrop-0" in told


def test_a_recording_with_a_page_is_linked_from_where_the_report_lies() -> None:
    links = {link.seen: link.attributes["href"] for link in page().with_tag("a")}
    assert links["p-1/visit.wav"] == "../../reports/t1.html"
    assert links["p-2/visit.wav"] == "../../reports/t2.html"
    assert "p-3/visit.wav" not in links, "rejected before it had a transcript"
    assert "p-4/visit.wav" not in links, "another execution's"


def test_a_recording_of_which_some_documents_were_not_processed_is_linked_as_incomplete() -> None:
    rejected = [
        {"media_id": "m1", "user_id": "p-1", "uri": "s3://b/media/p-1/visit.wav", "reason": "1 of 2 documents."}
    ]
    assert "p-1/visit.wavincomplete: see above2026-01-01yes" in rows(page(rejected=rejected))


def test_stages_have_times_and_bars_to_scale() -> None:
    parsed = page()
    assert "Transcribe2 jobs2026-01-01 10:00:002026-01-01 10:05:005:00" in rows(parsed)
    bars = [element.attributes for element in parsed.with_class("span")]
    assert [(bar["x"], bar["width"]) for bar in bars] == [("0.00%", "0.60%"), ("0.00%", "50.00%"), ("99.40%", "0.60%")]


def test_a_batch_without_any_stage_has_its_end_at_least() -> None:
    assert "Summarize2026-01-01 10:10:00" in rows(page(stages=[]))


def test_findings_are_counted_by_category_the_most_frequent_first() -> None:
    told = rows(page())
    assert told.index("Medication2") < told.index("Anatomy1")
    assert "Protected health information, as labelled by Transcribe Medical4" in told


def test_documents_that_were_not_processed_are_told() -> None:
    assert "Incomplete." not in batch_page(summary(), PLANNED, set())
    entities = summary()["entities"] | {"documents": 1200, "documents_unprocessed": 2}
    assert "2 of 1,200 documents were not processed." in page(entities=entities).with_class("notice")[0].seen.replace(
        "\n", " "
    )


def test_a_batch_in_which_nothing_was_done_has_a_page() -> None:
    nothing = page(rejected=[], elsewhere=[], stages=[], audiences=[], cohorts_without_audience=[],
                   entities=summary()["entities"] | {"by_category": {}, "phi_labels": 0})  # fmt: skip
    headings = [element.seen for element in nothing.with_tag("h2")]
    assert "Rejected" not in headings
    assert "Left to other executions" not in headings
    assert [link.seen for link in nothing.with_tag("a")][: len(headings)] == headings


def test_markup_in_names_and_reasons_stays_text() -> None:
    evil = "</td><script>alert(1)</script>\"'"
    rejected = [{"media_id": "x", "user_id": evil, "uri": f"s3://b/media/{evil}", "reason": evil}]
    without = [{"cohort": evil, "eligible": 1, "reason": evil}]
    html = batch_page(
        summary(rejected=rejected, cohorts_without_audience=without, parameters={evil: evil}, batch_id=evil),
        [{**PLANNED[0], "uri": f"s3://b/media/{evil}.wav"}],
        {"m1"},
    )
    assert html.count("<script") == 1
    assert Parsed(html).with_tag("h1")[0].seen == evil


def test_the_real_cost_stands_beside_what_the_plan_expected() -> None:
    told = rows(page())
    assert "ServiceReal, USDEstimated before, USDAt most, USD" in told
    assert "Transcribe Medical1.50001.250018.0000" in told
    assert "Together1.75001.750061.2000" in told
    assert "Not included: S3." in [element.seen for element in page().with_tag("small")]


def test_a_batch_that_was_planned_without_an_estimate_has_its_real_cost() -> None:
    told = rows(page(cost_usd={**summary()["cost_usd"], "estimate": None, "bound": None}))
    assert "ServiceReal, USD" in told
    assert "Together1.7500" in told
