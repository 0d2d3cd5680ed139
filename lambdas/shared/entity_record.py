"""A line of `records/`, which docs/architecture.md describes. infra/analysis.py derives the Athena table from it.

A batch has millions of records; `gc=False` excludes them from garbage collection, which saves memory and time.
"""

from collections.abc import Sequence

from msgspec import Struct

# Our own category, which no cohort has: an attribute without an entity makes nobody a member.
UNMAPPED_ATTRIBUTE = "UNMAPPED_ATTRIBUTE"


class Trait(Struct, gc=False):
    name: str
    score: float


class Attribute(Struct, gc=False):
    """An attribute of an entity, such as a dose or a direction. Offsets as in EntityRecord."""

    id: int | None
    category: str | None
    type: str
    text: str
    score: float
    relationship_type: str | None
    relationship_score: float | None
    begin_offset: int
    end_offset: int
    traits: Sequence[Trait]


class EntityRecord(Struct, gc=False):
    """A finding of a service, with its patient, its place in the recording, and the words at that place.

    Offsets count code points of the whole transcript; seconds count from the recording's beginning.
    """

    user_id: str
    media_id: str
    media_uri: str
    uploaded_at: str
    audience_consent: bool
    transcript_id: str
    source: str
    document: str | None
    entity_id: int | None
    category: str
    type: str
    text: str
    score: float | None
    begin_offset: int | None
    end_offset: int | None
    traits: Sequence[Trait]
    attributes: Sequence[Attribute]
    attribute_of: str | None
    model_version: str | None
    start_seconds: float | None
    end_seconds: float | None
    speaker: str | None
    channel: str | None
    confidence: float | None
    alternatives: Sequence[str]
