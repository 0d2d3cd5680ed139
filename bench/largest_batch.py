"""Measures each step over the largest batch that the settings allow, with short, usual and long recordings.

    python -m bench.largest_batch

Each measurement is a process of its own, in which the function runs with its own clients; the answers of S3 and
DynamoDB are made there, which counts as the function's work. Each request counts a millisecond more, for the sockets
and TLS that are missing.

A step's time is its processor time, doubled because a Graviton processor may be half as fast, and 20 ms for each
request that waits for the one before; sixteen threads make the others.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSResponse

# Importing the functions creates clients, which need a Region and credentials, and a logger.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "bench")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "bench")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Bench")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
from bench.answers import answering, respond
from bench.data_path import output, peak_mib, transcript
from bench.table import Row
from lambdas.entities.documents import cut
from lambdas.rules.batches import MAXIMUM_RECORDINGS
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.transcript.words import Words

ROOT = Path(__file__).parents[1]
BUCKET, BATCH, JOB = "bench", "bench", "entities/bench/"
PLAN = f"batches/{BATCH}/plan.json"


class Size(NamedTuple):
    """A kind of recording, with the number of its words and of Comprehend Medical's entities."""

    name: str
    words: int
    entities: int


SIZES = (Size("dictations", 150, 10), Size("visits", 4_500, 400), Size("four hours", 30_000, 2_600))
SECONDS_PER_REQUEST, PROCESSOR_SECONDS_PER_REQUEST = 0.02, 0.001
GRAVITON = 2
GOAL_SECONDS, GOAL_MIB = 300, 1_024
DOCUMENT_BYTES = 40_000
COHORT: Any = {
    "name": "hypertension",
    "category": "MEDICAL_CONDITION",
    "terms": ["hypertension", "high blood *"],
    "excluded_traits": ["NEGATION"],
    "minimum_score": 0.5,
    "minimum_seed_size": 25,
    "export": None,
}
# A third of the recordings has a rejection, too, each of which SummarizeBatch reads.
REJECTED = 3
KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/bench"
ENVIRONMENT = {
    "RESOURCE_PREFIX": "bench",
    "MEDIA_BUCKET": BUCKET,
    "CLINICAL_BUCKET": BUCKET,
    "CLINICAL_KEY_ARN": KEY_ARN,
    "MEDIA_KEY_ARN": KEY_ARN,
    "LEDGER_TABLE": "ledger",
    "MEMBERS_TABLE": "members",
    "RESULTS_EXPIRE_AFTER_DAYS": "",
    "MAXIMUM_DOCUMENT_BYTES": str(DOCUMENT_BYTES),
    "BATCH_CEILING_USD": "1000000000",
    "DAY_CEILING_USD": "",
    "ABOVE_BATCH_CEILING": "stop",
}


class Measured(NamedTuple):
    """Requests `in_a_row` wait for each other; those `in_parallel` are made by sixteen threads."""

    processor: float
    in_a_row: int
    in_parallel: int
    peak_mib: float

    @property
    def seconds(self) -> float:
        connections = PROCESSOR_SECONDS_PER_REQUEST * (self.in_a_row + self.in_parallel)
        waiting = SECONDS_PER_REQUEST * (self.in_a_row + self.in_parallel / PARALLEL_REQUESTS)
        return GRAVITON * (self.processor + connections) + waiting


