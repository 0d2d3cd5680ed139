"""Measures the compaction, and what the saved queries read: `python -m bench.analysis`.

The recordings are made of the sentences of the entity engine's gold sets, with what the engine finds in them. These
are few sentences, so in the transcripts every other word is replaced by a random one; otherwise they would be stored in
far fewer bytes than speech. The function runs with its own clients; the answers of S3 and DynamoDB are made in the
process, which counts as the function's work. Athena reads a column of Parquet only if the query names it, and a
partition only if it may have rows.
"""

import json
import os
import random
import re
import resource
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

import duckdb
import msgspec
from botocore.awsrequest import AWSResponse

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "bench")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "bench")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Bench")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
from bench.answers import answering, respond
from bench.entities import GOLD_SETS, gold
from bench.largest_batch import SIZES, Size, unchunked
from infra.analysis_tables import TABLES, Table
from infra.saved_queries import QUERIES
from lambdas import compact_records
from lambdas.entities.detected import read_output
from lambdas.entities.records import entity_records
from lambdas.shared import ledger, storage
from lambdas.shared.identity import digest
from lambdas.shared.layout import records_key, transcript_key
from lambdas.shared.state import IndexLine, PlannedRecording
from lambdas.transcript.words import Words
from local.engines import entities

BUCKET, DIGIT, MONTH = "bench", "a", "2026-11"
WORDS = Path(__file__).parents[1] / "local" / "engines" / "speech_terms.txt"
MILLION = 1_000_000
GIB = 1024**3
COUNTS = {"dictations": 4_000, "visits": 400, "four hours": 40}
# The findings of a visit, as the other benchmarks have them; the gold sentences have more.
FINDINGS_OF_A_VISIT = 400
ENVIRONMENT = {
    "CLINICAL_BUCKET": BUCKET,
    "CLINICAL_KEY_ARN": "",
    "LEDGER_TABLE": "ledger",
    "MEMBERS_TABLE": "members",
    "RESULTS_EXPIRE_AFTER_DAYS": "",
}


@cache
def sentences() -> list[tuple[str, dict[str, Any]]]:
    """The gold sentences, each with the engine's output."""
    texts = [sentence["text"] for name in GOLD_SETS for sentence in gold(name)]
    return [(text, entities.detect(text)) for text in texts]


@cache
def vocabulary() -> list[str]:
    return sorted({word for word in WORDS.read_text().split() if word.isalpha()})


def store_recording(folder: Path, size: Size, number: int) -> tuple[int, int]:
    """Store the files of a recording with so many words, each of a quarter of a second, by two speakers in turn.

    Returns the number of findings and the bytes of the records.
    """
    choose, text, found, at = random.Random(number), [], [], 0
    items: list[dict[str, Any]] = []
    output: dict[str, Any] = {"Entities": [], "UnmappedAttributes": [], "ModelVersion": "2.0.0"}
    while len(items) < size.words:
        said, detected = choose.choice(sentences())
        found.append((at, detected))
        speaker = f"spk_{len(found) % 2}"
        for word in said.split():
            start = len(items) / 4
            items.append({
                "type": "pronunciation", "start_time": f"{start:.2f}", "end_time": f"{start + 0.25:.2f}",
                "speaker_label": speaker, "alternatives": [{"content": word, "confidence": f"{choose.random():.4f}"}],
            })  # fmt: skip
        text.append(said)
        at += len(said) + 1
    whole = {"results": {"transcripts": [{"transcript": " ".join(text)}], "items": items}}
    words = Words(whole)
    for offset, detected in found:
        for entity in detected["Entities"]:
            output["Entities"].append(shifted(entity, offset, len(output["Entities"]), choose))
    user_id, object_id = f"p-{number % 997:06}", object_id_of(size, number)
    planned: PlannedRecording = {
        "object_id": object_id,
        "reused": False,
        "user_id": user_id,
        "media_id": digest(object_id),
        "uri": f"s3://clinical-media-prod-storagemediabucket1a2b3c4d-abcdefghijkl/media/{user_id}/visit-{number}.wav",
        "uploaded_at": f"{MONTH}-{1 + number % 27:02}T10:00:00+00:00",
        "audience_consent": True,
        "transcript_id": f"{digest(object_id)}-{digest('parameters')}",
    }
    document: Any = {"document": f"{planned['media_id']}-0000.txt", "offset": 0}
    line: IndexLine = document
    records = list(entity_records(planned, line, read_output(json.dumps(output).encode()), words))
    lines = msgspec.json.Encoder().encode_lines(records)
    for item in items[::2]:
        item["alternatives"][0]["content"] = choose.choice(vocabulary())
    spoken = " ".join(item["alternatives"][0]["content"] for item in items)
    whole = {"results": {"transcripts": [{"transcript": spoken}], "items": items}}
    for key, body in ((records_key(object_id), lines), (transcript_key(planned["transcript_id"]), encoded(whole))):
        path = folder / key
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
    return len(records), len(lines)


