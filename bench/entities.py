"""Quality and speed of the local entity engine: `python -m bench.entities`.

Prints precision and recall of entities (same place, category and type; and, looser, overlapping place and same
category), of context traits and of attributes, on the development set and on two held-out sets, and documents a second.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SETS = Path(__file__).parents[1] / "tests" / "local" / "engines" / "entities"
GOLD_SETS = ("development", "held_out", "second_held_out")
CONTEXT_TRAITS = frozenset({"NEGATION", "PERTAINS_TO_FAMILY", "HYPOTHETICAL", "PAST_HISTORY", "FUTURE"})
_DOCUMENT_CHARACTERS = 750
_TIMED_DOCUMENTS = 400


@dataclass
class Score:
    """Counts of right, wrong and missed items."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    def add(self, found: set[Any], expected: set[Any], text: str = "") -> None:
        self.right += len(found & expected)
        self.wrong += len(found - expected)
        self.missed += len(expected - found)
        self.errors += [f"  wrong  {item} | {text}" for item in sorted(found - expected)]
        self.errors += [f"  missed {item} | {text}" for item in sorted(expected - found)]


def gold(name: str) -> list[dict[str, Any]]:
    """The sentences of a gold set, one of GOLD_SETS; the file's "about" says how it was made."""
    sentences: list[dict[str, Any]] = json.loads((SETS / f"{name}.json").read_text(encoding="utf-8"))["sentences"]
    return sentences


def evaluate(detect: Callable[[str], dict[str, Any]], sentences: Iterable[dict[str, Any]]) -> dict[str, Score]:
    """Scores of `detect` on gold sentences.

    "entities": begin, end, category and type agree. "overlapping entities": places overlap and categories agree.
    "context traits" (negation, family, ...) and "kind traits" (sign, symptom, diagnosis) count on entities found at
    the right place only. "attributes": owner's place, type, begin and end agree.
    """
    scores = {
        name: Score() for name in ("entities", "overlapping entities", "context traits", "kind traits", "attributes")
    }
    for sentence in sentences:
        text = sentence["text"]
        expected = [_gold_entity(entity) for entity in sentence["entities"]]
        found = [_found_entity(entity) for entity in detect(text)["Entities"]]
        scores["entities"].add({e["key"] for e in found}, {e["key"] for e in expected}, text)
        _count_overlaps(scores["overlapping entities"], found, expected)
        by_key = {entity["key"]: entity for entity in found}
        for entity in expected:
            twin = by_key.get(entity["key"])
            if twin:
                for name, keep in (("context traits", True), ("kind traits", False)):
                    scores[name].add(
                        {(twin["text"], trait) for trait in twin["traits"] if (trait in CONTEXT_TRAITS) is keep},
                        {(twin["text"], trait) for trait in entity["traits"] if (trait in CONTEXT_TRAITS) is keep},
                        text,
                    )
        scores["attributes"].add(
            {item for entity in found for item in entity["attributes"]},
            {item for entity in expected for item in entity["attributes"]},
            text,
        )
    return scores


def _gold_entity(entity: dict[str, Any]) -> dict[str, Any]:
    begin, end = entity["begin"], entity["begin"] + len(entity["text"])
    return {
        "key": (begin, end, entity["category"], entity["type"]),
        "text": entity["text"],
        "traits": entity["traits"],
        "attributes": {
            (begin, a["type"], a["begin"], a["begin"] + len(a["text"]), a["text"]) for a in entity["attributes"]
        },
    }


def _found_entity(entity: dict[str, Any]) -> dict[str, Any]:
    attributes = [a for a in entity.get("Attributes", []) if a["RelationshipType"] != "OVERLAP"]
    return {
        "key": (entity["BeginOffset"], entity["EndOffset"], entity["Category"], entity["Type"]),
        "text": entity["Text"],
        "traits": [trait["Name"] for trait in entity["Traits"]],
        "attributes": {
            (entity["BeginOffset"], a["Type"], a["BeginOffset"], a["EndOffset"], a["Text"]) for a in attributes
        },
    }


def _count_overlaps(score: Score, found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
        (begin, end, category, _), (other_begin, other_end, other_category, _) = one["key"], other["key"]
        return bool(category == other_category and begin < other_end and other_begin < end)

    hits = sum(any(overlap(entity, other) for other in expected) for entity in found)
    score.right += hits
    score.wrong += len(found) - hits
    score.missed += sum(not any(overlap(entity, other) for other in found) for entity in expected)


def documents_per_second(detect: Callable[[str], dict[str, Any]], sentences: list[dict[str, Any]]) -> float:
    """How many documents of about 750 characters, joined from gold sentences, one core gets through in a second."""
    texts = [sentence["text"] for sentence in sentences]
    documents = []
    for start in range(_TIMED_DOCUMENTS):
        document = ""
        while len(document) < _DOCUMENT_CHARACTERS:
            document += texts[(start + len(document)) % len(texts)] + " "
        documents.append(document)
    detect(documents[0])
    began = time.process_time()
    for document in documents:
        detect(document)
    return len(documents) / (time.process_time() - began)


def main() -> None:
    """Print the figures; with --errors also the wrong and missed items of the named set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--errors", choices=GOLD_SETS, help="list the wrong and missed items of a set")
    arguments = parser.parse_args()
    began = time.perf_counter()
    from local.engines.entities import detect

    detect("load the vocabulary")
    print(f"first answer after {time.perf_counter() - began:.2f} s")
    for name in GOLD_SETS:
        scores = evaluate(detect, gold(name))
        for measure, score in scores.items():
            found = score.right + score.wrong
            print(
                f"{name:15} {measure:22} precision {score.precision:.3f} recall {score.recall:.3f}"
                f"  ({score.right} right of {found} found, {score.missed} missed)"
            )
            if arguments.errors == name:
                print("\n".join(score.errors))
    speed = documents_per_second(detect, gold("development"))
    print(f"{speed:.0f} documents of {_DOCUMENT_CHARACTERS} characters per core-second")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
