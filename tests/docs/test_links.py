"""The pages lead to each other, and the index to all of them."""

import re
from pathlib import Path

import pytest

PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").glob("*.md"))]
INDEX = Path("docs/README.md")
README_LINES = 150


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_the_index_has_a_line_for_every_page_and_says_for_whom_it_is() -> None:
    rows = re.findall(r"^\| \[.+?\]\((\S+?)\) \| (.*?) \| (.*?) \|$", INDEX.read_text(), re.MULTILINE)
    assert sorted(Path("docs", file) for file, _, _ in rows if file.endswith(".md")) == sorted(
        page for page in PAGES if page.parent == INDEX.parent and page != INDEX
    )
    assert all(reader and told for _, reader, told in rows)


def test_the_readme_is_short_and_shows_a_picture() -> None:
    text = Path("README.md").read_text()
    assert len(text.splitlines()) < README_LINES
    assert re.search(r"^!\[.{20,}\]\(docs/images/\S+\.png\)$", text, re.MULTILINE), "with words for who can't see it"
