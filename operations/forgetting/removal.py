"""Removes patients: first the objects that are theirs alone, then their parts of objects that name others too."""

import json
import re
from collections.abc import Callable, Iterable, Set
from itertools import groupby
from typing import Any

from lambdas.analysis import parquet
from lambdas.searching.traces import Traces
from lambdas.searching.versions import Version, list_versions, read
from lambdas.shared.layout import seed_pointer_key
from lambdas.shared.parallel import mapped
from lambdas.shared.uris import parse_uri
from lambdas.shared.user_ids import owner_of
from operations.deployed import Deployed
from operations.forgetting.known import Tick
from operations.forgetting.survey import Findings, Object, in_turn, object_of
from operations.forgetting.versions import delete, replace

# Metadata of a seed from which a patient was removed: earlier audiences of it may hold the patient.
PEOPLE_REMOVED = "people-removed"
_BLACKED_OUT = b"forgotten"


def remove_whole(deployed: Deployed, objects: Iterable[Object], tick: Tick) -> int:
    """Delete these versions, recordings first, and return their number."""
    s3, removed = deployed.client("s3"), 0

    def bucket_and_kind(found: Object) -> tuple[str, str]:
        return found.version.bucket, found.category.kind

    for _, group in groupby(sorted(objects, key=in_turn), key=bucket_and_kind):
        deleted = delete(s3, [found.version for found in group])
        removed += deleted
        tick(deleted)
    return removed


def abort_uploads(deployed: Deployed, user_ids: Set[str]) -> int:
    """Abort the patients' unfinished multipart uploads, which no listing of objects shows, and return their number."""
    s3 = deployed.client("s3")
    uploads = unfinished_uploads(deployed, user_ids)
    for upload in uploads:
        s3.abort_multipart_upload(Bucket=deployed.media, Key=upload["Key"], UploadId=upload["UploadId"])
    return len(uploads)


def unfinished_uploads(deployed: Deployed, user_ids: Set[str]) -> list[dict[str, Any]]:
    pages = deployed.client("s3").get_paginator("list_multipart_uploads").paginate(Bucket=deployed.media)
    uploads = [upload for page in pages for upload in page.get("Uploads", ())]
    return [upload for upload in uploads if owner_of(upload["Key"]) in user_ids]


def remove_parts(
    deployed: Deployed, traces: Traces, parts: Iterable[Object], tick: Tick
) -> tuple[list[Object], list[Object]]:
    """Remove the patients from objects that name others too; returns the deleted objects and the rewritten ones.

    An older version is deleted, and so is an object that would be empty.
    """
    s3 = deployed.client("s3")
    removed: list[Object] = []
    rewritten: list[Object] = []

    def take_out(found: Object) -> None:
        version, content = found.version, None
        if version.is_latest and found.category.content != "query result":
            content = read(s3, version)
            if content is None:
                return
        body = _REWRITE[found.category.content](content.body, traces) if content else b""
        # A batch's list of documents stays even if it is empty, because a redrive reads it.
        if content and (body or found.category.kind == "batch files"):
            # A seed's name is a digest of its content. The pointer to it is deleted, so the next batch makes a new one.
            added = {PEOPLE_REMOVED: "true"} if found.category.kind == "seeds" else {}
            replace(s3, version, content, body, **added)
            rewritten.append(found)
        else:
            delete(s3, [version])
            removed.append(found)
        tick(1)

    for _, group in groupby(sorted(parts, key=in_turn), key=in_turn):
        for _ in mapped(take_out, group):
            pass
    return removed, rewritten


def seed_pointers(deployed: Deployed, findings: Findings) -> list[Object]:
    """All versions of `latest.json` of the cohorts whose last seed holds a patient, so that no batch uses it again.

    Any other pointer stays: without it, the next batch would make a seed that differs from the last one only by a few
    patients.
    """
    s3 = deployed.client("s3")
    seeds = {found.version.key for found in findings.parts if found.category.kind == "seeds"}
    pointers: list[Version] = []
    for cohort in sorted({key.split("/")[1] for key in seeds}):
        versions = list(list_versions(s3, deployed.audience, seed_pointer_key(cohort)))
        if any(version.is_latest and _may_name(s3, version, seeds) for version in versions):
            pointers += versions
    return [object_of(deployed, version) for version in pointers]


def _may_name(s3: Any, pointer: Version, seeds: set[str]) -> bool:
    """Whether the pointer names one of the seeds, or can't be read."""
    content = None if pointer.is_marker else read(s3, pointer)
    try:
        return content is None or parse_uri(json.loads(content.body)["seed_uri"])[1] in seeds
    except (ValueError, KeyError, TypeError, AttributeError):
        return True


def without(document: Any, traces: Traces) -> Any:
    """The document without the innermost list items that name a patient."""
    if isinstance(document, dict):
        return {name: without(value, traces) for name, value in document.items()}
    if not isinstance(document, list):
        return document
    kept = [without(item, traces) for item in document]
    return [item for item in kept if not traces.in_json(item)]


def _document(body: bytes, traces: Traces) -> bytes:
    return _as_json(without(json.loads(body), traces))


def _job(body: bytes, traces: Traces) -> bytes:
    """The job without the patients, also in the reason for its failure, which may name a document of theirs."""

    def blacked_out(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: blacked_out(member) for name, member in value.items()}
        if not isinstance(value, str) or not traces.in_json(value):
            return value
        text = _words(value.encode(errors="surrogatepass"), traces).decode(errors="surrogatepass")
        return _BLACKED_OUT.decode() if traces.in_json(text) else text

    return _as_json(blacked_out(without(json.loads(body), traces)))


def _as_json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def _lines(body: bytes, traces: Traces) -> bytes:
    kept = [line for line in body.splitlines(keepends=True) if line.strip() and not traces.in_line(json.loads(line))]
    return b"".join(kept)


def _table(body: bytes, traces: Traces) -> bytes:
    return parquet.without(body, traces.in_row)


def _page(body: bytes, traces: Traces) -> bytes:
    """The page without the rows that name a patient; empty, which deletes the page, if other text names one too."""
    kept = re.sub(
        rb"<tr>(?:(?!</tr>).)*</tr>\n?", lambda row: b"" if traces.in_page(row[0]) else row[0], body, flags=re.DOTALL
    )
    return b"" if traces.in_page(kept) else kept


def _words(body: bytes, traces: Traces) -> bytes:
    return re.sub(rb'[^\s"]+', lambda word: _BLACKED_OUT if traces.certain(word[0]) else word[0], body)


_REWRITE: dict[str, Callable[[bytes, Traces], bytes]] = {
    "document": _document,
    "job": _job,
    "lines": _lines,
    "table": _table,
    "page": _page,
    "access log": _words,
}
