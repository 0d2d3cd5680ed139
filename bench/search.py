"""Measures a search of everything that is stored after a number of recordings.

    python -m bench.search [RECORDINGS]

DivideSearch runs as it is, and SearchRange over every twentieth range, from which the others are computed. They run
with their own clients; the answers of S3 and DynamoDB are made in this process, of keys that are computed when they are
listed. `bench.largest_batch` says how seconds follow from processor time and requests.
"""

import json
import os
import sys
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from threading import current_thread, main_thread
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSResponse

# Importing the functions creates clients, which need a Region and credentials, and a logger.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "bench")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "bench")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Bench")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
from bench.answers import answering, respond
from bench.data_path import peak_mib
from bench.largest_batch import Measured, unchunked
from lambdas import search_stored
from lambdas.searching.files import request
from lambdas.searching.traces import Traces
from lambdas.shared import ledger, storage
from lambdas.shared.identity import digest
from lambdas.shared.layout import search_request_key

RECORDINGS, BATCH, SAMPLED, CHILDREN = 1_000_000, 1_000, 20, 20
# S3 delivers as many logs as it likes; each has about so many lines.
LOGS, LINES_PER_LOG = 100_000, 40
BUCKETS = ("media", "clinical", "audience", "operations", "access-logs")
ENVIRONMENT = {
    **{f"{bucket.upper().replace('-', '_')}_BUCKET": bucket for bucket in BUCKETS},
    **{f"{bucket.upper()}_KEY_ARN": f"key/{bucket}" for bucket in BUCKETS},
    "LEDGER_TABLE": "ledger",
    "MEMBERS_TABLE": "members",
}
ITEMS_PER_RECORDING, ITEMS_PER_PAGE = {"ledger": 2, "members": 2}, 4_000
# US East, November 2026: S3, Lambda on arm64, Step Functions and DynamoDB pricing pages. DynamoDB's unit is 4 KB of a
# consistent read; a page has 1 MB.
USD = {"list": 5e-6, "get": 4e-7, "log": 4e-7, "put": 5e-6, "scan": 250 * 1.25e-7}
USD_PER_SECOND, USD_PER_TRANSITION = 3008 / 1024 * 1.33334e-5, 2.5e-5


class Folder(NamedTuple):
    """Objects whose keys are in the order of their numbers, each with so many versions; `objects` is how many."""

    bucket: str
    prefix: str
    objects: int
    key: Callable[[int], str]
    body: Callable[[int], bytes] = lambda _: b""
    versions: int = 1


class Found(NamedTuple):
    """`search` is of all ranges one after another, `longest` the seconds of the longest sampled range."""

    divide: Measured
    search: Measured
    ranges: int
    versions: int
    requests: Counter[str]
    longest: float

    @property
    def seconds(self) -> float:
        """With the Map's children side by side."""
        return self.divide.seconds + max(self.search.seconds / CHILDREN, self.longest)

    @property
    def usd(self) -> float:
        transitions = 4 * self.ranges + 3
        functions = USD_PER_SECOND * (self.divide.seconds + self.search.seconds)
        return sum(USD[kind] * number for kind, number in self.requests.items()) + functions + (
            USD_PER_TRANSITION * transitions
        )  # fmt: skip


def digits(number: int, count: int) -> str:
    """Hexadecimal digits as a digest has them, evenly spread and in the order of the numbers."""
    return f"{(number << 128) // count:032x}"


