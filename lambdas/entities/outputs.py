"""An entity detection job's files in S3: its manifest, the reasons for unprocessed documents, and the outputs.

Source: Comprehend Medical guide, "Batch operations": one `<document>.out` per document, a manifest, and lists of the
documents that succeeded and failed. The manifest is trusted only if the files confirm it.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lambdas.entities.detected import Output, read_output
from lambdas.entities.finished import within
from lambdas.shared.errors import IncompleteOutput
from lambdas.shared.recording_files import MissingFile, UnreadableFile, read_file, understanding
from lambdas.shared.state import EntityOutput, IndexLine
from lambdas.shared.storage import find_json, list_keys
from lambdas.shared.uris import parse_uri, uri_of


class JobOutput(NamedTuple):
    """The place of the outputs, the manifest's count of them, and the service's reasons by unprocessed document."""

    bucket: str
    prefix: str
    counted: int
    reasons: Mapping[str, str]


class DocumentOutputs(NamedTuple):
    """Outputs by document, and a reason for each document without a readable output."""

    outputs: dict[str, Output]
    missing: dict[str, str]


def job_output(bucket: str, result: EntityOutput) -> JobOutput:
    """The output of the job that ended with `result`.

    Raises:
        IncompleteOutput: the manifest is missing or invalid, or it counts outputs and there are none.
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
    # The listing ends at the first output: each child of CollectBatch asks, and a job may have 100,000 outputs.
    if counted and not any(listed.endswith(".out") for listed in list_keys(bucket, prefix)):
        raise _incomplete(bucket, prefix, f"has no output, but the manifest counts {counted}")
    reasons = _reasons(bucket, within(prefix, location)) if isinstance(location, str) else {}
    return JobOutput(bucket, prefix, counted, reasons)


def _incomplete(bucket: str, key: str, how: str) -> IncompleteOutput:
    return IncompleteOutput(
        f'{uri_of(bucket, key)} {how}. If the job\'s output has expired, start a new execution with "reprocess": true.'
    )


def _reasons(bucket: str, key: str) -> dict[str, str]:
    """Document -> the service's reason for not processing it; empty if the list can't be read, since it is optional.

    The list is JSON; in 2022 it was one key per line.
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
    """The outputs of one recording's documents; an unreadable output counts as missing.

    `jobs` has the outputs of the documents' jobs by base.
    """
    outputs: dict[str, Output] = {}
    missing: dict[str, str] = {}
    for document in documents:
        name, job = document["document"], jobs.get(document["job"] or "")
        if job is None:
            missing[name] = "no job has analysed it"
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
