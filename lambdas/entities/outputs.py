"""What an entity detection job has left in S3: its manifest, why documents were left out, and their outputs.

Facts: Comprehend Medical guide, "Batch operations": one `<document>.out` per document, a manifest, and lists of the
documents that succeeded and that did not. The manifest is believed only as far as the files bear it out.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lambdas.entities.detected import Output, read_output
from lambdas.shared.errors import IncompleteOutput
from lambdas.shared.recording_files import MissingFile, UnreadableFile, read_file, understanding
from lambdas.shared.state import EntityOutput, IndexLine
from lambdas.shared.storage import find_head, find_json, list_keys
from lambdas.shared.uris import parse_uri


class JobOutput(NamedTuple):
    """Where the outputs are, how many the manifest counts, and the service's reasons by document left out."""

    bucket: str
    prefix: str
    counted: int
    reasons: Mapping[str, str]


class DocumentOutputs(NamedTuple):
    """Of some documents: their outputs, and why others have none that can be used."""

    outputs: dict[str, Output]
    missing: dict[str, str]


def job_output(bucket: str, result: EntityOutput) -> JobOutput:
    """The output of the job that ended with `result`.

    Raises:
        IncompleteOutput: the manifest is gone or isn't one, or none of the outputs that it counts is there.
    """
    _, prefix = parse_uri(result["output_uri"])
    key = within(prefix, result["manifest_path"])
    try:
        manifest = find_json(bucket, key)
        if manifest is None:
            raise _incomplete(bucket, key, "is not there")
        summary = manifest["Summary"]
        counted = int(summary.get("SuccessFilesCount", 0))
        location = summary.get("UnprocessedFilesListLocation") if summary.get("UnprocessedFilesCount") else None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _incomplete(bucket, key, "isn't a manifest of Comprehend Medical") from None
    if counted and not finished_documents(bucket, result):
        raise _incomplete(bucket, prefix, f"has no output, and its manifest counts {counted}")
    reasons = _reasons(bucket, within(prefix, location)) if isinstance(location, str) else {}
    return JobOutput(bucket, prefix, counted, reasons)


def _incomplete(bucket: str, key: str, how: str) -> IncompleteOutput:
    return IncompleteOutput(
        f's3://{bucket}/{key} {how}. If the job\'s output has expired, start a new execution with "reprocess": true.'
    )


def finished_documents(bucket: str, result: EntityOutput) -> set[str] | None:
    """The documents of which the job that ended with `result` has left an output.

    None if its manifest is gone: then all of its output may have expired, and what that said isn't known any more.
    """
    _, prefix = parse_uri(result["output_uri"])
    if find_head(bucket, within(prefix, result["manifest_path"])) is None:
        return None
    keys = list_keys(bucket, prefix)
    return {key.removeprefix(prefix).removesuffix(".out") for key in keys if key.endswith(".out")}


def within(prefix: str, path: str) -> str:
    """The key of a file that Describe or the manifest names: as a URI, a full key, or from the output directory on."""
    if path.startswith("s3://"):
        return parse_uri(path)[1]
    if path.startswith(prefix):
        return path
    # AWS's example shows `<output directory>/Manifest` without the prefix above the directory.
    directory = prefix.rstrip("/").rpartition("/")[2] + "/"
    return prefix + path.removeprefix(directory)


def _reasons(bucket: str, key: str) -> dict[str, str]:
    """Document -> why it was left out; nothing if the list can't be read, since it decides nothing.

    The list is JSON today and was one bare key per line in 2022.
    """
    try:
        with understanding(bucket, key):
            text = read_file(bucket, key).decode()
            try:
                files = json.loads(text)["Files"]
            except ValueError:
                return {line.rpartition("/")[2]: "no error was given" for line in text.splitlines() if line}
            return {file["Input"].rpartition("/")[2]: f"{file['ErrorCode']}: {file['ErrorMessage']}" for file in files}
    except UnreadableFile:
        return {}


def read_outputs(jobs: Mapping[str, JobOutput], documents: Iterable[IndexLine]) -> DocumentOutputs:
    """The outputs of one recording's documents, by document. One that can't be read is missing, with its reason.

    `jobs` has the outputs of the jobs that the documents name.
    """
    outputs: dict[str, Output] = {}
    missing: dict[str, str] = {}
    for document in documents:
        name, job = document["document"], jobs.get(document["job"] or "")
        if job is None:
            missing[name] = "no job has looked at it"
            continue
        key = f"{job.prefix}{name}.out"
        try:
            with understanding(job.bucket, key):
                outputs[name] = read_output(read_file(job.bucket, key))
        except MissingFile:
            missing[name] = job.reasons.get(name, "no output and no error was written")
        except UnreadableFile as unreadable:
            missing[name] = str(unreadable)
    return DocumentOutputs(outputs, missing)