def encoded(document: Any) -> bytes:
    return msgspec.json.encode(document)


def shifted(entity: Mapping[str, Any], offset: int, number: int, choose: random.Random) -> dict[str, Any]:
    """The entity at another place, with scores as different as the service's."""
    moved = {**entity, "Id": number, "Score": choose.uniform(0.4, 1)}
    moved["BeginOffset"], moved["EndOffset"] = entity["BeginOffset"] + offset, entity["EndOffset"] + offset
    moved["Attributes"] = [
        {**one, "BeginOffset": one["BeginOffset"] + offset, "EndOffset": one["EndOffset"] + offset}
        for one in entity.get("Attributes", ())
    ]
    return moved


def object_id_of(size: Size, number: int) -> str:
    return DIGIT + digest(size.name, str(number))[1:]


class Services:
    """S3 and DynamoDB; `folder` has the records and the transcripts."""

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self._folder = size, folder
        self.tables: dict[str, bytes] = {}
        self.listed: list[str] = []
        self.requests: Counter[str] = Counter()

    def list_objects(self, begin: int, end: int) -> None:
        self.listed = [object_id_of(self.size, number) for number in range(begin, end)]

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        if target := request.headers.get("X-Amz-Target"):
            operation = target.decode().rpartition(".")[2]
            self.requests[operation] += 1
            return respond(request, 200, json.dumps(self._dynamodb(operation, json.loads(request.body))).encode())
        place = urlsplit(request.url)
        key = unquote(place.path).removeprefix(f"/{BUCKET}").lstrip("/")
        self.requests[request.method] += 1
        if "list-type" in place.query:
            prefix = parse_qs(place.query)["prefix"][0]
            found = "".join(f"<Contents><Key>{one}</Key></Contents>" for one in self.tables if one.startswith(prefix))
            return respond(request, 200, f"<ListBucketResult>{found}</ListBucketResult>".encode())
        if request.method == "PUT":
            body = request.body if isinstance(request.body, bytes) else request.body.read()
            self.tables[key] = unchunked(body) if "aws-chunked" in str(request.headers) else body
            return respond(request, 200, b"", {"ETag": '"e"'})
        headers = {"ETag": '"e"', "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT"}
        body = self.tables[key] if key in self.tables else (self._folder / key).read_bytes()
        return respond(request, 200, body, headers)

    def _dynamodb(self, operation: str, asked: Any) -> Any:
        if operation == "Query":
            items = [{"pk": {"S": "changed#a"}, "sk": {"S": one}, "sequence": {"N": "1"}} for one in self.listed]
            return {"Items": items}
        if operation == "BatchGetItem":
            return {"Responses": {table: [] for table in asked["RequestItems"]}}
        return {"Attributes": asked.get("Key", {})}


class Bite(NamedTuple):
    """What a call of CompactRecords took, and what it left."""

    objects: int
    seconds: float
    requests: Mapping[str, int]


