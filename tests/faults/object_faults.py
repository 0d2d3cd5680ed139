"""What may happen to one object x the calls before which it may happen, each run to its end.

The object is a recording, or a file that is about one recording. It really is archived, encrypted otherwise, deleted,
replaced or spoiled at that moment. Every other recording has to come out, and where the fault can be repaired, a new
execution has to take the recording up.
"""

import re
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import pytest
from moto.s3.models import s3_backends

from lambdas.shared.identity import digest
from local.aws.credentials import ACCOUNT_ID, OPERATOR_ACCESS_KEY_ID
from local.aws.faults import SeenCall
from local.aws.s3_archives import archive
from tests.faults.invariants import outcomes, records, seeds, summary_of
from tests.faults.matrix import Verdict, recovered, unsuccessful
from tests.faults.world import Dropped, World

File = Literal["recording", "transcript", "output", "records", "rejection", "job record"]
RecordingFault = Literal[
    "archived", "archived in a tier", "under another key", "under a customer's key", "deleted", "replaced"
]
StoredFault = Literal["archived", "under another key", "deleted", "not UTF-8", "cut short", "of another shape"]
ObjectFault = RecordingFault | StoredFault

SERVICE = "the service"
# Where each file is, by the ids of its recording. An output's name is that of its document.
FRAGMENTS: dict[File, str] = {
    "recording": "{key}",
    "transcript": "transcripts/{media_id}-",
    "output": "/{media_id}-[0-9a-f]+-[0-9a-f]+-0000.txt.out",
    "records": "records/{object_id}.jsonl",
    "rejection": "rejections/{media_id}.json",
    "job record": "{media_id}-[0-9a-f]+-1.json",
}


class Call(NamedTuple):
    """A call about one `file`, and who makes it."""

    caller: str
    service: str
    operation: str
    file: File = "recording"


# All of a first run that find something there. A head of records or of a transcript finds none then.
CALLS = (
    Call("plan_batch", "s3", "HeadObject"),
    Call("start_transcription", "s3", "HeadObject"),
    Call("start_transcription", "s3", "GetObject"),
    Call("start_transcription", "transcribe", "StartMedicalTranscriptionJob"),
    Call(SERVICE, "s3", "GetObject"),
    Call("prepare_documents", "s3", "HeadObject"),
    Call("prepare_documents", "s3", "GetObject", "transcript"),
    Call("collect_entities", "s3", "GetObject", "output"),
    Call("collect_entities", "s3", "GetObject", "transcript"),
    Call("index_records", "s3", "GetObject", "records"),
    Call("summarize_batch", "s3", "GetObject", "rejection"),
    Call("summarize_batch", "s3", "GetObject", "job record"),
)
REPAIRABLE: tuple[ObjectFault, ...] = ("archived", "archived in a tier", "under another key")
# A recording is rejected for what happens to these; of the others, it is only told, or they are made again.
DECISIVE: tuple[File, ...] = ("recording", "transcript", "output", "rejection")


class ObjectCase(NamedTuple):
    """`fault` happens to the file of one recording right before the call is first made about it."""

    call: Call
    fault: ObjectFault

    def __str__(self) -> str:
        call = self.call
        return f"one {call.file} is {self.fault} before {call.caller} {call.service}:{call.operation}"


def object_cases() -> Iterator[ObjectCase]:
    for call in CALLS:
        faults: tuple[ObjectFault, ...] = get_args(RecordingFault if call.file == "recording" else StoredFault)
        for fault in faults:
            # The service reads whichever version is the current one when its job begins; the new version's own
            # execution then does it once more.
            if fault != "replaced" or (call.service == "s3" and call.caller != SERVICE):
                yield ObjectCase(call, fault)


