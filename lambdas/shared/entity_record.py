"""A line of `records/`, which docs/architecture.md describes. infra/analysis.py makes an Athena table of its shape.

A batch has millions: outside the garbage collector's sight they take less memory, and less time.
"""

from collections.abc import Sequence

from msgspec import Struct


class Trait(Struct, gc=False):
    """A trait of an entity or of an attribute."""

    name: str
    score: float


class Attribute(Struct, gc=False):
    """What the service says of an entity: a dose, a direction. Offsets as in EntityRecord."""

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
    """A line of `records/`: whose and where it is, what the service found, and what is known of the words there.

    Offsets are code points in the whole transcript, seconds count from its beginning.
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
