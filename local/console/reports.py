"""Serves the report pages of an execution, and the recordings that they play, from the buckets.

The pages' URLs end like their keys, below the execution's, so that their relative links work and the execution decides
the version of a recording. The pages are untrusted: a sandbox denies them what the console's own page may do.
"""

import json
import re
from typing import Any

from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response

from lambdas.searching.versions import list_versions
from lambdas.shared.identity import media_id
from lambdas.shared.layout import BATCH_REPORT, batch_prefix, plan_key, recording_report_key
from lambdas.shared.uris import parse_uri
from operations.deployed import Deployed

# In addition to the page's own policy, which allows its script and style by their hashes.
_POLICY = (
    "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ONE_RANGE = re.compile(r"bytes=(\d+-\d*|-\d+)")
_PIECE_BYTES = 1 << 18


def batch_page(deployed: Deployed, execution: str) -> Response:
    return _page(deployed, batch_prefix(execution) + BATCH_REPORT)


def recording_page(deployed: Deployed, execution: str, transcript_id: str) -> Response:
    _planned(deployed, execution, transcript_id)
    return _page(deployed, recording_report_key(transcript_id))


def recording(deployed: Deployed, execution: str, transcript_id: str, byte_range: str | None) -> Response:
    """The version of the recording that was transcribed, or the part of it that a player asks for.

    Raises:
        werkzeug.exceptions.HTTPException: that version was deleted, or has no such part.
    """
    planned = _planned(deployed, execution, transcript_id)
    bucket, key = parse_uri(planned["uri"])
    s3 = deployed.client("s3")
    versions = [
        item.version_id
        for item in list_versions(s3, bucket, key)
        if item.key == key and media_id(bucket, key, {"VersionId": item.version_id}) == planned["media_id"]
    ]
    if not versions:
        raise NotFound("This version of the recording is no longer in the media bucket.")
    options = {"Range": byte_range} if byte_range and _ONE_RANGE.fullmatch(byte_range) else {}
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, VersionId=versions[0], **options)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "InvalidRange":
            raise
        raise RequestedRangeNotSatisfiable from None
    stored_type = answer["ContentType"]
    response = Response(
        answer["Body"].iter_chunks(_PIECE_BYTES),
        206 if "ContentRange" in answer else 200,
        # The uploader has chosen the type.
        content_type=stored_type if stored_type.startswith(("audio/", "video/")) else "application/octet-stream",
    )
    response.headers["Content-Length"] = str(answer["ContentLength"])
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    # The sandboxed page that plays it counts as another site.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if "ContentRange" in answer:
        response.headers["Content-Range"] = answer["ContentRange"]
    return response


def _page(deployed: Deployed, key: str) -> Response:
    html = _read(deployed, key)
    headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
    return Response(html, headers=headers, content_type="text/html; charset=utf-8")


def _planned(deployed: Deployed, execution: str, transcript_id: str) -> dict[str, Any]:
    """The recording's entry in the execution's plan."""
    plan = json.loads(_read(deployed, plan_key(execution)))
    for item in plan["recordings"]:
        if item["transcript_id"] == transcript_id:
            return dict(item)
    raise NotFound("This execution has no such recording.")


def _read(deployed: Deployed, key: str) -> bytes:
    s3 = deployed.client("s3")
    try:
        body: bytes = s3.get_object(Bucket=deployed.clinical, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        raise NotFound("The page isn't in the clinical bucket: it was not written, or it has expired.") from None
    return body
