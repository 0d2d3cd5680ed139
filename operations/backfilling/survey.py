"""The recordings that a backfill would process, with their length, cost and time, estimated from their sizes.

Source: S3 API reference, ListObjectsV2.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from lambdas.planning.costs import expected_cost
from lambdas.planning.media_headers.bit_rates import FORMATS, usual_seconds
from lambdas.shared.jobs import expected_transcription_seconds
from lambdas.shared.layout import MEDIA
from lambdas.shared.uris import extension_of, parse_uri, uri_of
from operations.deployed import Deployed
from operations.errors import OperationError


class Estimate(NamedTuple):
    """One recording's length in seconds, its cost in USD, and the seconds that its transcription job runs."""

    audio_seconds: float
    usd: float
    job_seconds: int


class Survey(NamedTuple):
    """The files below a prefix. `formats` counts the recordings by format.

    `unusable` counts files of other formats and empty ones: they would be rejected. Folders of the S3 console are left
    out. `usd` and `audio_hours` are of all recordings, also of those that are finished and cost nothing again.
    """

    prefix: str
    formats: dict[str, int]
    unusable: int
    bytes: int
    audio_hours: float
    usd: float
    job_hours: float

    @property
    def recordings(self) -> int:
        return sum(self.formats.values())

    def hours(self, concurrent_jobs: int) -> float:
        """How long the transcription of all recordings takes with so many jobs at a time."""
        return self.job_hours / concurrent_jobs


def key_prefix(deployed: Deployed, prefix: str) -> str:
    """The beginning of the keys that the s3:// URI `prefix` stands for.

    Raises:
        OperationError: it isn't below media/ of the environment's media bucket.
    """
    begin = uri_of(deployed.media, MEDIA)
    try:
        bucket, key = parse_uri(prefix)
    except ValueError:
        raise OperationError(f"{prefix} is no S3 URI; give {begin} or a prefix below it.") from None
    if bucket != deployed.media or not key.startswith(MEDIA):
        raise OperationError(f"{prefix} is not in this environment's recordings; give {begin} or a prefix below it.")
    return key


def survey(deployed: Deployed, key: str, advance: Callable[[str, int], None]) -> Survey:
    """Survey what is below `key`; `advance` is called with the number of objects of each page."""
    formats: dict[str, int] = {}
    unusable, size, seconds, usd, job_seconds = 0, 0, 0.0, 0.0, 0
    pages = deployed.client("s3").get_paginator("list_objects_v2").paginate(Bucket=deployed.media, Prefix=key)
    for page in pages:
        objects = [item for item in page.get("Contents", ()) if not item["Key"].endswith("/")]
        advance("objects", len(objects))
        for item in objects:
            name = extension_of(item["Key"])
            estimate = _estimate(name, item["Size"]) if item["Size"] else None
            if estimate is None:
                unusable += 1
                continue
            formats[name] = formats.get(name, 0) + 1
            size += item["Size"]
            seconds += estimate.audio_seconds
            usd += estimate.usd
            job_seconds += estimate.job_seconds
    by_format = dict(sorted(formats.items()))
    prefix = uri_of(deployed.media, key)
    return Survey(prefix, by_format, unusable, size, seconds / 3600, usd, job_seconds / 3600)


def _estimate(media_format: str, size: int) -> Estimate | None:
    """The estimate of one recording from its size; None if Transcribe Medical doesn't take the format."""
    if media_format not in FORMATS:
        return None
    seconds = usual_seconds(media_format, size)
    usd = expected_cost(media_format, size).estimate.total
    return Estimate(seconds, usd, expected_transcription_seconds(seconds))


def as_json(found: Survey, concurrent_jobs: int) -> dict[str, Any]:
    return {
        "prefix": found.prefix,
        "recordings": found.recordings,
        "formats": found.formats,
        "unusable": found.unusable,
        "audio_hours": round(found.audio_hours, 1),
        "usd": round(found.usd, 2),
        "concurrent_jobs": concurrent_jobs,
        "transcription_hours": round(found.hours(concurrent_jobs), 1),
    }
