from hypothesis import given
from hypothesis import strategies as st

from lambdas.transcript.deidentify import (
    COMPREHEND_MEDICAL,
    TRANSCRIBE_MEDICAL,
    Deidentified,
    Finding,
    deidentified,
    label_findings,
)
from lambdas.transcript.phi_labels import PhiLabel
from lambdas.transcript.words import Span, Words

TEXT = "Mr. O'Brien, 71, has no fever. Call 555-1234."
PUNCTUATION = """.,;:!?"'()[]"""


def words_of(text: str, **labels: str) -> Words:
    """Each word takes a second; punctuation is no part of it."""
    items = [
        {"start_time": str(number), "end_time": str(number + 1), "alternatives": [{"content": word}], **labels}
        for number, word in enumerate(filter(None, (word.strip(PUNCTUATION) for word in text.split())))
    ]
    return Words({"results": {"transcripts": [{"transcript": text}], "items": items}})


def found(part: str, category: str = "NAME", source: str = COMPREHEND_MEDICAL, text: str = TEXT) -> Finding:
    begin = text.index(part)
    return Finding(category, source, (begin, begin + len(part)))


def masked(*findings: Finding, text: str = TEXT) -> Deidentified:
    return deidentified("t", words_of(text), findings, True)


def test_each_finding_is_replaced_by_its_category() -> None:
    document = masked(found("71", "AGE"), found("O'Brien"), found("555-1234", "PHI", TRANSCRIBE_MEDICAL))
    assert document["text"] == "Mr. [NAME], [AGE], has no fever. Call [PHI]."
    assert document["masked"] == [
        {
            "category": category,
            "begin_offset": begin,
            "end_offset": end,
            "start_seconds": start,
            "end_seconds": start + 1,
            "source": source,
        }
        for category, begin, end, start, source in (
            ("NAME", 4, 10, 1, COMPREHEND_MEDICAL),
            ("AGE", 12, 17, 2, COMPREHEND_MEDICAL),
            ("PHI", 38, 43, 7, TRANSCRIBE_MEDICAL),
        )
    ]
    assert all(document["text"][mask["begin_offset"] : mask["end_offset"]][0] == "[" for mask in document["masked"])


def test_the_words_are_masked_likewise_and_keep_who_said_them() -> None:
    words = words_of("Ann Lee has fever", speaker_label="spk_0", channel_label="ch_1")
    document = deidentified("t", words, [Finding("NAME", COMPREHEND_MEDICAL, (0, 7))], True)
    assert document["words"] == [
        {"text": text, "start_seconds": start, "end_seconds": end, "speaker": "spk_0", "channel": "ch_1"}
        for text, start, end in (("[NAME]", 0, 2), ("has", 2, 3), ("fever", 3, 4))
    ]


def test_nothing_else_of_the_transcript_is_passed_on() -> None:
    assert set(masked()) == {"transcript_id", "complete", "text", "words", "masked"}
    assert masked()["text"] == TEXT
    assert (masked()["transcript_id"], masked()["complete"]) == ("t", True)
    assert deidentified("t", words_of(TEXT), [], False)["complete"] is False


def test_a_part_of_a_word_masks_the_whole_word() -> None:
    assert masked(found("Brien"))["text"].startswith("Mr. [NAME], 71")
    assert masked(found("555"))["text"].endswith("Call [NAME].")
    assert [word["text"] for word in masked(found("12"))["words"]][-1] == "[NAME]"


def test_an_item_of_several_words_is_masked_as_one() -> None:
    item = {"start_time": "0", "end_time": "1", "alternatives": [{"content": "New York"}]}
    words = Words({"results": {"transcripts": [{"transcript": "in New York"}], "items": [item]}})
    document = deidentified("t", words, [Finding("ADDRESS", COMPREHEND_MEDICAL, (7, 11))], True)
    assert document["text"] == "in [ADDRESS]"
    assert [word["text"] for word in document["words"]] == ["[ADDRESS]"]


