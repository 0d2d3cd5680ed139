"""The recipes of CONTRIBUTING.md name the files in which their example occurs."""

import re
from pathlib import Path

import pytest

PAGE = Path("CONTRIBUTING.md")
RECIPES = dict(re.findall(r"^### (.*?)\n(.*?)(?=^##)", PAGE.read_text(), re.MULTILINE | re.DOTALL))
PACKAGES = ("infra", "lambdas", "statemachine", "operations", "local", "samples")
# The goals of the house: a change that touches more files has lost its one place.
MOST_FILES = {
    "A setting in cdk.json": 4,
    "A rule for cohorts": 4,
    "A file in S3 (an output)": 8,
    "A job of a service": 12,
}


def files_with(example: str) -> set[str]:
    sources = [Path("app.py"), Path("cdk.json"), *(path for package in PACKAGES for path in Path(package).rglob("*"))]
    return {
        path.as_posix()
        for path in sources
        if path.suffix in (".py", ".json", ".yaml") and re.search(example, path.read_text())
    }


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_lists_the_files_of_its_example(recipe: str) -> None:
    (example,) = re.findall(r"^Example: `(.*)`$", RECIPES[recipe], re.MULTILINE)
    assert set(re.findall(r"^\| `(.*?)` \|", RECIPES[recipe], re.MULTILINE)) == files_with(example)


@pytest.mark.parametrize("recipe", MOST_FILES)
def test_a_change_stays_in_few_files(recipe: str) -> None:
    assert len(re.findall(r"^\| `", RECIPES[recipe], re.MULTILINE)) <= MOST_FILES[recipe]
