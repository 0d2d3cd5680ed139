import re

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdas.report.transcript import transcript_html
from lambdas.shared.entity_record import EntityRecord
from lambdas.transcript.words import Words
from tests.lambdas.report import visit
from tests.lambdas.report.parsed import Element, Parsed


def rendered(words: Words, records: list[EntityRecord] | None = None) -> Parsed:
    return Parsed(transcript_html(words, records or []))


def text_of(page: Parsed) -> str:
    return "".join(p.seen for p in page.with_tag("p"))


def mark(page: Parsed, text: str) -> Element:
    (found,) = [element for element in page.with_class("mark") if element.seen == text]
    return found


def test_the_paragraphs_are_the_transcript_whatever_is_marked_in_it() -> None:
    words = visit.words()
    assert text_of(rendered(words, visit.records(words))) == words.text


def test_each_turn_names_its_speaker_and_when_it_begins() -> None:
    page = rendered(visit.words())
    assert [element.seen for element in page.with_class("name")] == ["Speaker 1", "Speaker 2", "Speaker 1"]
    assert [element.attributes["data-seconds"] for element in page.with_class("seek")] == ["0.00", "4.50", "13.00"]
    assert [turn.classes[1] for turn in page.with_class("turn")] == ["voice-0", "voice-1", "voice-0"]


def test_a_finding_has_the_look_of_its_category_and_is_reached_by_the_keyboard() -> None:
    words = visit.words()
    found = mark(rendered(words, visit.records(words)), "lisinopril")
    assert found.classes == ["mark", "medication"]
    assert (found.attributes["role"], found.attributes["tabindex"]) == ("button", "0")
    assert found.attributes["data-findings"] == "6"


def test_a_negated_finding_says_so_in_words_and_looks_otherwise() -> None:
    words = visit.words()
    html = transcript_html(words, visit.records(words))
    found = mark(Parsed(html), "No fever")
    assert "negated" in found.classes
    assert found.attributes["data-context"] == "negated"
    assert 'No fever<span class="note"> (negated; Medical condition)</span>' in html


def test_an_attribute_shows_the_finding_it_belongs_to_and_none_of_its_traits() -> None:
    words = visit.words()
    attributes = [visit.attribute(words, "10 mg", "DOSAGE")]
    record = visit.record(words, "lisinopril", attributes=attributes, traits=[visit.trait("NEGATION")])
    dose = mark(rendered(words, [record]), "10 mg")
    assert dose.classes == ["mark", "condition", "attribute"]
    assert dose.attributes["data-findings"] == "0"


def test_findings_that_overlap_are_one_mark_with_the_number_of_the_others() -> None:
    words = visit.words()
    found = mark(rendered(words, visit.records(words)), "chest pain")
    assert (found.attributes["data-findings"], found.attributes["data-more"]) == ("2 3", "+1")
    assert found.attributes["data-kinds"] == "condition anatomy"


def test_a_finding_across_two_turns_is_marked_in_both_and_anchored_once() -> None:
    words = visit.words(("spk_0", "Any chest"), ("spk_1", "pain today."))
    page = rendered(words, [visit.record(words, "chest pain")])
    assert [element.seen for element in page.with_class("mark")] == ["chest ", "pain"]
    assert page.by_id("t0").tag == "span"


def test_words_of_which_the_service_is_little_sure_are_marked_inside_and_outside_findings() -> None:
    words = visit.words((None, "Take warfarin~ daily~"))
    page = rendered(words, [visit.record(words, "warfarin", "MEDICATION")])
    assert [element.seen for element in page.with_class("unsure")] == ["warfarin", "daily"]
    assert page.with_class("unsure")[0].attributes["title"] == "Transcribe Medical is 31 % sure"


def test_markup_in_a_transcript_stays_text() -> None:
    said = '<script>alert(1)</script> </p><img src=x onerror=alert(1)> &amp; "quoted"'
    words = Words({"results": {"transcripts": [{"transcript": said}]}})
    page = rendered(words, [visit.record(words, "</script>"), visit.record(words, "onerror", "<b>")])
    assert text_of(page) == said
    assert {element.tag for element in page.elements} == {"div", "p", "span"}


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


spoken = st.lists(
    st.tuples(
        st.sampled_from(["spk_0", "spk_1", None]),
        st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"]) | st.sampled_from("<>&'\"\r𝔘😀"), min_size=1),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(spoken, st.data())
def test_every_character_is_there_and_every_word_is_told_by_its_place_in_utf16(
    said: list[tuple[str | None, str]], data: st.DataObject
) -> None:
    words = visit.words(*((speaker, text.replace("~", "")) for speaker, text in said))
    length = len(words.text)
    records = []
    for _ in range(data.draw(st.integers(0, 4)) if length else 0):
        begin = data.draw(st.integers(0, length - 1))
        end = data.draw(st.integers(begin + 1, length))
        records.append(replace(visit.record(words, words.text[begin:end]), begin_offset=begin, end_offset=end))
    page = rendered(words, records)
    assert text_of(page) == words.text
    told: list[tuple[int, int]] = []
    before = 0
    for p in page.with_tag("p"):
        for place, hundredths in re.findall(r"(\d+):(\d+)", p.attributes["data-words"]):
            told.append((before + int(place), int(hundredths)))
        before += units(p.seen)
    assert told == [(units(words.text[: word.begin]), round(word.start_seconds * 100)) for word in words.words]
