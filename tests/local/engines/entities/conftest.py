from collections.abc import Callable

import pytest

from local.engines.entities import detect

Attributes = Callable[[str, str], list[tuple[str, str]]]


@pytest.fixture
def attributes() -> Attributes:
    """(type, text) of the attributes of the one entity in a text that has the given text."""

    def of(text: str, entity_text: str) -> list[tuple[str, str]]:
        (entity,) = [entity for entity in detect(text)["Entities"] if entity["Text"] == entity_text]
        return [(attribute["Type"], attribute["Text"]) for attribute in entity.get("Attributes", [])]

    return of
