"""The report pages of an execution, and its recordings for them to play, from the buckets.

The pages are at addresses that end as their keys do, below the execution's own, so that their relative links work and
the execution says which version of a recording is meant. They are documents of somebody else, though the console
serves them: a sandbox keeps them, whatever they hold, from what the console's own page may do.
"""

import json
import re
from typing import Any

from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response

from lambdas.shared.identity import media_id
from lambdas.shared.layout import BATCH_REPORT, batch_prefix, plan_key, recording_report_key
from lambdas.shared.uris import parse_uri
from operations.deployed import Deployed
from operations.forgetting.versions import list_versions

# Over the page's own policy, which allows its script and style by their hashes: both have to allow.
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
    """The version of the recording that the transcript was made from, or the part of it that a player asks for.

    Raises:
        werkzeug.exceptions.HTTPException: that version has gone, or has no such part.
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
    told = answer["ContentType"]
    response = Response(
        answer["Body"].iter_chunks(_PIECE_BYTES),
        206 if "ContentRange" in answer else 200,
        # Whoever uploaded it chose the type.
        content_type=told if told.startswith(("audio/", "video/")) else "application/octet-stream",
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
    """What the execution's plan says of the recording."""
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
        raise NotFound("It isn't in the clinical bucket: it was not written, or it has expired.") from None
    return body
