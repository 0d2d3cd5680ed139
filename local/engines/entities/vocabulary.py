"""The terms the engine knows: our curated list, ICD-10-CM and a drug dictionary, compiled once into a cache file."""

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from local.engines.entities.tokens import phrase_key

_SOURCES = ("vocabulary.py", "tokens.py", "icd.py", "drugs.py", "terms.txt", "words.txt")
_PACKAGES = ("simple-icd-10-cm", "drug-named-entity-recognition")

# How reliable a source is, not a probability: our list was chosen word by word, the packages' terms by rules.
_CURATED, _ICD_NAME, _ICD_REWORDED, _GENERIC_DRUG, _BRAND_DRUG = 0.95, 0.88, 0.78, 0.92, 0.85

_loading = threading.Lock()


class Term(NamedTuple):
    """Category and type of a term. `trait` is SIGN, SYMPTOM or DIAGNOSIS for a condition, else ""."""

    category: str
    type: str
    trait: str
    score: float


class Vocabulary(NamedTuple):
    """Terms by lookup key, and for each first word the length in words of its longest term."""

    terms: dict[str, Term]
    longest: dict[str, int]


def vocabulary() -> Vocabulary:
    """The vocabulary, read from the cache file, or compiled (a few seconds) if there is none for these sources.

    The cache is in $XDG_CACHE_HOME/clinical-media (~/.cache/clinical-media); if that cannot be written, every process
    compiles for itself.
    """
    with _loading:  # else each of the first threads would compile
        return _load()


@cache
def _load() -> Vocabulary:
    path = _cache_path()
    try:
        compiled = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        compiled = _compile()
        _write_cache(path, compiled)
    kinds = [Term(*kind) for kind in compiled["kinds"]]
    terms = {key: kinds[index] for key, index in compiled["terms"].items()}
    longest: dict[str, int] = {}
    for key in terms:
        first, *rest = key.split(" ")
        longest[first] = max(longest.get(first, 1), 1 + len(rest))
    return Vocabulary(terms, longest)


def _compile() -> dict[str, list[Term] | dict[str, int]]:
    # Imported here because loading their data takes seconds, which the cache exists to save.
    from local.engines.entities import drugs, icd

    kinds: dict[Term, int] = {}
    terms: dict[str, int] = {}

    def add(phrase: str, term: Term) -> None:
        terms.setdefault(phrase_key(phrase), kinds.setdefault(term, len(kinds)))

    for phrase, term in _curated():
        add(phrase, term)
    for name, is_brand in drugs.medicines():
        kind, score = ("BRAND_NAME", _BRAND_DRUG) if is_brand else ("GENERIC_NAME", _GENERIC_DRUG)
        add(name, Term("MEDICATION", kind, "", score))
    for name, trait, reworded in icd.conditions():
        add(name, Term("MEDICAL_CONDITION", "DX_NAME", trait, _ICD_REWORDED if reworded else _ICD_NAME))
    terms.pop("", None)
    return {"kinds": list(kinds), "terms": terms}


def _curated() -> Iterator[tuple[str, Term]]:
    term: Term | None = None
    for line in files(__package__).joinpath("terms.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            category, kind, *trait = line.strip("[]").split()
            term = Term(category, kind, trait[0] if trait else "", _CURATED)
        elif term and line.strip() and not line.startswith("#"):
            for phrase in line.split(","):
                if phrase.strip():
                    yield phrase.strip(), term


def _cache_path() -> Path:
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update(files(__package__).joinpath(name).read_bytes())
    for package in _PACKAGES:
        digest.update(f"{package} {version(package)}".encode())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "clinical-media" / f"vocabulary-{digest.hexdigest()[:16]}.json"


def _write_cache(path: Path, compiled: dict[str, list[Term] | dict[str, int]]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            json.dump(compiled, file)
        Path(file.name).replace(path)  # several processes may compile at once: each renames a complete file
    except OSError:
        return