def test_findings_that_overlap_or_touch_become_one_of_the_more_telling_category() -> None:
    document = masked(found("Mr. O'Brien", "PHI", TRANSCRIBE_MEDICAL), found("O'Brien,"), found(" 71", "AGE"))
    assert document["text"] == "[NAME], has no fever. Call 555-1234."
    assert [(mask["category"], mask["source"]) for mask in document["masked"]] == [("NAME", COMPREHEND_MEDICAL)]
    assert masked(found("O'Brien", "AGE"), found("Mr. O'Brien", "NAME"))["masked"][0]["category"] == "NAME"


def test_findings_in_neighbouring_words_stay_apart() -> None:
    assert masked(found("Mr"), found("O'Brien"))["text"].startswith("[NAME]. [NAME], 71")


def test_a_mask_lasts_as_long_as_its_label() -> None:
    label = PhiLabel("PHI", "O'Brien", 0.9, 0.8, 2.5, ((4, 11),), ())
    (mask,) = masked(*label_findings([label]))["masked"]
    assert (mask["start_seconds"], mask["end_seconds"]) == (0.8, 2.5)


def test_suspected_places_are_masked_too_and_last_as_long_as_their_words() -> None:
    label = PhiLabel("PHI", "O'Brien", 0.9, 0.8, 2.5, ((4, 11),), ((13, 15),))
    document = masked(*label_findings([label]))
    assert document["text"].startswith("Mr. [PHI], [PHI], has")
    assert [mask["end_seconds"] for mask in document["masked"]] == [2.5, 3.0]


def test_a_label_that_is_nowhere_in_the_text_is_told_without_a_place() -> None:
    document = masked(*label_findings([PhiLabel("PHI", "Bertrand", 0.9, 90.0, 91.0, (), ())]))
    assert document["text"] == TEXT
    assert document["masked"] == [
        {
            "category": "PHI",
            "begin_offset": None,
            "end_offset": None,
            "start_seconds": 90.0,
            "end_seconds": 91.0,
            "source": TRANSCRIBE_MEDICAL,
        }
    ]
    assert "Bertrand" not in str(document)


def test_a_word_that_the_text_does_not_have_is_left_out() -> None:
    items = [{"start_time": "0", "end_time": "1", "alternatives": [{"content": "Bertrand"}]}]
    words = Words({"results": {"transcripts": [{"transcript": "Bertram"}], "items": items}})
    assert deidentified("t", words, [], True)["words"] == []


TEXTS = st.text(alphabet="aab'é\u0301😀.,-( \n[", min_size=4, max_size=40)
SPANS = st.lists(st.builds(lambda begin, length: (begin, begin + length), st.integers(-2, 20), st.integers(0, 5)))


def hidden(text: str, spans: list[Span]) -> list[bool]:
    """Of each character, whether it is in a span, or in a word of which another character is in one."""

    def core(begin: int, end: int) -> range:
        """Without the punctuation around it."""
        marks = [index for index in range(begin, end) if text[index] not in PUNCTUATION]
        return range(marks[0], marks[-1] + 1) if marks else range(0)

    flags = [any(begin <= index < end for begin, end in spans) for index in range(len(text))]
    begin = 0
    for end in range(len(text) + 1):
        if end == len(text) or text[end].isspace():
            word = core(begin, end)
            if any(flags[index] for index in word):
                for index in word:
                    flags[index] = True
            begin = end + 1
    return flags


@given(TEXTS, SPANS, st.booleans())
def test_no_masked_word_remains_and_everything_else_is_unchanged(text: str, spans: list[Span], timed: bool) -> None:
    words = words_of(text) if timed else Words({"results": {"transcripts": [{"transcript": text}]}})
    document = deidentified("t", words, [Finding("X", COMPREHEND_MEDICAL, span) for span in spans], True)
    flags = hidden(text, spans)
    expected = ""
    for index, character in enumerate(text):
        if not flags[index]:
            expected += character
        elif index == 0 or not flags[index - 1]:
            expected += "[X]"
    assert document["text"] == expected
    assert [document["text"][mask["begin_offset"] : mask["end_offset"]] for mask in document["masked"]] == [
        "[X]" for index, flag in enumerate(flags) if flag and (index == 0 or not flags[index - 1])
    ]
    kept = [word["text"] for word in document["words"] if word["text"] != "[X]"]
    assert kept == [word.text for word in words.words if not any(flags[word.begin : word.end])]
