"""Transcribe Medical's rules for StartMedicalTranscriptionJob, beyond the SDK's model of it.

Source, unless a rule names another one: the members' descriptions in
https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartMedicalTranscriptionJob.html
OutputEncryptionKMSKeyId needs an output location; that isn't checked here, because the model always requires one.
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
# A file's name may name the patient.
_UNDISCLOSED = ("Media",)
# The model's enums have the languages of all of Transcribe, and may get the specialties of streaming.
_ONLY = {"LanguageCode": ("en-US",), "Specialty": ("PRIMARYCARE",)}


def settings_problems(parameters: Any, shape: StructureShape) -> list[str]:
    """One sentence per setting of cdk.json or an input that the service or the pipeline refuses.

    `shape` is the SDK's model of the request. Missing members are no problem, because the pipeline adds them.
    """
    settings, refused = without(SET_BY_PIPELINE, parameters, operation=OPERATION)
    broken = broken_constraints(shape, settings, operation=OPERATION, complete=False, only=_ONLY)
    return [*refused, *broken, *_rules(settings)]


def request_problems(request: Any, shape: StructureShape) -> list[str]:
    """One sentence per member of a complete request that the service would refuse; no sentence has the file's name."""
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
    # The API reference had this rule until 2021; such a name can't be the last part of a path.
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
