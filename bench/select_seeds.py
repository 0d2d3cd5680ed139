"""Measures SelectSeeds with few and with many recordings behind it, beside reading the records of all batches.

    python -m bench.select_seeds

The function runs with its own clients; the answers of S3 and DynamoDB are made in this process, so that requests and
processor time count, and the network doesn't. An answer of Query has up to 1 MB (DynamoDB API reference, Query).
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from bench.answers import answering, respond
from bench.peers import whole_history
from bench.table import Row

# Importing the functions creates clients, which need a Region and credentials, and a logger.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "bench")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "bench")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Bench")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
from lambdas import select_seeds
from lambdas.cohorts.indexes import reconciled
from lambdas.shared import ledger, storage
from lambdas.shared.ledger_keys import INDEXES_KEY

BUCKET = "bench"
COHORT: Any = {
    "name": "hypertension",
    "category": "MEDICAL_CONDITION",
    "terms": ["hypertension"],
    "excluded_traits": ["NEGATION"],
    "minimum_score": 0.5,
    "minimum_seed_size": 25,
    "export": None,
}
ENVIRONMENT = {
    "AUDIENCE_BUCKET": BUCKET,
    "AUDIENCE_KEY_ARN": "",
    "LEDGER_TABLE": BUCKET,
    "MEMBERS_TABLE": BUCKET,
    "RESULTS_EXPIRE_AFTER_DAYS": "",
    "COHORTS": json.dumps([COHORT]),
    "SQL_COHORTS": "[]",
    "RESOURCE_PREFIX": "bench",
    "POWERTOOLS_SERVICE_NAME": "bench",
}
FEW, MANY = 1_000, 1_000_000
MEMBERS = 1_000
# So many recordings are read by the peer; more would take an hour.
READ_BY_PEER = 10_000
GOAL = 1.5
# An item of the members table has about 120 bytes.
ITEMS_PER_PAGE = 8_000
ROUNDS = 5
# A visit has some 400 findings (docs/performance.md).
FINDINGS = 400


class Cost(NamedTuple):
    requests: int
    seconds: float


class Services:
    """S3 and DynamoDB after `history` recordings, of which `members` are in the cohort. It counts requests."""

    def __init__(self, history: int, members: int) -> None:
        self.requests: Counter[str] = Counter()
        self._history = history
        listed = [{**index, "state": "ready"} for index in reconciled([], [COHORT], "bench", iter(["index"]))]
        self._indexes = {"pk": {"S": INDEXES_KEY}, "version": {"N": "1"}, "indexes": {"S": json.dumps(listed)}}
        self._pages = [
            [
                {"pk": {"S": "index#index"}, "sk": {"S": f"{number:032x}"}, "user_id": {"S": f"p-{number:06}"}}
                for number in range(begin, min(begin + ITEMS_PER_PAGE, members))
            ]
            for begin in range(0, members, ITEMS_PER_PAGE)
        ]
        line = {
            "user_id": "p-000001", "media_id": "m", "audience_consent": True, "category": "MEDICAL_CONDITION",
            "score": 0.9, "text": "hypertension", "traits": [],
        }  # fmt: skip
        self._records = json.dumps(line).encode() + b"\n"
        other = json.dumps(line | {"text": "high temperature"}).encode() + b"\n"
        self._records += other * (FINDINGS - 1)

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers.get("X-Amz-Target", b"").decode().rpartition(".")[2]
        self.requests[operation or request.method] += 1
        if operation:
            return respond(request, 200, json.dumps(self._dynamodb(operation, json.loads(request.body))).encode())
        if "list-type" in request.url:
            return respond(request, 200, self._listing(request.url))
        if "/records/" in request.url:
            return respond(request, 200, self._records)
        if request.method == "PUT":
            return respond(request, 200, b"")
        return respond(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")

    def _dynamodb(self, operation: str, wanted: Any) -> Any:
        if operation == "BatchGetItem":
            return {"Responses": {BUCKET: [self._indexes]}}
        number = int(wanted.get("ExclusiveStartKey", {}).get("sk", {"S": "0"})["S"])
        more = {"LastEvaluatedKey": {"sk": {"S": str(number + 1)}}} if number + 1 < len(self._pages) else {}
        return {"Items": self._pages[number], "Count": len(self._pages[number]), **more}

    def _listing(self, url: str) -> bytes:
        _, _, token = url.partition("continuation-token=")
        begin = int(token.partition("&")[0] or 0)
        end = min(begin + 1_000, self._history)
        entries = "".join(
            f"<Contents><Key>records/{number:032x}.jsonl</Key><Size>1</Size></Contents>" for number in range(begin, end)
        )
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>"
        return f"<ListBucketResult>{entries}{more if end < self._history else ''}</ListBucketResult>".encode()


def cost(services: Services, work: Callable[[], Any], *clients: Any, rounds: int = ROUNDS) -> Cost:
    """The requests and the processor seconds of the work; the quickest round counts."""
    stop = answering(services.answer, *clients)
    try:
        seconds = []
        for _ in range(rounds):
            services.requests.clear()
            begun = time.process_time()
            work()
            seconds.append(time.process_time() - begun)
    finally:
        stop()
    return Cost(services.requests.total(), min(seconds))


def ours(history: int, members: int) -> Cost:
    event: Any = {"batch": {"batch_id": "bench"}, "parameters": {"configuredAudienceModelArn": "arn"}}

    def select() -> None:
        answer = select_seeds.handler(event, None)
        if [seeded["eligible"] for seeded in answer["cohorts"]] != [members]:
            raise ValueError(f"SelectSeeds found {answer}")

    return cost(Services(history, members), select, ledger.dynamodb, storage.s3)


def peer(history: int) -> Cost:
    s3 = boto3.client("s3", config=Config(max_pool_connections=16))
    work = lambda: whole_history.members(s3, BUCKET, [COHORT])  # noqa: E731
    return cost(Services(history, MEMBERS), work, s3, rounds=1)


def rows() -> Iterator[Row]:
    """Row 17: the same cohort after many recordings and after few."""
    with patch.dict(os.environ, ENVIRONMENT), redirect_stdout(StringIO()):  # of metrics
        few, many = ours(FEW, MEMBERS), ours(MANY, MEMBERS)
        grown = ours(MANY, MANY // 10)
        read = peer(READ_BY_PEER)
    each = Cost(1, read.seconds / READ_BY_PEER)
    ratio = max(many.requests / few.requests, many.seconds / few.seconds)
    yield Row(
        number="17",
        what=f"SelectSeeds after {MANY:,} recordings, and after {FEW:,}; {MEMBERS:,} members",
        ours=f"{many.requests} requests, {many.seconds * 1000:.0f} ms; {few.requests}, {few.seconds * 1000:.0f} ms; "
        f"with {MANY // 10:,} members {grown.requests}, {grown.seconds:.1f} s",
        peer=f"{MANY + MANY // 1000:,} requests, {each.seconds * MANY:,.0f} s (of {READ_BY_PEER:,} measured); "
        f"{FEW + 1:,}, {each.seconds * FEW:.1f} s",
        ratio=f"{ratio:.2f}; the peer's {MANY // FEW:,}",
        limit="1",
        goal=f"<= {GOAL}",
        met=ratio <= GOAL,
    )


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ")
