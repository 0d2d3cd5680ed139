from typing import get_type_hints

from lambdas.cohorts.cohort_rules import Found, FoundTrait
from lambdas.shared.entity_record import EntityRecord, Trait


def test_what_decides_on_an_audience_is_read_as_it_was_written() -> None:
    """SelectSeeds declares only what it needs of a record: these members, of the same types."""
    written, read = get_type_hints(EntityRecord), get_type_hints(Found)
    assert {name: written[name] for name in read if name != "traits"} == {
        name: kind for name, kind in read.items() if name != "traits"
    }
    assert get_type_hints(FoundTrait).items() <= get_type_hints(Trait).items()