class Services:
    """S3 and DynamoDB during a batch of `count` recordings.

    Files about the batch are in `folder`, and the inputs in `inputs`, since they are made by another process. Other
    objects are forgotten as soon as they are written.
    """

    def __init__(self, step: str, folder: Path, inputs: Path, count: int, children: int) -> None:
        """`children` is how many children CollectBatch has had."""
        self.folder, self.count, self._step, self._children = folder, count, step, children
        self.requests: Counter[bool] = Counter()
        self.written = b""
        self._transcript = (inputs / "transcript.json").read_bytes()
        self._outputs = [path.read_bytes() for path in sorted(inputs.glob("*.out"))]
        self._records = (inputs / "records.jsonl").read_bytes() if (inputs / "records.jsonl").exists() else b""
        self.planned: list[Any] = []
        if step != "PlanBatch":
            self.planned = json.loads((folder / PLAN).read_bytes())["recordings"]
        self._versions = {one["object_id"]: one["media_id"] for one in self.planned}

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        self.requests[threading.current_thread() is threading.main_thread()] += 1
        if target := request.headers.get("X-Amz-Target"):
            operation = target.decode().rpartition(".")[2]
            return respond(request, 200, json.dumps(self._dynamodb(operation, json.loads(request.body))).encode())
        place = urlsplit(request.url)
        key = unquote(place.path).removeprefix(f"/{BUCKET}").lstrip("/")
        if "list-type" in place.query:
            return respond(request, 200, self._listing(parse_qs(place.query)))
        if request.method == "PUT":
            self._put(key, request.body)
            return respond(request, 200, b"", {"ETag": '"e"'})
        body = self._object(key)
        if body is None:
            return respond(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")
        headers = {"ETag": '"e"', "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT", "x-amz-version-id": "v"}
        if key.startswith("media/"):
            headers |= {"content-length": "5000000", "x-amz-meta-audience-consent": "true"}
        return respond(request, 200, body, headers)

    def _put(self, key: str, body: Any) -> None:
        content = body if isinstance(body, bytes) else unchunked(body.read())
        if key.startswith("batches/"):
            path = self.folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        elif key.startswith("records/"):
            self.written = content

    def _object(self, key: str) -> bytes | None:
        if key.startswith("media/"):
            return b""
        if key.startswith("transcripts/"):
            return self._transcript
        if key == f"{JOB}Manifest":
            return json.dumps({"Summary": {"SuccessFilesCount": self.count, "UnprocessedFilesCount": 0}}).encode()
        if key.startswith(JOB):
            return self._outputs[int(key.removesuffix(".txt.out")[-4:])]
        if key.startswith("records/"):
            return self._records or None
        if "/jobs/" in key:
            times = {"CreationTime": "2026-11-27T09:00:00+00:00", "CompletionTime": "2026-11-27T10:00:00+00:00"}
            return json.dumps({"TranscriptionJobName": "bench", **times}).encode()
        if "/rejections/" in key:
            return b'{"reason": "No speech was recognised in the recording."}'
        if "/collected-" in key:
            return next((self.folder / "batches" / BATCH).glob("collected-*/*.json")).read_bytes()
        path = self.folder / key
        return path.read_bytes() if path.exists() else None

    def _listing(self, query: Mapping[str, list[str]]) -> bytes:
        prefix, begin = query["prefix"][0], int(query.get("continuation-token", ["0"])[0])
        most = int(query.get("max-keys", ["1000"])[0])
        number = {"media/": self.count, JOB: self.count}.get(prefix, 0)
        key = "{prefix}{number:06}.wav"
        if prefix == "media/":
            key = "{prefix}p-{number:06}/visit.wav"
        elif prefix == JOB:
            key = "{prefix}{number:032x}-0000.txt.out"
        elif prefix.endswith("/jobs/"):
            number, key = self.count, "{prefix}transcription/{number:032x}.json"
        elif prefix.endswith("/rejections/") and self._step == "SummarizeBatch":
            number, key = self.count // REJECTED, "{prefix}{id}.json"
        elif "/collected-" in prefix:
            number, key = self._children, "{prefix}{number:032x}-0000-0000.json"
        end = min(begin + most, number)
        contents = "".join(
            "<Contents><Key>"
            + key.format(prefix=prefix, number=one, id=self.planned[one]["media_id"] if self.planned else "")
            + "</Key><Size>1</Size></Contents>"
            for one in range(begin, end)
        )
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>"
        return f"<ListBucketResult>{contents}{more if end < number else ''}</ListBucketResult>".encode()

    def _dynamodb(self, operation: str, asked: Any) -> Any:
        if operation == "BatchGetItem":
            ((table, wanted),) = asked["RequestItems"].items()
            found = [item for key in wanted["Keys"] if (item := self._item(key["pk"]["S"]))]
            return {"Responses": {table: found}}
        if operation == "UpdateItem":
            given = {
                name.partition("_")[2]: value
                for name, value in asked.get("ExpressionAttributeValues", {}).items()
                if not name.startswith(":is_")
            }
            return {"Attributes": {**asked["Key"], **given}}
        return {}

    def _item(self, key: str) -> Any:
        kind, _, rest = key.partition("#")
        if kind == "claim" and self.planned:
            return {"pk": {"S": key}, "execution": {"S": BATCH}, "planning": {"N": "0"}}
        if kind == "object" and rest in self._versions:
            consent = {"consent": {"BOOL": True}}
            return {"pk": {"S": key}, "sequence": {"N": "1"}, "version": {"S": self._versions[rest]}, **consent}
        if kind == "job" and self._step == "CollectEntities":
            ended = {"service_status": "COMPLETED", "model_version": None, "output_uri": f"s3://{BUCKET}/{JOB}",
                     "manifest_path": f"{JOB}Manifest"}  # fmt: skip
            return {"pk": {"S": key}, "id": {"S": "job"}, "attempt": {"N": "1"}, "output": {"S": json.dumps(ended)}}
        if kind == "indexes":
            from lambdas.cohorts.indexes import reconciled

            listed = [{**one, "state": "ready"} for one in reconciled([], [COHORT], "bench", iter(["index"]))]
            return {"pk": {"S": key}, "version": {"N": "1"}, "indexes": {"S": json.dumps(listed)}}
        return None


def unchunked(body: bytes) -> bytes:
    """The content of a body in `aws-chunked` encoding, in which the SDK sends it with a checksum."""
    content = b""
    while True:
        length, _, body = body.partition(b"\r\n")
        if not int(length, 16):
            return content
        content += body[: int(length, 16)]
        body = body[int(length, 16) + 2 :]


def read_state(folder: Path) -> Any:
    return json.loads((folder / "state.json").read_bytes())


def plan(_: Services) -> Callable[[], Any]:
    from lambdas import plan_batch

    event = {
        "request": {"prefix": f"s3://{BUCKET}/media/"}, "execution_name": BATCH, "redrive_count": 0, "retry_count": 0,
        "execution_arn": f"arn:aws:states:us-east-1:123456789012:execution:pipeline:{BATCH}",
    }  # fmt: skip
    return lambda: plan_batch.handler(event, None)


def prepare(services: Services) -> Callable[[], Any]:
    from lambdas import prepare_documents

    state = read_state(services.folder)
    event = {"batch": state["batch"], "parameters": state["parameters"]["StartEntitiesDetectionV2Job"]}
    return lambda: {**state, "documents": prepare_documents.handler(event, None)}


def collect(services: Services) -> Callable[[], Any]:
    from lambdas import collect_entities

    state = read_state(services.folder)
    event = {
        "batch": state["batch"],
        "documents": state["documents"],
        "parameters": {"ContentIdentificationType": "PHI"},
        "media_ids": [one["media_id"] for one in services.planned[: services.count]],
        "retry_count": 0,
        "redrive_count": 0,
    }

    def run() -> Any:
        collect_entities.handler(event, None)
        if counted(services)["documents"] < services.count or counted(services)["rejected"]:
            raise ValueError(f"CollectEntities counted {counted(services)}")
        return state

    return run


def counted(services: Services) -> Any:
    """The counts by the child that has run."""
    return json.loads(next((services.folder / "batches" / BATCH).glob("collected-*/*.json")).read_bytes())


def index(services: Services) -> Callable[[], Any]:
    from lambdas import index_records

    state = read_state(services.folder)
    keys = [f"records/{one['object_id']}.jsonl" for one in services.planned[: services.count]]
    return lambda: {**state, **index_records.handler({"batch_id": BATCH, "keys": keys}, None)}


def summarize(services: Services) -> Callable[[], Any]:
    from lambdas import summarize_batch

    state = read_state(services.folder)
    seeds: dict[str, Any] = {"cohorts": [], "not_generated": [], "suppression": None}
    event = {"state": {**state, "seeds": seeds, "audiences": []}}

    def run() -> Any:
        summarize_batch.handler(event, None)
        return state

    return run


STEPS: Mapping[str, Callable[[Services], Callable[[], Any]]] = {
    "PlanBatch": plan,
    "PrepareDocuments": prepare,
    "CollectEntities": collect,
    "IndexRecords": index,
    "SummarizeBatch": summarize,
}
CHILDREN = ("CollectEntities", "IndexRecords")


def measure_here(step: str, folder: Path, inputs: Path, count: int, children: int) -> Measured:
    """One step, in the process that was started for it."""
    os.environ.update(ENVIRONMENT)
    services = Services(step, folder, inputs, count, children)
    run = STEPS[step](services)
    from lambdas.shared import ledger, storage

    stop = answering(services.answer, storage.s3, ledger.dynamodb)
    begun = time.process_time()
    with redirect_stdout(StringIO()):  # of metrics
        state = run()
    measured = Measured(time.process_time() - begun, services.requests[True], services.requests[False], peak_mib())
    stop()
    (folder / "state.json").write_text(json.dumps(state))
    if services.written:
        (inputs / "records.jsonl").write_bytes(services.written)
    return measured


def make_inputs(folder: Path, size: Size) -> None:
    """A transcript, and the outputs of its documents."""
    body = transcript(size.words)
    (folder / "transcript.json").write_bytes(body)
    words = Words(json.loads(body))
    found = json.loads(output(words, size.entities, size.words))
    for number, document in enumerate(cut(words.text, DOCUMENT_BYTES)):
        end = document.offset + len(document.text)
        inside = [one for one in found["Entities"] if document.offset <= one["BeginOffset"] and one["EndOffset"] <= end]
        moved = json.dumps({**found, "Entities": [shifted(one, document.offset) for one in inside]})
        (folder / f"{number:04}.out").write_text(moved)


def shifted(entity: dict[str, Any], offset: int) -> dict[str, Any]:
    place = {"BeginOffset": entity["BeginOffset"] - offset, "EndOffset": entity["EndOffset"] - offset}
    attributes = {"Attributes": [{**one, **place} for one in entity["Attributes"]]} if "Attributes" in entity else {}
    return {**entity, **place, **attributes}


def measure(step: str, folder: Path, inputs: Path, count: int = MAXIMUM_RECORDINGS) -> Measured:
    children = math.ceil(MAXIMUM_RECORDINGS / recordings_per_child("CollectBatch"))
    command = [sys.executable, "-m", "bench.largest_batch", "--one", step]
    answer = subprocess.run(
        [*command, str(folder), str(inputs), str(count), str(children)],
        env={**os.environ, "PARAMETERS": parameters()},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if answer.returncode:
        raise RuntimeError(f"{step} over {count} recordings: {answer.stderr[-2000:]}")
    return Measured(*json.loads(answer.stdout))


@cache
def parameters() -> str:
    """Those of `prod`. The measured processes don't load the CDK."""
    from infra.cdk_json import read_context
    from infra.environment import Environment

    return json.dumps(asdict(Environment.from_context("prod", read_context()).parameters))


@cache
def recordings_per_child(state: str) -> int:
    from infra.definition import read_definition

    most: int = read_definition()["States"][state]["ItemBatcher"]["MaxItemsPerBatch"]
    return most


def measured_steps(folder: Path) -> Iterator[tuple[str, str, int, Measured]]:
    """A step's name, its kind of recordings, how many recordings it has, and its measurements."""
    inputs = {size.name: folder / size.name for size in SIZES}
    for size in SIZES:
        inputs[size.name].mkdir()
        make_inputs(inputs[size.name], size)
    yield "PlanBatch", "any", MAXIMUM_RECORDINGS, measure("PlanBatch", folder, inputs[SIZES[0].name])
    for name, given in inputs.items():
        yield "PrepareDocuments", name, MAXIMUM_RECORDINGS, measure("PrepareDocuments", folder, given)
        for state, step in (("CollectBatch", "CollectEntities"), ("RebuildCohorts", "IndexRecords")):
            count = recordings_per_child(state)
            yield step, name, count, measure(step, folder, given, count)
        yield "SummarizeBatch", name, MAXIMUM_RECORDINGS, measure("SummarizeBatch", folder, given)


def rows() -> Iterator[Row]:
    """Row 19, a row for each step and kind of recordings."""
    with tempfile.TemporaryDirectory() as name:
        for step, kind, count, measured in measured_steps(Path(name)):
            before = ""
            if step == "CollectEntities":
                together = measured.seconds * MAXIMUM_RECORDINGS / count
                before = f"all children of the batch, one after the other: {together:,.0f} s"
            yield Row(
                number="19",
                what=f"{step} of {count:,} recordings, {kind}",
                ours=f"{measured.seconds:.0f} s ({measured.processor:.1f} s here), {measured.peak_mib:.0f} MiB",
                peer=before,
                ratio=f"{measured.seconds / GOAL_SECONDS:.2f} of the goal",
                limit="",
                goal=f"<= {GOAL_SECONDS} s, <= {GOAL_MIB} MiB",
                met=measured.seconds <= GOAL_SECONDS and measured.peak_mib <= GOAL_MIB,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="The largest batch, step by step.")
    parser.add_argument("--one", nargs=5, metavar=("STEP", "FOLDER", "INPUTS", "COUNT", "CHILDREN"), help="one step")
    asked = parser.parse_args()
    if asked.one:
        step, folder, inputs, count, children = asked.one
        print(json.dumps(measure_here(step, Path(folder), Path(inputs), int(count), int(children))))
        return
    for row in rows():
        print(*row, sep=" | ", flush=True)


if __name__ == "__main__":
    main()
