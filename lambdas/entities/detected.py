"""What is read of an output file of Comprehend Medical. Shape: API reference, the response of DetectEntitiesV2."""

from msgspec import Struct
from msgspec.json import Decoder


class FoundTrait(Struct, gc=False, rename="pascal"):
    """A trait as Comprehend Medical gives it."""

    name: str
    score: float


class FoundAttribute(Struct, gc=False, rename="pascal", kw_only=True):
    """An attribute as Comprehend Medical gives it; offsets in the document."""

    id: int | None = None
    category: str | None = None
    type: str
    text: str
    score: float
    relationship_type: str | None = None
    relationship_score: float | None = None
    begin_offset: int
    end_offset: int
    traits: tuple[FoundTrait, ...] = ()


class FoundEntity(Struct, gc=False, rename="pascal", kw_only=True):
    """An entity as Comprehend Medical gives it; offsets in the document."""

    id: int
    category: str
    type: str
    text: str
    score: float
    begin_offset: int
    end_offset: int
    traits: tuple[FoundTrait, ...] = ()
    attributes: tuple[FoundAttribute, ...] = ()


class FoundUnmapped(Struct, gc=False, rename="pascal"):
    """An attribute without its entity; `type` is the category that the entity would have."""

    attribute: FoundAttribute
    type: str | None = None


class Output(Struct, rename="pascal"):
    """The output of one document."""

    entities: list[FoundEntity]
    unmapped_attributes: list[FoundUnmapped] = []
    model_version: str | None = None


# The output of a document, from its bytes. Raises msgspec.DecodeError if it isn't one.
read_output = Decoder(Output).decode
