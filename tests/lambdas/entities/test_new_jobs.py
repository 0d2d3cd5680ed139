import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.entities.jobs import Coverage, Documents, EntityJob, documents_of
from lambdas.entities.new_jobs import Part, cut_speech, units, usd, write_new_job
from lambdas.shared.state import PlannedRecording
from lambdas.transcript.transcripts import Speech

CLINICAL = "clinical-bucket"
RECORDING: PlannedRecording = {
    "media_id": "m1",
    "user_id": "p-1",
    "uri": "s3://media-bucket/media/p-1/visit.wav",
    "object_id": "o-m1",
    "uploaded_at": "2026-01-01T00:00:00+00:00",
    "audience_consent": True,
    "transcript_id": "m1-t",
    "reused": False,
}


def part(name: str, text: str) -> Part:
    return Part(name, "m1", "m1-t", 0, len(text), zlib.compress(text.encode()))


def new_job(parts: list[Part], coverage: Coverage) -> str:
    with ThreadPoolExecutor(1) as pool:
        return write_new_job(pool, CLINICAL, parts, coverage)


def test_the_name_of_a_document_has_its_transcript_the_rules_of_cutting_and_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = []
    for limit, language in (("12", "en"), ("13", "en"), ("12", "de")):
        monkeypatch.setenv("MAXIMUM_DOCUMENT_BYTES", limit)
        parts = list(cut_speech(RECORDING, Speech("Hello. Goodbye.", 15), {"LanguageCode": language}))
        assert [(part.offset, part.characters, part.body) for part in parts] == [
            (0, 7, b"Hello. "),
            (7, 8, b"Goodbye."),
        ]
        assert [part.name[-9:] for part in parts] == ["-0000.txt", "-0001.txt"]
        assert {part.name[:5] for part in parts} == {"m1-t-"}
        names.append(parts[0].name)
    assert len(set(names)) == 3


def test_a_document_costs_a_unit_for_each_hundred_characters_begun() -> None:
    assert units([part("a", "x" * 101), part("b", "x")]) == 3
    assert usd(3) == 0.03


def test_a_new_job_has_its_documents_its_list_and_an_entry_in_the_coverage(s3: Any) -> None:
    coverage = Coverage({}, {}, {})
    base = new_job([part("b.txt", "Zürich."), part("a.txt", "Asthma.")], coverage)
    assert s3.get_object(Bucket=CLINICAL, Key=f"documents/{base}/b.txt")["Body"].read().decode() == "Zürich."
    assert documents_of(CLINICAL, base) == Documents(["b.txt", "a.txt"], 2)
    assert coverage == Coverage(
        {"a.txt": base, "b.txt": base}, {base: EntityJob()}, {base: Documents(["b.txt", "a.txt"], 2)}
    )


def test_the_base_depends_on_the_documents_and_on_the_known_jobs_in_any_order(s3: Any) -> None:
    parts = [part("a.txt", "a"), part("b.txt", "b")]
    known = {"d1": EntityJob(), "d2": EntityJob()}
    base = new_job(parts, Coverage({}, dict(known), {}))
    assert base == new_job(parts[::-1], Coverage({}, dict(reversed(known.items())), {}))
    assert base != new_job(parts, Coverage({}, {"d1": EntityJob()}, {}))
    assert base != new_job(parts[:1], Coverage({}, dict(known), {}))
