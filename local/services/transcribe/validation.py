"""What Transcribe refuses before a job exists: its API model's constraints and the rules its documentation adds."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.transcribe.exceptions import BadRequestException

Request = dict[str, Any]


def check_model(operation: str, request: Request) -> None:
    """Raise BadRequestException listing every member of ``request`` that breaks the API model of ``operation``.

    Required members, enumerations, patterns and ranges, worded the way the service's JSON APIs word them.
    """
    problems = list(_problems(_input_shape(operation), request, ""))
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise BadRequestException(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")


def check_start(request: Request) -> None:
    """Raise BadRequestException for a StartMedicalTranscriptionJob request that breaks the model or a documented rule.

    Source of the rules: the StartMedicalTranscriptionJob API reference and, for the encryption context, the Transcribe
    developer guide. The texts are ours: the documentation gives none.
    """
    check_model("StartMedicalTranscriptionJob", request)
    settings = request.get("Settings", {})
    if request["LanguageCode"] != "en-US":
        raise BadRequestException(f"LanguageCode is {request['LanguageCode']}: medical transcription takes en-US only.")
    if "MediaFileUri" not in request["Media"]:
        raise BadRequestException("Media has no MediaFileUri: give the S3 location of the recording.")
    if "RedactedMediaFileUri" in request["Media"]:
        raise BadRequestException("Media.RedactedMediaFileUri is for Call Analytics jobs only: leave it out.")
    if request.get("KMSEncryptionContext") and not request.get("OutputEncryptionKMSKeyId"):
        raise BadRequestException("KMSEncryptionContext needs OutputEncryptionKMSKeyId: give both or neither.")
    if settings.get("ShowSpeakerLabels") and settings.get("ChannelIdentification"):
        raise BadRequestException("ShowSpeakerLabels and ChannelIdentification exclude each other: set one of them.")
    for wanted, maximum in (("ShowSpeakerLabels", "MaxSpeakerLabels"), ("ShowAlternatives", "MaxAlternatives")):
        if bool(settings.get(wanted)) != (maximum in settings):
            raise BadRequestException(f"Settings.{wanted} and Settings.{maximum} need each other: set both or neither.")


@cache
def _input_shape(operation: str) -> StructureShape:
    model = botocore.session.get_session().get_service_model("transcribe")
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    return shape


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    yield from _own_problems(shape, value, path)
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            at = _join(path, name[0].lower() + name[1:])
            if name in value:
                yield from _problems(member, value[name], at)
            elif name in shape.required_members:
                yield f"Value null at '{at}' failed to satisfy constraint: Member must not be null"
    elif isinstance(shape, ListShape):
        for position, item in enumerate(value, 1):
            yield from _problems(shape.member, item, f"{path}.{position}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path}.key")
            yield from _problems(shape.value, item, f"{path}.{key}")


def _own_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    limits = shape.metadata
    measured, noun = (value, "value") if isinstance(value, int) else (len(value), "length")
    broken = []
    if "min" in limits and measured < limits["min"]:
        broken.append(f"Member must have {noun} greater than or equal to {limits['min']}")
    if "max" in limits and measured > limits["max"]:
        broken.append(f"Member must have {noun} less than or equal to {limits['max']}")
    if "enum" in limits and value not in limits["enum"]:
        broken.append(f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]")
    # The model's patterns mean the whole value even where they lack the closing $.
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        broken.append(f"Member must satisfy regular expression pattern: {limits['pattern']}")
    for constraint in broken:
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