class Victim:
    """A file of the case's first recording, which can be spoiled and repaired."""

    def __init__(self, world: World, dropped: Dropped, file: File) -> None:
        self._world, self._file = world, file
        self.uri, self._text = next(iter(dropped.texts.items()))
        self._media, self.key = self.uri.removeprefix("s3://").split("/", 1)
        self._bucket = self._media if file == "recording" else world.run.pipeline.clinical_bucket
        self._own_key: str | None = None

    def _keys(self, bucket: str) -> Any:
        return s3_backends[ACCOUNT_ID]["aws"].buckets[bucket].keys

    @cached_property
    def _media_id(self) -> str:
        return digest(self._media, self.key, self._keys(self._media)[self.key].version_id)

    def be_rejected(self) -> None:
        """The recording is deleted, so that there will be a rejection."""
        assert self._media_id
        self._world.run.s3.delete_object(Bucket=self._media, Key=self.key)

    def fragment(self, file: File) -> str:
        """A regular expression for the place of a file of the recording, which has been uploaded."""
        object_id = digest(self._media, self.key)
        return FRAGMENTS[file].format(key=re.escape(self.key), media_id=self._media_id, object_id=object_id)

    def _stored(self) -> Any:
        found = re.compile(self.fragment(self._file))
        keys = self._keys(self._bucket)
        return next(keys[key] for key in keys if found.search(key))

    def spoil(self, fault: ObjectFault) -> None:
        stored = self._stored()
        location = {"Bucket": self._bucket, "Key": stored.name}
        if fault == "archived":
            archive(self._bucket, stored.name, "GLACIER")
        elif fault == "archived in a tier":
            archive(self._bucket, stored.name, "DEEP_ARCHIVE_ACCESS")
        elif fault == "under another key":
            self._own_key = stored.kms_key_id
            created = self._world.run.pipeline.aws.client("kms").create_key()
            stored.kms_key_id = created["KeyMetadata"]["Arn"]
        elif fault == "deleted":
            self._world.run.s3.delete_object(**location)
        elif fault in ("replaced", "under a customer's key"):
            theirs = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
            more = theirs if fault == "under a customer's key" else {}
            with self._world.run.before_the_policy(self._bucket):
                self._world.run.s3.put_object(**location, Body=self._world.run.engines.recording(self._text), **more)
        else:
            spoiled = {"not UTF-8": b"\xff\xfe", "cut short": stored.value[: len(stored.value) // 2]}
            self._world.run.s3.put_object(**location, Body=spoiled.get(fault, b"[5]"), Metadata=dict(stored.metadata))

    def repair(self, fault: ObjectFault) -> None:
        stored = self._stored()
        if fault == "under another key":
            stored.kms_key_id = self._own_key
        else:
            days = {"Days": 1} if fault == "archived" else {}
            self._world.run.s3.restore_object(Bucket=self._bucket, Key=stored.name, RestoreRequest=days)


def run_object_case(world: World, case: ObjectCase) -> Verdict:
    """Drop recordings, spoil a file of one at the case's call, do as the operator does, and look at what came of it."""
    begun, faults, file = time.monotonic(), world.run.pipeline.aws.faults, case.call.file
    meet = faults.meet
    met: list[ObjectFault] = []

    def spoiling(call: SeenCall, text: Callable[[], str]) -> Any:
        if file == "rejection" and not met and is_the_call(CALLS[1], call) and victim.key in text():
            victim.be_rejected()
            met.append("deleted")
        if len(met) == (file == "rejection") and is_the_call(case.call, call) and is_about(victim, file, text()):
            met.append(case.fault)
            victim.spoil(case.fault)
        return meet(call, text)

    with pytest.MonkeyPatch.context() as patch:
        dropped = world.next_drop()
        victim = Victim(world, dropped, file)
        patch.setattr(faults, "meet", spoiling)
        patch.setattr(faults, "recording", True)
        world.upload(dropped)
        outcome, executions = recovered(world, dropped, world.settled(dropped), "redrive")
    faults.clear()
    problems = unsuccessful(world, executions, "redrive") + broken(world, dropped, executions, case)
    if met[-1:] != [case.fault]:
        problems.append("the call was never made")
    if file != "recording" and outcome != "survived alone":
        problems.append("an execution has failed")
    # A rejection is nothing that a later execution reads.
    if case.fault in REPAIRABLE and file != "rejection" and not problems:
        victim.repair(case.fault)
        again = world.run.summary(world.run.start(media=list(dropped.texts)))
        problems += [f"{item['uri']} is rejected after its repair: {item['reason']}" for item in again["rejected"]]
        if again["unreadable_records"]["count"]:
            problems.append(f"records can't be read after their repair: {again['unreadable_records']['first']}")
    world.forget()
    return Verdict(str(case), "lost" if problems else outcome, problems, time.monotonic() - begun)


def is_the_call(wanted: Call, call: SeenCall) -> bool:
    if (call.service, call.operation) != (wanted.service, wanted.operation):
        return False
    of_a_function = call.caller.startswith("clinical-media-local-")
    if wanted.caller == SERVICE:
        return not of_a_function and call.caller != OPERATOR_ACCESS_KEY_ID
    return call.caller.endswith(wanted.caller)


def is_about(victim: Victim, file: File, text: str) -> bool:
    return re.search(victim.fragment(file), text) is not None


def broken(world: World, dropped: Dropped, executions: list[dict[str, Any]], case: ObjectCase) -> list[str]:
    """What isn't as it must be, a sentence each; none if at most the spoiled recording was rejected."""
    summaries = [summary_of(world, execution) for execution in executions if execution["status"] == "SUCCEEDED"]
    rejected = {item["uri"] for summary in summaries for item in summary["rejected"]}
    uri, file = next(iter(dropped.texts)), case.call.file
    if file not in DECISIVE:
        yet = [f"{uri} was rejected, though only its {file} was {case.fault}"] if uri in rejected else []
    elif file != "recording" and uri not in rejected:
        yet = [f"{uri} was not rejected, though its {file} was {case.fault}"]
    else:
        yet = []
    unreadable = sum(summary["unreadable_records"]["count"] for summary in summaries)
    if unreadable != (file == "records" and case.fault != "deleted"):
        yet.append(f"{unreadable} files of records are said to be unreadable")
    spoiled = {uri} if file == "records" else set()
    return [
        *yet,
        *(f"{other} was rejected for another one's fault" for other in rejected - {uri}),
        *outcomes(dropped, summaries, rejected),
        *records(world, dropped, summaries, rejected | spoiled),
        *seeds(world, dropped, summaries),
    ]
