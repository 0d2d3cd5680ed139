"""The rows of the analysis tables `findings` and `utterances`, which docs/analysis.md describes.

infra/analysis.py derives the Glue tables from them, lambdas/analysis/ the Parquet files. `object_id` names the object
of the media bucket, and `recorded_at` is when its records were written, in the form of `uploaded_at`.
"""

from msgspec import Struct

from lambdas.shared.entity_record import EntityRecord


class FindingRow(EntityRecord, gc=False):
    """An entity record. The two columns have defaults, because a line of `records/` doesn't have them."""

    object_id: str = ""
    recorded_at: str = ""


class UtteranceRow(Struct, gc=False):
    """A turn of a speaker, or a few sentences of a long one; seconds count from the recording's beginning."""

    user_id: str
    media_id: str
    media_uri: str
    uploaded_at: str
    audience_consent: bool
    transcript_id: str
    start_seconds: float | None
    end_seconds: float | None
    speaker: str | None
    channel: str | None
    text: str
    object_id: str
    recorded_at: str
