from typing import Any

from lambdas.report.audiences import audiences_html
from tests.lambdas.report.parsed import Parsed

AUDIENCE = {
    "cohort": "asthma",
    "eligible": 30,
    "seed_size": 26,
    "seed_uri": "s3://a/seed",
    "audience_generation_job_arn": "arn:job",
    "metrics": {
        "relevanceMetrics": [
            {"audienceSize": {"type": "PERCENTAGE", "value": 5}, "score": 7.546},
            {"audienceSize": {"type": "ABSOLUTE", "value": 2000}, "score": 3},
            {"audienceSize": {"type": "ABSOLUTE", "value": 9000}},
        ],
        "recallMetric": 0.9,
    },
    "export_uri": None,
    "export_refused": "no such size",
    "not_visible": {},
}


def html(**more: Any) -> str:
    summary: Any = {
        "audiences": [AUDIENCE],
        "cohorts_without_audience": [{"cohort": "gout", "eligible": None, "reason": "too few"}],
        "unreadable_records": {"count": 0, "first": []},
        "suppression": {"listed": 12, "matching": 10, "unmatched_lines": [3, 7], "similar_lines": [7]},
        **more,
    }
    return audiences_html(summary)


def rows(page: str) -> list[str]:
    return [element.seen.strip() for element in Parsed(page).with_tag("tr")]


def test_an_audience_has_its_sizes_relevance_recall_and_the_outcome_of_its_export() -> None:
    assert "asthma30265 %: 7.552,000 people: 3.000.90no such size" in rows(html())


def test_a_hidden_metric_or_location_has_its_reason_in_its_place() -> None:
    hidden = {"metrics": "Not shared.", "export_uri": "In their bucket."}
    unseen = {**AUDIENCE, "metrics": None, "export_refused": None}
    assert "asthma3026Not shared.In their bucket." in rows(html(audiences=[{**unseen, "not_visible": hidden}]))
    assert "asthma3026none" in rows(html(audiences=[{**unseen, "not_visible": {}}])), "no export was requested"
    assert "gouttoo few" in rows(html())


def test_unreadable_records_are_listed_as_far_as_the_summary_names_them() -> None:
    first = ["records/1.jsonl is <gone>.", "records/2.jsonl is, too."]
    listed = rows(html(unreadable_records={"count": 22, "first": first}))
    at = listed.index("File, and what to do")
    assert listed[at + 1 : at + 4] == [*first, "… and 20 more"]
    assert "File, and what to do" not in rows(html())


def test_lines_of_the_suppression_list_that_match_nobody_are_listed_by_their_numbers() -> None:
    lines = [element.seen for element in Parsed(html()).with_tag("p")]
    assert any(
        "Of 12 user ids on the suppression list, 2 are in no record" in line and "Lines 3, 7" in line for line in lines
    )
    notices = [element for element in Parsed(html()).with_tag("p") if element.attributes.get("class") == "notice"]
    assert [notice.seen.partition(":")[0] for notice in notices] == ["Look at the suppression list. Line 7"]
    many = {"listed": 300, "matching": 1, "unmatched_lines": list(range(1, 101)), "similar_lines": []}
    assert "99, 100 …" in html(suppression=many)
    for quiet in (None, {"listed": 2, "matching": 2, "unmatched_lines": [], "similar_lines": []}):
        assert "suppression" not in html(suppression=quiet)


def test_a_batch_without_cohorts_says_so() -> None:
    assert html(audiences=[], cohorts_without_audience=[], suppression=None) == "<p>No cohorts.</p>"
