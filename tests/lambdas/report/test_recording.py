import base64
import hashlib
import re
from typing import Any

from msgspec.structs import replace

from lambdas.report.page import write_page
from lambdas.report.recording import recording_page
from lambdas.shared.entity_record import EntityRecord
from tests.lambdas.report import visit
from tests.lambdas.report.parsed import Parsed


def rendered(records: list[EntityRecord] | None = None, complete: bool = True, **recording: Any) -> str:
    words = visit.words()
    found = visit.records(words) if records is None else records
    changed: Any = {**visit.RECORDING, **recording}
    return recording_page(changed, words, found, complete)


def entry(html: str, heading: str) -> str:
    (found,) = [element.seen for element in Parsed(html).with_tag("li") if element.seen.startswith(heading)]
    return found


def test_the_page_tells_whose_and_what_recording_it_is() -> None:
    page = Parsed(rendered())
    assert [element.seen for element in page.with_tag("h1")] == ["visit 1.wav"]
    facts = page.with_class("facts")[0].seen
    assert facts == "Patient p-001Uploaded 2026-01-020:16 long33 words10 findingsConsent to audiences"


def test_the_title_which_browsers_keep_has_the_id_only() -> None:
    (title,) = Parsed(rendered()).with_tag("title")
    assert title.seen == "Transcript 5f0c-vis"


def test_a_finding_tells_its_traits_attributes_time_speaker_and_scores() -> None:
    html = rendered()
    lisinopril = entry(html, "lisinopril")
    for told in ("Medication generic name", "Dosage10 mg 88 %", "Frequencydaily 88 %", "Play from 0:09", "Speaker 2"):
        assert told in lisinopril
    assert "Found byComprehend Medical 91 %Words31 % sureMay have beenI take listen april" in lisinopril
    assert "symptom 87 %negation 87 %" in entry(html, "fever negated")


def test_findings_are_listed_in_the_order_of_the_text_and_those_without_a_place_last() -> None:
    page = Parsed(rendered())
    headings = [element.seen.strip() for element in page.with_tag("h3")]
    assert headings[:4] == ["Maria Lopez", "Maria", "chest pain", "chest"]
    assert headings[-1] == "Lopes"
    there = [element.attributes["href"] for element in page.with_class("there")]
    assert there == [f"#t{number}" for number in range(9)]
    assert all(page.by_id(href.removeprefix("#")) for href in there)


def test_a_detail_that_belongs_to_nothing_names_the_category_it_wants() -> None:
    words = visit.words()
    record = visit.record(words, "10 mg", "UNMAPPED_ATTRIBUTE", type="DOSAGE", attribute_of="MEDICATION")
    assert "Belongs toa medication that was not found" in entry(rendered([record]), "10 mg")


def test_every_category_that_was_found_has_a_box_with_its_number() -> None:
    page = Parsed(rendered())
    boxes = [element.attributes["value"] for element in page.elements if element.attributes.get("name") == "kind"]
    assert boxes == ["phi", "condition", "anatomy", "medication", "procedure", "time"]
    assert [element.seen for element in page.with_class("count")] == ["3", "3", "1", "1", "1", "1"]


def test_a_transcript_without_findings_says_so() -> None:
    html = rendered([])
    assert "Nothing was found in this recording." in html
    assert not Parsed(html).with_class("mark")


def test_a_transcript_that_was_not_processed_as_a_whole_says_so() -> None:
    assert "Incomplete." in rendered(complete=False)
    assert "Incomplete." not in rendered()


def test_markup_in_names_and_findings_stays_text() -> None:
    evil = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>"
    words = visit.words()
    traits = [visit.trait(evil)]
    attribute = replace(visit.attribute(words, "10 mg", evil), text=evil, traits=traits)
    members = {"category": evil, "type": evil, "speaker": evil, "channel": evil, "attribute_of": evil}
    record = visit.record(words, "fever", traits=traits, attributes=[attribute], alternatives=[evil], **members)
    record = replace(record, text=evil)
    uri = f"s3://b/media/{evil}/{evil}.wav"
    html = rendered([record], uri=uri, user_id=evil, uploaded_at=evil, transcript_id=evil)
    assert html.count("<script") == 1
    page = Parsed(html)
    assert not page.with_tag("img")
    assert evil in page.with_tag("h1")[0].seen
    assert not any(name.startswith("on") for element in page.elements for name in element.attributes)


def test_the_policy_allows_this_style_and_this_script_and_nothing_from_elsewhere() -> None:
    html = rendered()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    for element, rule in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
        assert rules.pop(rule) == f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
    media = rules.pop("media-src").split()
    assert not {"http:", "*", "data:"} & set(media)
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def test_nothing_that_the_policy_would_stop_is_in_the_page() -> None:
    page = Parsed(rendered())
    assert not any("style" in element.attributes or "src" in element.attributes for element in page.elements)
    assert not page.with_tag("link")
    assert all(element.attributes["href"].startswith("#") for element in page.with_tag("a"))


def test_ids_are_unique_and_references_lead_somewhere() -> None:
    page = Parsed(rendered())
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in page.elements:
        for name in ("for", "aria-labelledby", "aria-controls"):
            assert element.attributes.get(name, ids[0]) in ids


def test_half_a_surrogate_pair_is_written_as_a_page_all_the_same(s3: Any) -> None:
    words = visit.words()
    record = visit.record(words, "fever", alternatives=["\ud83d"])
    write_page("clinical-bucket", "reports/t.html", recording_page(visit.RECORDING, words, [record], True))
    answer = s3.get_object(Bucket="clinical-bucket", Key="reports/t.html")
    assert b"&#55357;" in answer["Body"].read()
    assert (answer["ContentType"], answer["CacheControl"]) == ("text/html; charset=utf-8", "private, no-store")
