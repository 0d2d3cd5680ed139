"""A new entity detection job: the documents cut from transcripts, the job's base, and its estimated cost."""

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from lambdas.entities.documents import cut
from lambdas.entities.jobs import Coverage, Documents, EntityJob, write_documents_of
from lambdas.shared.identity import digest
from lambdas.shared.layout import documents_prefix
from lambdas.shared.pricing import COMPREHEND_MEDICAL_PER_UNIT, entity_detection_units
from lambdas.shared.state import Parameters, PlannedRecording
from lambdas.shared.storage import s3
from lambdas.transcript.transcripts import Speech


class Part(NamedTuple):
    """A document of a recording's transcript, with its name, its place in the transcript, and its compressed text.

    Uncompressed, the texts of a large batch of long recordings would take more than a function's memory.
    """

    name: str
    media_id: str
    transcript_id: str
    offset: int
    characters: int
    packed: bytes

    @property
    def body(self) -> bytes:
        """The text in UTF-8."""
        return zlib.decompress(self.packed)


def cut_speech(recording: PlannedRecording, speech: Speech, parameters: Parameters) -> Iterator[Part]:
    """The documents of a transcript. A digest of the rules of cutting and analysis is part of their names."""
    limit = int(os.environ["MAXIMUM_DOCUMENT_BYTES"])
    how = digest(str(limit), parameters.get("LanguageCode", ""))[:8]
    for number, document in enumerate(cut(speech.text, limit)):
        name = f"{recording['transcript_id']}-{how}-{number:04}.txt"
        packed = zlib.compress(document.text.encode(), level=1)
        yield Part(name, recording["media_id"], recording["transcript_id"], document.offset, len(document.text), packed)


def write_new_job(pool: Executor, bucket: str, parts: Sequence[Part], coverage: Coverage) -> str:
    """Write the documents of a new job and add the job to `coverage`; return its base.

    The base depends on the known jobs, too. Otherwise it could be the base of an ended job that has no output for these
    documents.
    """
    documents = Documents([part.name for part in parts], units(parts))
    base = digest(*sorted(documents.names), "known", *sorted(coverage.jobs))
    list(pool.map(lambda part: write_document(bucket, documents_prefix(base) + part.name, part.body), parts))
    write_documents_of(bucket, base, documents)
    coverage.job_of.update(dict.fromkeys(documents.names, base))
    coverage.jobs[base], coverage.documents[base] = EntityJob(), documents
    return base


def write_document(bucket: str, key: str, body: bytes) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/plain; charset=utf-8")


def units(parts: Iterable[Part]) -> int:
    """The units that Comprehend Medical charges for."""
    return sum(entity_detection_units(part.characters) for part in parts)


def usd(units: int) -> float:
    return round(units * COMPREHEND_MEDICAL_PER_UNIT, 2)
