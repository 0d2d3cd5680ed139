from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdas.report.marks import Mark, Place, marks_of, places_of
from lambdas.shared.entity_record import EntityRecord
from tests.lambdas.report import visit

WORDS = visit.words()
RECORD, ATTRIBUTE = visit.record(WORDS, "fever"), visit.attribute(WORDS, "10 mg", "DOSAGE")


def found(begin: int | None, end: int | None, *attributes: tuple[int, int]) -> EntityRecord:
    own = [replace(ATTRIBUTE, begin_offset=first, end_offset=last) for first, last in attributes]
    return replace(RECORD, begin_offset=begin, end_offset=end, attributes=own)


def spans(marks: list[Mark]) -> list[tuple[int, int, list[int]]]:
    return [(mark.begin, mark.end, mark.numbers) for mark in marks]


def marks(length: int, *records: EntityRecord, breaks: tuple[int, ...] = ()) -> list[Mark]:
    return marks_of(places_of(records, length), breaks)


def test_findings_apart_are_marks_of_their_own_even_side_by_side() -> None:
    assert spans(marks(20, found(6, 9), found(0, 3), found(3, 5))) == [(0, 3, [1]), (3, 5, [2]), (6, 9, [0])]


def test_findings_that_overlap_are_one_mark_which_shows_the_longest_first() -> None:
    assert spans(marks(20, found(0, 5), found(3, 12), found(11, 14))) == [(0, 14, [1, 0, 2])]


def test_an_entity_is_shown_before_an_attribute_of_another_one_in_the_same_place() -> None:
    (first, second) = marks(20, found(0, 4, (6, 15)), found(6, 9))
    assert first.numbers == [0]
    assert second.numbers == [1, 0]
    assert not second.places[0].is_attribute


def test_what_has_no_place_in_the_text_has_no_mark() -> None:
    assert marks(10, found(None, None), found(10, 12), found(4, 4)) == []
    assert spans(marks(10, found(8, 12))) == [(8, 10, [0])]


def test_a_mark_ends_with_its_paragraph_and_goes_on_in_the_next() -> None:
    cut = marks(20, found(2, 12), found(8, 9), breaks=(5, 10, 20))
    assert spans(cut) == [(2, 5, [0]), (5, 10, [0, 1]), (10, 12, [0])]


places = st.builds(lambda begin, length, number, attribute: Place(begin, begin + length, number, attribute),
                   st.integers(0, 40), st.integers(1, 15), st.integers(0, 5), st.booleans())  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(places, max_size=12), st.sets(st.integers(1, 60), max_size=5))
def test_marks_cover_every_place_once_and_never_cross_a_paragraph(all_places: list[Place], breaks: set[int]) -> None:
    made = marks_of(all_places, sorted(breaks))
    covered = [index for mark in made for index in range(mark.begin, mark.end)]
    assert covered == sorted({index for place in all_places for index in range(place.begin, place.end)})
    assert not any(mark.begin < edge < mark.end for mark in made for edge in breaks)
    for mark in made:
        touching = {p.number for p in all_places if p.begin < mark.end and p.end > mark.begin}
        assert set(mark.numbers) == touching
