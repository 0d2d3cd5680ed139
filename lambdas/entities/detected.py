"""The members that we read of Comprehend Medical's output files. Shape: response of DetectEntitiesV2, API reference."""

from msgspec import Struct
from msgspec.json import Decoder


class FoundTrait(Struct, gc=False, rename="pascal"):
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
    """An attribute without an entity; `type` is the category of the missing entity."""

    attribute: FoundAttribute
    type: str | None = None


class Output(Struct, rename="pascal"):
    """The output of one document."""

    entities: list[FoundEntity]
    unmapped_attributes: list[FoundUnmapped] = []
    model_version: str | None = None


# Parses the output file of a document. Raises msgspec.DecodeError if the bytes aren't one.
read_output = Decoder(Output).decode
