"""A page as a browser's parser sees it, as far as the tests ask."""

from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "br", "input", "rect"}


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]
    # What a person sees: without the notes for screen readers.
    text: list[str]

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def seen(self) -> str:
        return "".join(self.text)


class Parsed(HTMLParser):
    """All elements in the document's order. Raises AssertionError where tags don't match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"</{tag}> ends {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any("note" in element.classes for element in self._open):
            for element in self._open:
                element.text.append(data)

    def with_class(self, name: str) -> list[Element]:
        return [element for element in self.elements if name in element.classes]

    def with_tag(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def by_id(self, id_: str) -> Element:
        (found,) = [element for element in self.elements if element.attributes.get("id") == id_]
        return found
