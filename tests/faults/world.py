"""A running pipeline that cases of the fault matrix share: each has people, recordings and a seed of its own."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from local.pipeline import Pipeline, start_pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models
from tests.statemachine.assembly import local_assembly
from tests.statemachine.conftest import PEOPLE_KEYS, Engines, Run

KNOWN_TO_THE_MODEL = 30
PATIENCE_SECONDS = 300


class Dropped(NamedTuple):
    """A case's recordings by what is said in them, and by no other case; the second one's patient didn't consent."""

    texts: dict[str, str]
    users: tuple[str, str]
    suppressed: str


class World:
    def __init__(self, run: Run) -> None:
        self.run = run
        self._numbers = itertools.count(1)
        self._suppressed: list[str] = []
        self._known = [f"p-{number:03}" for number in range(1, KNOWN_TO_THE_MODEL + 1)]

    def drop(self) -> Dropped:
        """Two recordings into the bucket, after somebody has withdrawn, so that an audience is due."""
        dropped = self.next_drop()
        self.upload(dropped)
        return dropped

    def next_drop(self) -> Dropped:
        """What the next drop will be, which tells its recordings apart from all others before they are there."""
        number = next(self._numbers)
        self._suppressed.append(f"leaver-{number}")
        # All records are read anew each time, so that the calls of a rebuild are among those of a drop. The person who
        # leaves now was in the last seed, and the next one to leave is in this one.
        self.run.remember([*self._known, self._suppressed[-1], f"leaver-{number + 1}"])
        users = (f"case-{number}-a", f"case-{number}-b")
        bucket = self.run.pipeline.media_bucket
        texts = {f"s3://{bucket}/media/{user}/visit.wav": f"Patient {user} has hypertension." for user in users}
        return Dropped(texts, users, self._suppressed[-1])

    def upload(self, dropped: Dropped) -> None:
        self.run.s3.put_object(
            Bucket=self.run.pipeline.audience_bucket,
            Key="suppression/user_ids.txt",
            Body="\n".join(self._suppressed).encode(),
        )
        for (uri, text), consent in zip(dropped.texts.items(), (True, False), strict=True):
            self.run.drop(uri.split("/", 3)[3], self.run.engines.recording(text), consent=consent)

    def executions(self, dropped: Dropped) -> list[dict[str, Any]]:
        """The executions that the drop has started; fewer than there will be while the queue is at it."""
        found = self.run.stepfunctions.list_executions(
            stateMachineArn=self.run.pipeline.state_machine_arn, maxResults=20
        )
        arns = [item["executionArn"] for item in found["executions"]]
        return [
            self.run.stepfunctions.describe_execution(executionArn=arn)
            for arn in arns
            if self.run.media_of(arn) & set(dropped.texts)
        ]

    def settled(self, dropped: Dropped, meanwhile: Callable[[], None] = lambda: None) -> list[dict[str, Any]]:
        """The drop's executions, once all of its recordings are in one that has ended."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            meanwhile()
            executions = self.executions(dropped)
            taken = {uri for item in executions for uri in self.run.media_of(item["executionArn"])}
            if taken >= set(dropped.texts) and all(item["status"] != "RUNNING" for item in executions):
                return executions
            time.sleep(0.05)
        return self.executions(dropped)

    def forget(self) -> None:
        """Take a case's people out of the records, which every later case reads."""
        bucket = self.run.pipeline.clinical_bucket
        for item in self.run.s3.list_objects_v2(Bucket=bucket, Prefix="records/").get("Contents", ()):
            if item["Key"] not in PEOPLE_KEYS:
                self.run.s3.delete_object(Bucket=bucket, Key=item["Key"])


def leave_retries_to_the_state_machine(pipeline: Pipeline) -> None:
    """The SDK's would take real seconds each, and keep most faults from reaching anything else."""
    functions = pipeline.aws.client("lambda")
    for function in functions.list_functions()["Functions"]:
        variables = function["Environment"]["Variables"] | {"AWS_MAX_ATTEMPTS": "1"}
        name = function["FunctionName"]
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


@contextmanager
def world() -> Iterator[World]:
    """A pipeline with instant engines."""
    engines = Engines()
    with pytest.MonkeyPatch.context() as patch:
        pipeline = start_pipeline(local_assembly(), time_scale=0.002, longest_wait=0.05)
        leave_retries_to_the_state_machine(pipeline)
        patch.setattr(transcription_models, "engine", engines.transcribe)
        patch.setattr(entity_jobs, "engine", engines.detect)
        try:
            yield World(Run(pipeline, engines))
        finally:
            pipeline.aws.stop()
