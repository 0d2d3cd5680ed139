"""What may happen to one recording's object x the calls before which it may happen, each run to its end.

The object really is archived, encrypted otherwise, deleted or replaced at that moment. Every other recording has to
come out, and where the fault can be repaired, a new execution has to take the recording up.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, get_args

import pytest
from moto.s3.models import s3_backends

from local.aws.credentials import ACCOUNT_ID, OPERATOR_ACCESS_KEY_ID
from local.aws.faults import SeenCall
from local.aws.s3_archives import archive
from tests.faults.invariants import outcomes, records, seeds, summary_of
from tests.faults.matrix import Verdict, recovered, unsuccessful
from tests.faults.world import Dropped, World

ObjectFault = Literal[
    "archived", "archived in a tier", "under another key", "under a customer's key", "deleted", "replaced"
]

SERVICE = "the service"
# Who makes the call, and the call: all that are about one recording before its transcript is there.
CALLS = (
    ("plan_batch", "s3", "HeadObject"),
    ("start_transcription", "s3", "HeadObject"),
    ("start_transcription", "s3", "GetObject"),
    ("start_transcription", "transcribe", "StartMedicalTranscriptionJob"),
    (SERVICE, "s3", "GetObject"),
)
FAULTS: tuple[ObjectFault, ...] = get_args(ObjectFault)
REPAIRABLE: tuple[ObjectFault, ...] = ("archived", "archived in a tier", "under another key")


class ObjectCase(NamedTuple):
    """`fault` happens to one recording right before `caller` first makes the call about it."""

    caller: str
    service: str
    operation: str
    fault: ObjectFault

    def __str__(self) -> str:
        return f"one recording is {self.fault} before {self.caller} {self.service}:{self.operation}"


def object_cases() -> Iterator[ObjectCase]:
    for caller, service, operation in CALLS:
        for fault in FAULTS:
            # The service reads whichever version is the current one when its job begins; the new version's own
            # execution then does it once more.
            if fault != "replaced" or (service == "s3" and caller != SERVICE):
                yield ObjectCase(caller, service, operation, fault)


class Victim:
    """The object of the case's first recording, which can be spoiled and repaired."""

    def __init__(self, world: World, dropped: Dropped) -> None:
        self._world = world
        self.uri, self._text = next(iter(dropped.texts.items()))
        self._bucket, self.key = self.uri.removeprefix("s3://").split("/", 1)
        self._own_key: str | None = None

    def _stored(self) -> Any:
        return s3_backends[ACCOUNT_ID]["aws"].buckets[self._bucket].keys[self.key]

    def spoil(self, fault: ObjectFault) -> None:
        s3, location = self._world.run.s3, {"Bucket": self._bucket, "Key": self.key}
        if fault == "archived":
            archive(self._bucket, self.key, "GLACIER")
        elif fault == "archived in a tier":
            archive(self._bucket, self.key, "DEEP_ARCHIVE_ACCESS")
        elif fault == "under another key":
            self._own_key = self._stored().kms_key_id
            created = self._world.run.pipeline.aws.client("kms").create_key()
            self._stored().kms_key_id = created["KeyMetadata"]["Arn"]
        elif fault == "deleted":
            s3.delete_object(**location)
        else:
            theirs = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
            more = theirs if fault == "under a customer's key" else {}
            with self._world.run.before_the_policy(self._bucket):
                s3.put_object(**location, Body=self._world.run.engines.recording(self._text), **more)

    def repair(self, fault: ObjectFault) -> None:
        if fault == "under another key":
            self._stored().kms_key_id = self._own_key
        else:
            days = {"Days": 1} if fault == "archived" else {}
            self._world.run.s3.restore_object(Bucket=self._bucket, Key=self.key, RestoreRequest=days)


def run_object_case(world: World, case: ObjectCase) -> Verdict:
    """Drop recordings, spoil one of them at the case's call, do what the operator does, and look at what came of it."""
    begun, faults, calls = time.monotonic(), world.run.pipeline.aws.faults, 0
    meet = faults.meet

    def spoiling(call: SeenCall, text: Callable[[], str]) -> Any:
        nonlocal calls
        if calls == 0 and is_the_call(case, call) and victim.key in text():
            calls = 1
            victim.spoil(case.fault)
        return meet(call, text)

    with pytest.MonkeyPatch.context() as patch:
        dropped = world.next_drop()
        victim = Victim(world, dropped)
        patch.setattr(faults, "meet", spoiling)
        patch.setattr(faults, "recording", True)
        world.upload(dropped)
        outcome, executions = recovered(world, dropped, world.settled(dropped), "redrive")
    faults.clear()
    problems = unsuccessful(world, executions, "redrive") + broken(world, dropped, executions)
    if not calls:
        problems.append("the call was never made")
    if case.fault in REPAIRABLE and not problems:
        victim.repair(case.fault)
        again = world.run.summary(world.run.start(media=list(dropped.texts)))
        problems += [f"{item['uri']} is rejected after its repair: {item['reason']}" for item in again["rejected"]]
    world.forget()
    return Verdict(str(case), "lost" if problems else outcome, problems, time.monotonic() - begun)


def is_the_call(case: ObjectCase, call: SeenCall) -> bool:
    if (call.service, call.operation) != (case.service, case.operation):
        return False
    of_a_function = call.caller.startswith("clinical-media-local-")
    if case.caller == SERVICE:
        return not of_a_function and call.caller != OPERATOR_ACCESS_KEY_ID
    return call.caller.endswith(case.caller)


def broken(world: World, dropped: Dropped, executions: list[dict[str, Any]]) -> list[str]:
    """What isn't as it must be, a sentence each; none if at most the spoiled recording was rejected."""
    summaries = [summary_of(world, execution) for execution in executions if execution["status"] == "SUCCEEDED"]
    rejected = {item["uri"] for summary in summaries for item in summary["rejected"]}
    return [
        *(f"{uri} was rejected for another one's fault" for uri in rejected - {next(iter(dropped.texts))}),
        *outcomes(dropped, summaries, rejected),
        *records(world, dropped, summaries, rejected),
        *seeds(world, dropped, summaries),
    ]
