"""Whatever S3, EventBridge and SQS make of the events: every recording is worked on once, and none is forgotten."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lambdas import ingest, plan_batch
from lambdas.planning import other_executions
from lambdas.shared.layout import records_key
from lambdas.shared.object_items import read_object, record
from lambdas.shared.storage import read_json, s3
from tests.lambdas.conftest import create_ledger

MEDIA, CLINICAL = "media-bucket", "clinical-bucket"
KEYS = [f"media/p-{name}/a.wav" for name in "abc"]
ARN = "arn:aws:states:us-east-1:123456789012:execution:pipeline:"


class StateMachine:
    """Step Functions as far as names go: one execution per name, planned when it starts, and running until `end`.

    `finished` counts how often each recording was brought to its end.
    """

    class exceptions:
        class ExecutionAlreadyExists(Exception):
            pass

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}
        self.plans: dict[str, dict[str, Any]] = {}
        self.finished: Counter[str] = Counter()

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:
        if name in self.statuses:
            raise self.exceptions.ExecutionAlreadyExists
        self.statuses[name] = "RUNNING"
        event = {
            "request": json.loads(input),
            "execution_name": name,
            "execution_arn": f"{ARN}{name}",
            "redrive_count": 0,
            "retry_count": 0,
        }
        prefix = plan_batch.handler(event, None)["batch"]["prefix"]
        self.plans[name] = read_json(CLINICAL, prefix + "plan.json")

    def end(self, how: str) -> None:
        """The running executions end: SUCCEEDED with what they planned, or FAILED before any of it."""
        for name in [name for name, status in self.statuses.items() if status == "RUNNING"]:
            self.statuses[name] = how
            if how == "SUCCEEDED":
                self.finish(name)

    def finish(self, name: str) -> None:
        for item in self.plans[name]["recordings"]:
            if not item["reused"]:
                self.finished[item["uri"]] += 1
                object_id, transcript_id = item["object_id"], item["transcript_id"]
                metadata = {"transcript-id": transcript_id}
                s3.put_object(Bucket=CLINICAL, Key=records_key(object_id), Metadata=metadata)
                record(object_id, read_object(object_id), transcript_id, name, None)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[int], list[list[tuple[int, int]]], list[str]]:
    """How often each key is uploaded, the queue batches of (key, upload) events, and what becomes of work after each.

    Every event is delivered at least once, some more often, in any order, over any number of batches.
    """
    uploads = [draw(st.integers(1, 2)) for _ in KEYS]
    events = [(key, upload) for key, number in enumerate(uploads) for upload in range(number)]
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    order = draw(st.permutations(events + again))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=3)))
    batches = [order[first:last] for first, last in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    return uploads, batches, [draw(st.sampled_from(["RUNNING", "SUCCEEDED", "FAILED"])) for _ in batches]


@settings(max_examples=20, deadline=None)
@given(delivery=deliveries())
def test_whatever_becomes_of_the_events_every_current_version_is_worked_on_once(
    delivery: tuple[list[int], list[list[tuple[int, int]]], list[str]],
) -> None:
    uploads, batches, ends = delivery
    machine = StateMachine()
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "stepfunctions", machine)
        patch.setattr(other_executions, "_status", lambda arn: machine.statuses[arn.rpartition(":")[2]])
        create_ledger()
        for bucket in (MEDIA, CLINICAL):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=MEDIA, VersioningConfiguration={"Status": "Enabled"})
        versions = {
            (key, upload): s3.put_object(Bucket=MEDIA, Key=KEYS[key], Body=b"sound")["VersionId"]
            for key, number in enumerate(uploads)
            for upload in range(number)
        }
        for batch, how in zip(batches, ends, strict=True):
            records = [
                {"messageId": str(number), "body": json.dumps({"detail": detail(KEYS[key], versions[key, upload])})}
                for number, (key, upload) in enumerate(batch)
            ]
            assert ingest.handler({"Records": records}, None) == {"batchItemFailures": []}
            machine.end(how)
        machine.end("SUCCEEDED")
        everything = {f"s3://{MEDIA}/{key}": 1 for key in KEYS}
        assert machine.finished == everything or "FAILED" in ends
        # What the operator starts by hand after a failure.
        machine.start_execution("", name="by-hand", input=json.dumps({"prefix": f"s3://{MEDIA}/media/"}))
        machine.end("SUCCEEDED")
        assert machine.finished == everything
    for plan in machine.plans.values():
        for item in plan["elsewhere"]:
            assert item["execution_name"] in machine.plans


def detail(key: str, version: str) -> dict[str, Any]:
    return {"bucket": {"name": MEDIA}, "object": {"key": key, "etag": "e", "version-id": version}}
