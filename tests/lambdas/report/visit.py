"""A visit as the services would describe it: a transcript of two speakers and the records made from it."""

from typing import Any

from msgspec.structs import replace

from lambdas.shared.entity_record import Attribute, EntityRecord, Trait
from lambdas.shared.state import PlannedRecording
from lambdas.transcript.words import Words

TRANSCRIPT_ID = "5f0c-visit"
RECORDING: PlannedRecording = {
    "media_id": "m1",
    "object_id": "o1",
    "user_id": "p-001",
    "uri": "s3://media-bucket/media/p-001/visit 1.wav",
    "uploaded_at": "2026-01-02T03:04:05+00:00",
    "audience_consent": True,
    "transcript_id": TRANSCRIPT_ID,
    "reused": False,
}
# Speaker and what they say; `~` behind a word: Transcribe Medical is little sure of it.
TURNS = (
    ("spk_0", "Good morning Maria Lopez. Any chest pain or fever?"),
    ("spk_1", "No fever. My mother had breast cancer. I take lisinopril~ 10 mg daily for my blood pressure."),
    ("spk_0", "We will do a chest x-ray tomorrow."),
)


def transcript(*turns: tuple[str | None, str]) -> dict[str, Any]:
    """Each word takes a quarter of a second, begins half a second after the one before, and is joined by a blank."""
    items: list[dict[str, Any]] = []
    text: list[str] = []
    for speaker, said in turns:
        for written in said.split(" "):
            unsure = written.endswith("~")
            word = written.removesuffix("~")
            text.append(word)
            content = word.rstrip(".?")
            start = len(text) * 0.5 - 0.5
            items.append(
                {
                    "type": "pronunciation",
                    "start_time": f"{start:.2f}",
                    "end_time": f"{start + 0.25:.2f}",
                    "alternatives": [{"content": content, "confidence": "0.31" if unsure else "0.98"}],
                    **({"speaker_label": speaker} if speaker else {}),
                }
            )
            if content != word:
                items.append({"type": "punctuation", "alternatives": [{"content": word[len(content) :]}]})
    return {"results": {"transcripts": [{"transcript": " ".join(text)}], "items": items}}


def words(*turns: tuple[str | None, str]) -> Words:
    return Words(transcript(*(turns or TURNS)))


def record(said: Words, text: str, category: str = "MEDICAL_CONDITION", **more: Any) -> EntityRecord:
    """A line of `records/` about the first place of `text`."""
    begin = said.text.index(text)
    at = said.at((begin, begin + len(text)))
    members: dict[str, Any] = {
        "user_id": RECORDING["user_id"],
        "media_id": RECORDING["media_id"],
        "media_uri": RECORDING["uri"],
        "uploaded_at": RECORDING["uploaded_at"],
        "audience_consent": RECORDING["audience_consent"],
        "transcript_id": RECORDING["transcript_id"],
        "source": "comprehend_medical",
        "document": "m1-0000.txt",
        "entity_id": 0,
        "category": category,
        "type": "DX_NAME",
        "text": text,
        "score": 0.91,
        "begin_offset": begin,
        "end_offset": begin + len(text),
        "traits": [],
        "attributes": [],
        "attribute_of": None,
        "model_version": "2.4.0",
        **at._asdict(),
    }
    return EntityRecord(**members | more)


def attribute(said: Words, text: str, type_: str) -> Attribute:
    begin = said.text.index(text)
    return Attribute(
        id=1,
        category="MEDICATION",
        type=type_,
        text=text,
        score=0.88,
        relationship_type=type_,
        relationship_score=0.9,
        begin_offset=begin,
        end_offset=begin + len(text),
        traits=[],
    )


def trait(name: str) -> Trait:
    return Trait(name, 0.87)


def records(said: Words) -> list[EntityRecord]:
    """Of the visit: with traits, attributes, overlaps, and a label that has no place in the text."""
    phi = {"type": "NAME", "entity_id": None, "document": None, "model_version": None}
    nowhere = {"begin_offset": None, "end_offset": None}
    return [
        record(said, "Maria Lopez", "PROTECTED_HEALTH_INFORMATION", type="NAME"),
        record(said, "Maria", "PROTECTED_HEALTH_INFORMATION", source="transcribe_medical", **phi),
        record(said, "chest pain", traits=[trait("SYMPTOM")]),
        record(said, "chest", "ANATOMY", type="SYSTEM_ORGAN_SITE"),
        replace(record(said, "No fever", traits=[trait("SYMPTOM"), trait("NEGATION")]), text="fever"),
        record(said, "breast cancer", traits=[trait("DIAGNOSIS"), trait("PERTAINS_TO_FAMILY")]),
        record(
            said,
            "lisinopril",
            "MEDICATION",
            type="GENERIC_NAME",
            attributes=[attribute(said, "10 mg", "DOSAGE"), attribute(said, "daily", "FREQUENCY")],
            alternatives=["I take listen april 10 mg daily for my blood pressure."],
        ),
        record(said, "chest x-ray", "TEST_TREATMENT_PROCEDURE", type="TEST_NAME", traits=[trait("FUTURE")]),
        record(said, "tomorrow", "TIME_EXPRESSION", type="TIME_TO_TEST_NAME"),
        replace(
            record(said, "Maria", "PROTECTED_HEALTH_INFORMATION", source="transcribe_medical", **phi | nowhere),
            text="Lopes",
        ),
    ]
