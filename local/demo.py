"""The demonstration: drops recordings into the local AWS's media bucket, watches them, and shows the results."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from lambdas.shared.layout import MEDIA, SUPPRESSION_LIST
from lambdas.shared.uris import parse_uri, uri_of
from local.pipeline import ENVIRONMENT, PROJECT, start_pipeline
from local.report import print_cost, print_results, transitions
from local.results import Results, copy_results
from operations.deployed import Deployed, find
from operations.errors import OperationError
from operations.executions import Execution
from operations.following import Interrupted, Screen, follow_uploads
from operations.recordings import Recording, upload
from operations.recordings import recordings as find_recordings

OUT = PROJECT / "out"
SAMPLES = PROJECT / "samples"
# The demonstration shows that a suppressed patient stays out although the recording has consent.
SUPPRESSED = "p-009"
PATIENCE_SECONDS = 1800
MOST_RECORDINGS = 500


class Media(NamedTuple):
    """The recordings to drop, by whether their patients consent to audiences."""

    consenting: list[Recording]
    others: list[Recording]

    @property
    def all(self) -> list[Recording]:
        return [*self.consenting, *self.others]


class DemoError(OperationError):
    """The demonstration can't run, or a result is missing."""


def run(media: Path | None, consent: bool, console: Console) -> None:
    """Run the demonstration with the samples, or with a file or a folder of `<user_id>/<file>`.

    Raises:
        DemoError: an execution did not succeed, or a result is missing.
        local.deployment.DeploymentError: the stack can't be deployed.
    """
    recordings = samples() if media is None else own_media(media, consent)
    console.print("Synthesizing the stack, starting the local AWS, deploying …")
    begun = time.monotonic()
    pipeline = start_pipeline()
    try:
        deployed = find(ENVIRONMENT, pipeline.aws.endpoint)
        console.print(f"Deployed in {time.monotonic() - begun:.1f} s. Dropping {len(recordings.all)} recordings into")
        console.print(f"  {uri_of(deployed.media, MEDIA)}\n", highlight=False)
        if media is None:
            body = f"{SUPPRESSED}\n".encode()
            deployed.client("s3").put_object(Bucket=deployed.audience, Key=SUPPRESSION_LIST, Body=body)
        dropped = time.monotonic()
        executions = drop_and_follow(deployed, recordings, console)
        processed = time.monotonic() - dropped
        shutil.rmtree(OUT, ignore_errors=True)
        results = copy_results(pipeline, [execution.name for execution in executions], OUT)
        print_results(results, console)
        print_cost(results, transitions(deployed.client("stepfunctions"), deployed.state_machine_arn), console)
        check(results, recordings.all)
        console.print(f"\nWall time: {processed:.1f} s for the batch, {time.monotonic() - begun:.1f} s in all.")
    finally:
        pipeline.aws.stop()


def samples() -> Media:
    media = Media([], [])
    for item in json.loads((SAMPLES / "recordings.json").read_text()):
        user_id, file = item["user_id"], item["file"]
        recording = Recording(SAMPLES / "media" / user_id / file, f"{MEDIA}{user_id}/{file}")
        (media.consenting if item["audience_consent"] else media.others).append(recording)
    return media


def own_media(path: Path, consent: bool) -> Media:
    """The recording at `path`, for a patient `demo`, or those in the folder, for the patients that its folders name."""
    found = find_recordings([path], "demo" if path.is_file() else None)
    if len(found) > MOST_RECORDINGS:
        raise DemoError(f"{path} holds {len(found)} files; the demonstration takes {MOST_RECORDINGS}.")
    return Media(found, []) if consent else Media([], found)


def drop_and_follow(deployed: Deployed, media: Media, console: Console) -> list[Execution]:
    """Upload the recordings, and show the executions until every recording is in one and all have ended.

    Raises:
        DemoError: an execution has failed.
    """
    for found, consent in ((media.consenting, True), (media.others, False)):
        list(upload(deployed, found, consent=consent))
    uris = [uri_of(deployed.media, recording.key) for recording in media.all]
    try:
        executions = follow_uploads(deployed, uris, frozenset(), Screen(console), PATIENCE_SECONDS)
    except Interrupted as interrupted:
        raise interrupted.reason from None
    for execution in executions:
        if execution.status != "SUCCEEDED":
            raise DemoError(why(execution))
    return executions


def why(execution: Execution) -> str:
    """The execution's failures, or those of the Map's children."""
    return "\n".join([f"{execution.arn} is {execution.status}.", *(f"  {failure}" for failure in execution.failures)])


def check(results: Results, recordings: Sequence[Recording]) -> None:
    """Check that every recording has an outcome and every result exists.

    Raises:
        DemoError: an outcome or a result is missing.
    """
    outcomes = [parse_uri(item.uri)[1] for item in results.recordings]
    expected = [recording.key for recording in recordings]
    if sorted(outcomes) != sorted(expected):
        lost = set(expected) - set(outcomes)
        raise DemoError(f"{len(outcomes)} outcomes for {len(expected)} recordings; without one: {sorted(lost)}")
    promised = [
        results.folder / name for name in ("entities.jsonl", "rejected.jsonl", "audiences.json", "summary.json")
    ]
    promised += [item.transcript for item in results.recordings if item.transcript]
    if missing := [str(path) for path in promised if not path.is_file()]:
        raise DemoError(f"Result files are missing: {missing}")
