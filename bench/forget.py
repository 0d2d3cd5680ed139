"""Benchmark 20: the requests that forgetting a patient takes after a million recordings.

    python -m bench.forget [RECORDINGS]

The command's own code runs with its own clients over the answers of `bench.search`; the patient has ten recordings in
ten batches of a thousand. The search's requests are those that `bench.search` measures. The peer is the removal before
there were items that lead to a patient's executions: it lists everything three times, and reads what it lists.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from bench import search
from bench.answers import answering, respond
from bench.search import BATCH, RECORDINGS, Services, digits, folders
from bench.table import Row, as_table
from lambdas.searching.categories import Buckets, category_of
from lambdas.shared.ledger_keys import patient_key, patient_sort_key
from operations.deployed import Deployed
from operations.forgetting import found
from operations.forgetting.forget import forget, plan_removal
from operations.forgetting.searching import Found

GOAL = 50_000
USER_ID, PATIENTS_RECORDINGS = "p-0000005", 10
PREFIX = "clinical-media-bench"
MACHINE = f"arn:aws:states:us-east-1:123456789012:stateMachine:{PREFIX}"
JOB = "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-generation-job/"
SERVICES = ("s3", "dynamodb", "stepfunctions", "transcribe", "comprehendmedical", "cleanroomsml")
BUCKETS = Buckets("media", "clinical", "audience", "operations", "access-logs")


class Outcome(NamedTuple):
    """Requests by service and operation, of the command and of its last search; `logs` are those for access logs."""

    command: Counter[str]
    search: Counter[str]
    logs: int
    peer: int

    @property
    def requests(self) -> int:
        return self.command.total() + self.search.total()


class Account(Services):
    """The services that the command asks, after so many recordings, with a seed and an audience for each batch."""

    def __init__(self, recordings: int) -> None:
        super().__init__(recordings)
        self.calls: Counter[str] = Counter()
        batches = -(-recordings // BATCH)
        spacing = max(1, batches // PATIENTS_RECORDINGS)
        self._audiences = batches
        self._namings = [
            {
                "pk": patient_key(USER_ID),
                "sk": patient_sort_key(digits(number, recordings), digits(number * spacing, batches)),
                "user_id": USER_ID,
                "object_id": digits(number, recordings),
                "transcript_id": f"{digits(number, recordings)}-1",
            }
            for number in range(PATIENTS_RECORDINGS)
        ]

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        place = urlsplit(request.url)
        service, operation = place.netloc, request.headers.get("X-Amz-Target", b"").decode().rpartition(".")[2]
        self.calls[operation or f"{request.method} {service.partition('.')[0]}"] += 1
        if operation:
            return respond(request, 200, json.dumps(self._json(operation, json.loads(request.body))).encode())
        if service.startswith("cleanrooms-ml"):
            return respond(request, 200, json.dumps(self._clean_rooms_ml(place.path, place.query)).encode())
        query = parse_qs(place.query, keep_blank_values=True)
        if "uploads" in query or "list-type" in query:
            return respond(request, 200, b"<Result><IsTruncated>false</IsTruncated></Result>")
        if request.method == "POST":
            return respond(request, 200, b"<DeleteResult/>")
        if place.path.startswith("/suppression/") and request.method == "GET":
            return respond(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")
        return super().answer(request)

    def _json(self, operation: str, asked: Any) -> Any:
        if operation == "Query":
            items = self._namings if asked["ExpressionAttributeValues"][":key"]["S"] == patient_key(USER_ID) else []
            return {"Items": [{name: {"S": value} for name, value in item.items()} for item in items]}
        if operation == "GetItem":
            key = asked["Key"]["pk"]["S"]
            return {"Item": {"pk": {"S": key}}} if key.startswith(("object#", "claim#")) else {}
        if operation == "BatchGetItem":
            return {"Responses": {}}
        if operation == "ListExecutions":
            return {"executions": []}
        return {}

    def _clean_rooms_ml(self, path: str, query: str) -> Any:
        """A hundred jobs on a page of the list."""
        if not path.endswith("/audience-generation-job"):
            return {"status": "ACTIVE", "seedAudience": {"dataSource": {"s3Uri": "s3://audience/seeds/c/x.jsonl"}}}
        begin = int(parse_qs(query).get("nextToken", ["0"])[0])
        end = min(begin + 100, self._audiences)
        jobs = [{"audienceGenerationJobArn": f"{JOB}{number}", "name": f"{PREFIX}-1"} for number in range(begin, end)]
        more = {"nextToken": str(end)} if end < self._audiences else {}
        return {"audienceGenerationJobs": jobs, **more}


class Connected:
    """Clients whose requests the account answers."""

    def __init__(self, account: Account) -> None:
        session: Any = boto3.Session(region_name="us-east-1")
        config = Config(retries={"max_attempts": 0})
        self._clients = {service: session.client(service, config=config) for service in SERVICES}
        answering(account.answer, *self._clients.values())

    def client(self, service: str) -> Any:
        return self._clients[service]


def measure(recordings: int = RECORDINGS) -> Outcome:
    account = Account(recordings)
    connection: Any = Connected(account)
    outputs = {"SearchStateMachineArn": f"{MACHINE}-search"}
    deployed = Deployed(connection, PREFIX, BUCKETS, "ledger", "members", MACHINE, outputs)
    nothing = Found([], [], 0)
    with patch.object(found, "search", lambda *_, **__: nothing):
        plan = plan_removal(deployed, [USER_ID], lambda *_: None, lambda _: None)
        forget(deployed, plan, lambda *_: None, delete_audiences=False)
    searched = search.measure(recordings).requests
    logs = searched.pop("log", 0)
    return Outcome(account.calls, searched, logs, reading_everything(recordings))


def reading_everything(recordings: int) -> int:
    """The peer's requests: three listings of everything, and a request for each version that it reads."""
    listed = read = 0
    for folder in folders(recordings):
        versions = folder.objects * folder.versions
        listed += versions
        if folder.bucket == "access-logs":
            continue
        category = category_of(BUCKETS, folder.bucket, folder.key(0))
        # The proof reads everything; before it, plans and records, then all that may name several patients.
        read += versions * (2 if category.kind in ("records", "batch files", "lists of documents", "seeds") else 1)
    return 3 * listed // 1_000 + read


def rows(recordings: int = RECORDINGS) -> Iterator[Row]:
    yield row(recordings, measure(recordings))


def row(recordings: int, outcome: Outcome) -> Row:
    return Row(
        "20",
        f"forgetting a patient after {recordings:,} recordings: requests, without one for each of S3's access logs; "
        "peer: reading everything",
        f"{outcome.requests:,} ({outcome.command.total():,} of the command)",
        f"{outcome.peer:,}",
        f"{outcome.requests / outcome.peer:.4f}",
        "",
        f"<= {GOAL:,}",
        outcome.requests <= GOAL,
    )


def main() -> None:
    recordings = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDINGS
    outcome = measure(recordings)
    print(f"command: {dict(outcome.command)}")
    print(f"search: {dict(outcome.search)}; access logs: {outcome.logs:,}; peer: {outcome.peer:,}")
    print(as_table([row(recordings, outcome)]))


if __name__ == "__main__":
    main()
