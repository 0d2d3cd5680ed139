"""What is written in the pages of `docs/`: their tables, examples, and the tests that they name."""

import json
import re
from pathlib import Path
from typing import Any

Row = list[str]


def sections(page: str) -> dict[str, list[Row]]:
    """Heading (with those above it, joined by "/") -> the rows of the table below it, without its own heading row."""
    found: dict[str, list[Row]] = {}
    path: list[str] = []
    for line in Path("docs", page).read_text().splitlines():
        if heading := re.fullmatch(r"(#+) (.*)", line):
            path[len(heading[1]) - 1 :] = [heading[2]]
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.setdefault("/".join(path[1:]), []).append(cells)
    return {heading: rows[2:] for heading, rows in found.items()}


def examples(page: str) -> list[Any]:
    """The JSON documents that the page shows."""
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", Path("docs", page).read_text(), re.DOTALL)]


def json_keys(command: str) -> list[str]:
    """The keys of the JSON document that a command of docs/commands.md writes."""
    (keys,) = [keys for shown, keys in sections("commands.md")["For scripts"] if shown == command]
    return re.findall("`([^`]+)`", re.sub(r"\([^)]*\)", "", keys))


def missing_tests(page: str) -> list[str]:
    """The tests that the page names and that don't exist."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", Path("docs", page).read_text())
    assert named, f"docs/{page} names no test"
    return [
        f"{file}::{test}"
        for file, test in named
        if not Path(file).exists() or f"def {test}(" not in Path(file).read_text()
    ]