def folders(recordings: int) -> list[Folder]:
    """What the pipeline leaves: ten versions for each recording, and the files of the batches."""
    batches = -(-recordings // BATCH)

    def flat(prefix: str, suffix: str, versions: int = 1) -> Folder:
        return Folder(
            "clinical", prefix, recordings, lambda i: f"{prefix}{digits(i, recordings)}{suffix}", versions=versions
        )

    def nested(prefix: str, suffix: str) -> Folder:
        def key(number: int) -> str:
            return f"{prefix}{digits(number // BATCH, batches)}/{digits(number % BATCH, BATCH)}{suffix}"

        return Folder("clinical", prefix, recordings, key)

    line = json.dumps({"user_id": "p-000001", "media_id": "f" * 32, "uri": "s3://media/media/p-000001/visit.wav"})
    plan = f'{{"recordings": [{", ".join([line] * BATCH)}]}}'.encode()
    seed = b'{"user_id": "p-000001"}\n' * 500
    log = b'bucket [27/Nov/2026:10:00:00 +0000] 10.0.0.1 role REST.GET.OBJECT records/x "GET /records/x" 200\n'
    files = _files_of_a_batch(plan)

    def file(number: int) -> str:
        return f"batches/{digits(number // len(files), batches)}/{files[number % len(files)][0]}"

    found = [
        Folder("media", "media/", recordings, lambda i: f"media/p-{i // 10:07}/{i % 10}.wav"),
        flat("transcripts/", "-1.json"),
        flat("deidentified/", "-1.json"),
        flat("reports/", "-1.html", versions=2),
        flat("records/", ".jsonl", versions=2),
        nested("documents/", "-0000.txt"),
        nested("entities/", "-0000.txt.out"),
        Folder("clinical", "entity-jobs/", batches, lambda i: f"entity-jobs/{digits(i, batches)}.json", lambda _: plan),
        Folder("clinical", "batches/", batches * len(files), file, lambda i: files[i % len(files)][1]),
        Folder("audience", "seeds/", batches, lambda i: f"seeds/c/{digits(i, batches)}.jsonl", lambda _: seed),
        Folder(
            "access-logs", "clinical/", max(1, LOGS * recordings // RECORDINGS), _log_key, lambda _: log * LINES_PER_LOG
        ),
    ]
    return sorted(found, key=lambda folder: (folder.bucket, folder.prefix))


def _files_of_a_batch(plan: bytes) -> list[tuple[str, bytes]]:
    """Names and contents, in order; the largest has a line for each recording."""
    return [
        *((f"collected-1/{number:032x}-0000-0000.json", b"{}") for number in range(20)),
        ("documented-1.json", plan),
        ("documents-1.jsonl", plan[15:-2].replace(b"}, {", b"}\n{")),
        *((f"jobs/transcription/{digits(number, BATCH)}.json", b"{}") for number in range(BATCH)),
        ("plan.json", plan),
        ("recordings.json", plan),
        ("report.html", b"<tr><td>Patient p-000001</td></tr>\n" * BATCH),
        ("summary.json", b"{}"),
    ]


def _log_key(number: int) -> str:
    """A log every five minutes of the last year."""
    at = time.gmtime(time.time() // 86400 * 86400 - 365 * 86400 + number * 315)
    return f"clinical/{time.strftime('%Y-%m-%d-%H-%M-%S', at)}-{number:016X}"


class Services:
    """S3 and DynamoDB after so many recordings. `requests` are by their kind.

    "log" is the reading of an access log. `in_a_row` are those of the main thread.
    """

    def __init__(self, recordings: int) -> None:
        self._folders = folders(recordings)
        self._items = {table: recordings * each for table, each in ITEMS_PER_RECORDING.items()}
        self._page = [
            {"pk": {"S": f"object#{'f' * 32}"}, "sk": {"S": "f" * 32}, "version": {"S": "f" * 32}}
        ] * ITEMS_PER_PAGE
        self.files: dict[str, bytes] = {}
        self.requests: Counter[str] = Counter()
        self.in_a_row = self.versions = 0

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        self.in_a_row += current_thread() is main_thread()
        if target := request.headers.get("X-Amz-Target"):
            self.requests["scan"] += 1
            return respond(request, 200, self._dynamodb(target.decode(), json.loads(request.body)))
        place = urlsplit(request.url)
        bucket, key = place.netloc.partition(".")[0], unquote(place.path).lstrip("/")
        query = {name: values[0] for name, values in parse_qs(place.query, keep_blank_values=True).items()}
        if "versions" in query:
            self.requests["list"] += 1
            return respond(request, 200, self._listing(bucket, query).encode())
        if request.method == "PUT":
            self.requests["put"] += 1
            self.files[key] = unchunked(request.body.read()) if hasattr(request.body, "read") else request.body
            return respond(request, 200, b"", {"ETag": '"e"'})
        self.requests["log" if bucket == "access-logs" else "get"] += 1
        body = self._object(bucket, key)
        if body is None:
            return respond(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")
        return respond(request, 200, body, {"ETag": '"e"', "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT"})

    def _object(self, bucket: str, key: str) -> bytes | None:
        if key.startswith("searches/"):
            return self.files.get(key)
        (folder,) = [one for one in self._folders if one.bucket == bucket and key.startswith(one.prefix)]
        return folder.body(bisect_left(range(folder.objects), key, key=folder.key))

    def _listing(self, bucket: str, query: dict[str, str]) -> str:
        entries: list[str] = []
        last = ("", "")
        for name, version in self._behind(bucket, query):
            if len(entries) == 1000:
                markers = (
                    f"<NextKeyMarker>{last[0]}</NextKeyMarker><NextVersionIdMarker>{last[1]}</NextVersionIdMarker>"
                )
                entries.append(
                    f"<IsTruncated>true</IsTruncated>{markers if last[1] else markers.partition('<NextV')[0]}"
                )
                break
            last = (name, version)
            entries.append(
                VERSION.format(name, version)
                if version
                else f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"
            )
        else:
            entries.append("<IsTruncated>false</IsTruncated>")
        return f"<ListVersionsResult><EncodingType>url</EncodingType>{''.join(entries)}</ListVersionsResult>"

    def _behind(self, bucket: str, query: dict[str, str]) -> Iterator[tuple[str, str]]:
        """Names and versions behind the markers; a folder has no version."""
        prefix, marker, delimiter = (query.get(name, "") for name in ("prefix", "key-marker", "delimiter"))
        for folder in self._folders:
            if folder.bucket != bucket or not (folder.prefix.startswith(prefix) or prefix.startswith(folder.prefix)):
                continue
            number = bisect_right(range(folder.objects), max(marker, prefix), key=folder.key)
            if marker.startswith(folder.prefix) and query.get("version-id-marker") == "1" and folder.versions == 2:
                yield marker, "2"
            while number < folder.objects:
                key = folder.key(number)
                if not key.startswith(prefix):
                    break
                end = key.find("/", len(prefix)) if delimiter else -1
                if end < 0:
                    yield from ((key, str(version + 1)) for version in range(folder.versions))
                    number += 1
                    continue
                if key[: end + 1] != marker:
                    yield key[: end + 1], ""
                number = bisect_left(range(folder.objects), f"{key[:end]}0", key=folder.key)

    def _dynamodb(self, target: str, asked: Any) -> bytes:
        items = self._items[asked["TableName"]]
        if target.endswith("DescribeTable"):
            return json.dumps({"Table": {"ItemCount": items}}).encode()
        begin = int(asked.get("ExclusiveStartKey", {"pk": {"S": "0"}})["pk"]["S"])
        end = begin + ITEMS_PER_PAGE
        of_segment = items // asked["TotalSegments"]
        answer: dict[str, Any] = {"Items": self._page[: of_segment - begin]}
        if end < of_segment:
            answer["LastEvaluatedKey"] = {"pk": {"S": str(end)}}
        return json.dumps(answer).encode()


VERSION = (
    "<Version><Key>{}</Key><VersionId>{}</VersionId><IsLatest>true</IsLatest><LastModified>2026-11-27T10:00:00.000Z"
    "</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>12345</Size><Owner><ID>0123456789"
    "</ID></Owner><StorageClass>STANDARD</StorageClass></Version>"
)


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def measure(recordings: int = RECORDINGS, sampled: int = SAMPLED) -> Found:
    """A search of the scope `stored` after so many recordings; every `sampled`th range is searched."""
    services = Services(recordings)
    wanted = request(Traces(["p-none"], [digest("bench", str(number)) for number in range(20)]), "stored")
    services.files[search_request_key("bench")] = json.dumps(wanted).encode()
    with patch.dict(os.environ, ENVIRONMENT):
        stop = answering(services.answer, storage.s3, ledger.dynamodb)
        try:
            return _measured(services, sampled)
        finally:
            stop()


def _measured(services: Services, sampled: int) -> Found:
    numbers: list[int] = []
    divide = _timed(services, lambda: numbers.extend(search_stored.divide({"search_id": "bench"}, None)["numbers"]))
    requests = Counter(services.requests)
    parts: list[Measured] = []
    looked_at = 0
    for number in numbers[::sampled]:
        state: Any = {"search_id": "bench", "number": number, "step": 0}
        parts.append(_timed(services, lambda state=state: search_stored.search(state, Context())))  # type: ignore[misc]
        (written,) = [body for key, body in services.files.items() if f"/parts/{number:05}-" in key]
        part = json.loads(written)
        if part["next"] is not None or part["versions"] or part["items"]:
            raise ValueError(f"The search of range {number} did not end, or found something: {part}")
        looked_at += part["looked_at"]
    share = len(numbers) / len(parts)
    for kind, count in (services.requests - requests).items():
        requests[kind] += round(count * share)
    search = Measured(
        sum(part.processor for part in parts) * share,
        round(sum(part.in_a_row for part in parts) * share),
        round(sum(part.in_parallel for part in parts) * share),
        max(part.peak_mib for part in parts),
    )
    return Found(divide, search, len(numbers), round(looked_at * share), requests, max(part.seconds for part in parts))


def _timed(services: Services, run: Callable[[], Any]) -> Measured:
    before, in_a_row, begun = services.requests.total(), services.in_a_row, time.process_time()
    run()
    mine = services.in_a_row - in_a_row
    return Measured(time.process_time() - begun, mine, services.requests.total() - before - mine, peak_mib())


def main() -> None:
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else RECORDINGS)
    print(f"divide: {found.divide}, {found.divide.seconds:.0f} s")
    print(f"search: {found.search}, {found.search.seconds:.0f} s one after another, the longest {found.longest:.0f} s")
    print(f"{found.ranges} ranges, {found.versions:,} versions and items, {dict(found.requests)} requests")
    print(f"{CHILDREN} at a time: {found.seconds / 60:.1f} minutes, {found.usd:.2f} USD")


if __name__ == "__main__":
    main()