def bite(services: Services, begin: int, end: int) -> Bite:
    services.list_objects(begin, end)
    services.requests.clear()
    stop = answering(services.answer, storage.s3, ledger.dynamodb)
    started = time.process_time()
    try:
        with patch.dict(os.environ, ENVIRONMENT), patch.object(compact_records, "MOST_OBJECTS", end - begin + 1):
            answer = compact_records.handler({"execution_name": "bench", "digit": DIGIT}, None)
    finally:
        stop()
    if answer["more"]:
        raise ValueError(f"{end - begin} {services.size.name} are more than a bite: lower COUNTS")
    return Bite(end - begin, time.process_time() - started, dict(services.requests))


def column_bytes(tables: Mapping[str, bytes], table: Table) -> Iterator[tuple[str, str, int]]:
    """Category, column and bytes of each column of the table's files."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "file.parquet")
        for key, body in tables.items():
            if key.startswith(table.prefix):
                path.write_bytes(body)
                category = key.partition("category=")[2].partition("/")[0]
                columns = "split_part(path_in_schema, ',', 1), sum(total_compressed_size)"
                query = f"SELECT {columns} FROM parquet_metadata('{path}') GROUP BY 1"
                for column, size in duckdb.execute(query).fetchall():
                    yield category, column, int(size)


def scanned(tables: Mapping[str, bytes], query: str) -> int:
    """The bytes of the columns and categories that the saved query names."""
    statement = QUERIES[query].statement
    (table,) = (TABLES[name] for name in TABLES if f"FROM {name}" in statement)
    (one,) = re.findall(r"WHERE category = '(\w+)'", statement) or [""]
    words = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", statement)))
    found = column_bytes(tables, table)
    return sum(size for category, column, size in found if column in words and one in ("", category))


def measure(size: Size) -> None:
    count = COUNTS[size.name]
    with TemporaryDirectory() as folder:
        made = [store_recording(Path(folder), size, number) for number in range(count)]
        services = Services(size, Path(folder))
        first = bite(services, 0, count // 2)
        second = bite(services, count // 2, count)
    findings, json_bytes = (sum(one[which] for one in made) for which in (0, 1))
    parts = {
        name: sum(len(body) for key, body in services.tables.items() if key.startswith(TABLES[name].prefix))
        for name in ("findings", "utterances")
    }
    print(f"{size.name}: {count:,} recordings, {findings / count:,.0f} findings each")
    for what, one in (("into no files", first), ("into the files of as many", second)):
        rate = one.objects / one.seconds
        print(f"  compacted {what}: {rate:,.0f} recordings per second of processor time; requests {dict(one.requests)}")
    print(f"  bytes per finding: {json_bytes / findings:,.0f} in JSON, {parts['findings'] / findings:,.1f} in Parquet")
    print(f"  bytes per word of utterances: {parts['utterances'] / count / size.words:,.2f}")
    print(f"  peak memory of the process so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
    if size.name == "visits":
        extrapolate(services.tables, count, findings, json_bytes)


def extrapolate(tables: Mapping[str, bytes], count: int, findings: int, json_bytes: int) -> None:
    """What the saved queries read over a million visits: bytes per finding, or per visit, times their number."""
    total = json_bytes / findings * FINDINGS_OF_A_VISIT * MILLION
    print(f"a million visits of {FINDINGS_OF_A_VISIT} findings, of all months")
    print(f"  JSON, for every query: {total / GIB:,.0f} GiB in {MILLION:,} objects")
    for query in QUERIES:
        read = scanned(tables, query)
        per, number = ("visit", MILLION) if query == "said" else ("finding", FINDINGS_OF_A_VISIT * MILLION)
        each = read / (count if query == "said" else findings)
        print(f"  {query}: {each:,.2f} bytes per {per} x {number:,} = {each * number / GIB:,.1f} GiB")


def main() -> None:
    for size in SIZES:
        measure(size)


if __name__ == "__main__":
    main()
