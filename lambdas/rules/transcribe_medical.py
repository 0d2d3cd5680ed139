"""What Transcribe Medical documents about StartMedicalTranscriptionJob, beyond the SDK's model of it.

Unless another source is named, a rule stands in the description of the member that it is about:
https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartMedicalTranscriptionJob.html
That OutputEncryptionKMSKeyId needs an output location is no rule of its own here: the model requires one anyway.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.model import StructureShape

from lambdas.rules.sdk_model import broken_constraints, given, shown, without
from lambdas.rules.tags import tag_problems

SERVICE = "transcribe"
OPERATION: Final = "StartMedicalTranscriptionJob"
SET_BY_PIPELINE = frozenset(
    {"MedicalTranscriptionJobName", "Media", "OutputBucketName", "OutputKey", "OutputEncryptionKMSKeyId"}
)
# A file's name may tell who is heard in it.
_UNDISCLOSED = ("Media",)
# The model has the languages of all that Transcribe does, and may come to have the specialties of streaming.
_ONLY = {"LanguageCode": ("en-US",), "Specialty": ("PRIMARYCARE",)}


def settings_problems(parameters: Any, shape: StructureShape) -> list[str]:
    """What would be refused of what a person asks for, by the service or by the pipeline: a sentence each.

    `shape` is the SDK's model of the request. Nothing is said of what is missing: others add to it.
    """
    settings, refused = without(SET_BY_PIPELINE, parameters, operation=OPERATION)
    broken = broken_constraints(shape, settings, operation=OPERATION, complete=False, only=_ONLY)
    return [*refused, *broken, *_rules(settings)]


def request_problems(request: Any, shape: StructureShape) -> list[str]:
    """What the service would refuse of a complete request: a sentence each, without a word of the file's name."""
    broken = broken_constraints(shape, request, operation=OPERATION, undisclosed=_UNDISCLOSED, only=_ONLY)
    return [*broken, *_rules(request), *_rules_of_complete_requests(request)]


def _rules(request: Any) -> Iterator[str]:
    members = given(request)
    yield from _rules_of_settings(given(members.get("Settings")))
    if isinstance(tags := members.get("Tags"), list):
        keys = [(f"Tags[{position}].Key", given(tag).get("Key")) for position, tag in enumerate(tags)]
        texts = [(where, key) for where, key in keys if isinstance(key, str)]
        yield from tag_problems(texts, path="Tags", operation=OPERATION)


def _rules_of_settings(settings: dict[str, Any]) -> Iterator[str]:
    pairs = {"ShowSpeakerLabels": "MaxSpeakerLabels", "ShowAlternatives": "MaxAlternatives"}
    for show, maximum in pairs.items():
        if settings.get(show) is True and maximum not in settings:
            yield f"Settings.{show} is true without Settings.{maximum}; {OPERATION} takes the two together."
        if maximum in settings and settings.get(show) is not True:
            value = shown(settings[maximum])
            yield f"Settings.{maximum} is {value}, but Settings.{show} isn't true; {OPERATION} takes the two together."
    # "Including both parameters returns a BadRequestException": read as both being true, since false is the default.
    if settings.get("ShowSpeakerLabels") is True and settings.get("ChannelIdentification") is True:
        yield (
            "Settings.ShowSpeakerLabels and Settings.ChannelIdentification are both true; "
            f"{OPERATION} takes only one of them."
        )


def _rules_of_complete_requests(request: Any) -> Iterator[str]:
    members = given(request)
    # Said in the API reference until 2021; such a name can't be the last part of a path.
    if (name := members.get("MedicalTranscriptionJobName")) in (".", ".."):
        yield f"MedicalTranscriptionJobName is {shown(name)}; {OPERATION} takes no name of dots alone."
    if isinstance(members.get("Media"), Mapping):
        media = given(members["Media"])
        if "MediaFileUri" not in media:
            yield f"Media.MediaFileUri is missing; {OPERATION} needs it."
        elif not re.fullmatch(r"s3://[^/]+/.+", str(media["MediaFileUri"]), re.DOTALL):
            yield f"Media.MediaFileUri is not of the form s3://bucket/key, the only one that {OPERATION} documents."
        if "RedactedMediaFileUri" in media:
            yield (
                "Media.RedactedMediaFileUri is given; it is for Call Analytics jobs only, "
                f"so leave it out of {OPERATION}."
            )
    # https://docs.aws.amazon.com/transcribe/latest/dg/data-encryption.html
    if "KMSEncryptionContext" in members and "OutputEncryptionKMSKeyId" not in members:
        yield (
            "KMSEncryptionContext is given without OutputEncryptionKMSKeyId; "
            f"{OPERATION} takes it only together with a key."
        )
