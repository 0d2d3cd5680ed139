"""The word lists of `words.txt`."""

from functools import cache
from importlib.resources import files


def word_list(name: str) -> frozenset[str]:
    """The words of the list `name`. Raises KeyError if there is no such list."""
    return _lists()[name]


@cache
def _lists() -> dict[str, frozenset[str]]:
    lists: dict[str, frozenset[str]] = {}
    name = ""
    for line in files(__package__).joinpath("words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            lists[name] = frozenset()
        elif name and line.strip() and not line.startswith("#"):
            lists[name] |= frozenset(line.split())
    return lists
