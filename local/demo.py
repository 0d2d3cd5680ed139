"""The demonstration: drop recordings into the media bucket of the local AWS, watch, and show what comes out."""

import json
import mimetypes
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.live import Live

from lambdas.shared.layout import SUPPRESSION_LIST
from local.pipeline import ENVIRONMENT, PROJECT, Pipeline, start_pipeline
from local.progress import Progress, as_table, print_changes, read_progress, transitions
from local.report import print_cost, print_results
from local.results import Results, copy_results
from operations.deployed import find
from operations.errors import OperationError
from operations.executions import arn_of, look

OUT = PROJECT / "out"
SAMPLES = PROJECT / "samples"
# The demonstration shows that a suppressed patient stays out although the recording has consent.
SUPPRESSED = "p-009"
PATIENCE_SECONDS = 1800
MOST_RECORDINGS = 500


class Media(NamedTuple):
    user_id: str
    file: str
    path: Path
    audience_consent: bool


class DemoError(OperationError):
    """The demonstration can't be given, or didn't end as promised."""


def run(media: Path | None, consent: bool, console: Console) -> None:
    """Run the demonstration with the samples, or with a file or a folder of `<user_id>/<file>`.

    Raises:
        DemoError: an execution did not succeed, or something promised is missing.
        local.deployment.DeploymentError: the stack can't be deployed.
    """
    recordings = samples() if media is None else own_media(media, consent)
    console.print("Synthesizing the stack, starting the local AWS, deploying …")
    begun = time.monotonic()
    pipeline = start_pipeline()
    try:
        console.print(f"Deployed in {time.monotonic() - begun:.1f} s. Dropping {len(recordings)} recordings into")
        console.print(f"  s3://{pipeline.media_bucket}/media/\n", highlight=False)
        if media is None:
            pipeline.aws.client("s3").put_object(
                Bucket=pipeline.audience_bucket, Key=SUPPRESSION_LIST, Body=f"{SUPPRESSED}\n".encode()
            )
        dropped = time.monotonic()
        drop(pipeline, recordings)
        executions = watch(pipeline, len(recordings), console)
        processed = time.monotonic() - dropped
        shutil.rmtree(OUT, ignore_errors=True)
        results = copy_results(pipeline, [execution.name for execution in executions], OUT)
        print_results(results, console)
        print_cost(results, transitions(pipeline.aws.client("stepfunctions"), pipeline.state_machine_arn), console)
        check(results, recordings)
        console.print(f"\nWall time: {processed:.1f} s for the batch, {time.monotonic() - begun:.1f} s in all.")
    finally:
        pipeline.aws.stop()


def samples() -> list[Media]:
    return [
        Media(
            item["user_id"],
            item["file"],
            SAMPLES / "media" / item["user_id"] / item["file"],
            bool(item["audience_consent"]),
        )
        for item in json.loads((SAMPLES / "recordings.json").read_text())
    ]


def own_media(path: Path, consent: bool) -> list[Media]:
    """The recording at `path`, as of a patient `demo`, or those in the folder, as of the patients its folders name."""
    if path.is_file():
        return [Media("demo", path.name, path, consent)]
    if not path.is_dir():
        raise DemoError(f"MEDIA={path} is neither a file nor a folder.")
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and not hidden(file.relative_to(path))]
    usage = "put each patient's recordings, and nothing else, into a folder of its own"
    if stray := [file.name for file in files if file.parent == path]:
        raise DemoError(f"MEDIA={path} holds {stray[0]!r}, which is in no patient's folder; {usage}.")
    if not files:
        raise DemoError(f"MEDIA={path} holds no <user_id>/<file>; {usage}.")
    if len(files) > MOST_RECORDINGS:
        raise DemoError(f"MEDIA={path} holds {len(files)} files; the demonstration takes {MOST_RECORDINGS}.")
    recordings = []
    for file in files:
        user_id, name = file.relative_to(path).as_posix().split("/", 1)
        recordings.append(Media(user_id, name, file, consent))
    return recordings


def hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def drop(pipeline: Pipeline, recordings: list[Media]) -> None:
    s3 = pipeline.aws.client("s3")

    def put(item: Media) -> None:
        s3.put_object(
            Bucket=pipeline.media_bucket,
            Key=f"media/{item.user_id}/{item.file}",
            Body=item.path.read_bytes(),
            ContentType=mimetypes.guess_type(item.file)[0] or "application/octet-stream",
            Metadata={"audience-consent": "true"} if item.audience_consent else {},
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, recordings))


def watch(pipeline: Pipeline, expected: int, console: Console) -> list[Progress]:
    """Show the executions until they have taken up all recordings and ended; return them in the order they started."""
    stepfunctions = pipeline.aws.client("stepfunctions")
    deadline = time.monotonic() + PATIENCE_SECONDS
    progress: list[Progress] = []
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while time.monotonic() < deadline:
            listed = stepfunctions.list_executions(stateMachineArn=pipeline.state_machine_arn)["executions"]
            listed = sorted(listed, key=lambda item: str(item["startDate"]))
            now = [read_progress(stepfunctions, item["executionArn"]) for item in listed]
            received = sum(execution.output["received"] for execution in now if execution.output)
            if console.is_terminal:
                live.update(as_table(now, 0 if now else expected))
            else:
                print_changes(console, progress, now)
            progress = now
            if failed := [execution for execution in now if execution.status not in ("RUNNING", "SUCCEEDED")]:
                raise DemoError(why(pipeline, failed[0].name))
            if received >= expected and all(execution.status == "SUCCEEDED" for execution in now):
                return progress
            time.sleep(0.5)
    raise DemoError(f"After {PATIENCE_SECONDS} s the executions have taken up {received} of {expected} recordings.")


def why(pipeline: Pipeline, name: str) -> str:
    """What failed, down to the recording's own execution if that was it."""
    deployed = find(ENVIRONMENT, pipeline.aws.endpoint)
    found = look(deployed, arn_of(deployed, name))
    return "\n".join([f"{found.arn} is {found.status}.", *(f"  {failure}" for failure in found.failures)])


def check(results: Results, recordings: list[Media]) -> None:
    """Nothing promised may be missing.

    Raises:
        DemoError: naming what is.
    """
    outcomes = [item.uri.split("/", 3)[3] for item in results.recordings]
    expected = [f"media/{item.user_id}/{item.file}" for item in recordings]
    if sorted(outcomes) != sorted(expected):
        lost = set(expected) - set(outcomes)
        raise DemoError(f"{len(outcomes)} outcomes for {len(expected)} recordings; without one: {sorted(lost)}")
    promised = [
        results.folder / name for name in ("entities.jsonl", "rejected.jsonl", "audiences.json", "summary.json")
    ]
    promised += [item.transcript for item in results.recordings if item.transcript]
    if missing := [str(path) for path in promised if not path.is_file()]:
        raise DemoError(f"Promised files are missing: {missing}")
