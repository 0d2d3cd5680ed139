"""The data path with the standard library alone: `json` in, dictionaries, `json` out; `re` over a whole text."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from lambdas.transcript.words import Words

SENTENCE = re.compile(r".*?[.!?][\"')\]]*\s+|.+", re.DOTALL)


def flatten(recording: Mapping[str, Any], document: Mapping[str, Any], output: bytes, words: Words) -> bytes:
    """The lines of `records/` of one output of Comprehend Medical."""
    result = json.loads(output)
    lines = []
    for entity in result["Entities"]:
        begin = entity["BeginOffset"] + document["offset"]
        end = entity["EndOffset"] + document["offset"]
        said = words.at((begin, end))
        record = {
            "user_id": recording["user_id"],
            "media_id": recording["media_id"],
            "media_uri": recording["uri"],
            "uploaded_at": recording["uploaded_at"],
            "audience_consent": recording["audience_consent"],
            "transcript_id": recording["transcript_id"],
            "source": "comprehend_medical",
            "document": document["document"],
            "entity_id": entity["Id"],
            "category": entity["Category"],
            "type": entity["Type"],
            "text": entity["Text"],
            "score": entity["Score"],
            "begin_offset": begin,
            "end_offset": end,
            "traits": [{"name": trait["Name"], "score": trait["Score"]} for trait in entity.get("Traits", ())],
            "attributes": [
                {
                    "id": attribute.get("Id"),
                    "category": attribute.get("Category"),
                    "type": attribute["Type"],
                    "text": attribute["Text"],
                    "score": attribute["Score"],
                    "relationship_type": attribute.get("RelationshipType"),
                    "relationship_score": attribute.get("RelationshipScore"),
                    "begin_offset": attribute["BeginOffset"] + document["offset"],
                    "end_offset": attribute["EndOffset"] + document["offset"],
                    "traits": [
                        {"name": trait["Name"], "score": trait["Score"]} for trait in attribute.get("Traits", ())
                    ],
                }
                for attribute in entity.get("Attributes", ())
            ],
            "attribute_of": None,
            "model_version": result.get("ModelVersion"),
            "start_seconds": said.start_seconds,
            "end_seconds": said.end_seconds,
            "speaker": said.speaker,
            "channel": said.channel,
            "confidence": said.confidence,
            "alternatives": said.alternatives,
        }
        lines.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
    return "".join(lines).encode()


def speech(body: bytes) -> tuple[str, int]:
    """The text of a transcript, and the seconds that are billed for it."""
    results = json.loads(body)["results"]
    end = max((float(item["end_time"]) for item in results["items"] if "end_time" in item), default=0.0)
    return "".join(part["transcript"] for part in results["transcripts"]), max(15, math.ceil(end))


def cut(text: str, limit: int) -> Iterator[str]:
    """Documents of fewer than `limit` bytes in UTF-8: whole sentences, as many as fit; a longer one stays whole."""
    document: list[str] = []
    size = 0
    for sentence in SENTENCE.findall(text):
        length = len(sentence.encode())
        if document and size + length >= limit:
            yield "".join(document)
            document, size = [], 0
        document.append(sentence)
        size += length
    if document:
        yield "".join(document)


def members(cohorts: Sequence[Mapping[str, Any]], lines: Iterable[bytes]) -> dict[str, set[str]]:
    """Cohort name -> the consenting people one of whose entities meets its rules."""
    found: dict[str, set[str]] = {cohort["name"]: set() for cohort in cohorts}
    for line in lines:
        record = json.loads(line)
        for cohort in cohorts:
            if (
                record["audience_consent"]
                and record["category"] == cohort["category"]
                and record["score"] >= cohort["minimum_score"]
                and not any(trait["name"] in cohort["excluded_traits"] for trait in record["traits"])
            ):
                text = " ".join(record["text"].lower().split())
                if any(fnmatchcase(text, term.lower()) for term in cohort["terms"]):
                    found[cohort["name"]].add(record["user_id"])
    return found
