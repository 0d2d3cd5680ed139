"""Checks a request before a job exists: the constraints of the API model, and the documentation's rules."""

from collections import Counter
from typing import Any

from moto.transcribe.exceptions import BadRequestException

from local.services.shapes import Step, Violation, request_violations

Request = dict[str, Any]

_MOST_TAGS = 50
_RESERVED_TAG_PREFIX = "aws:"


def check_model(operation: str, request: Request) -> None:
    """Raise BadRequestException listing every member of ``request`` that breaks the API model of ``operation``.

    Required members, enumerations, patterns and ranges, worded the way the service's JSON APIs word them.
    """
    if problems := [_problem(violation) for violation in request_violations("transcribe", operation, request)]:
        noun = "error" if len(problems) == 1 else "errors"
        raise BadRequestException(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")


def check_start(request: Request) -> None:
    """Raise BadRequestException for a StartMedicalTranscriptionJob request that breaks the model or a documented rule.

    Source of the rules: the StartMedicalTranscriptionJob API reference, an older one for the names "." and "..", and
    the Transcribe developer guide for the encryption context and, under "Tagging resources", for tags. The texts are
    ours: the documentation gives none.
    """
    check_model("StartMedicalTranscriptionJob", request)
    settings = request.get("Settings", {})
    if request["MedicalTranscriptionJobName"] in (".", ".."):
        raise BadRequestException("MedicalTranscriptionJobName can't be . or .. by itself: give another name.")
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
    _check_tags(request.get("Tags", []))


def _check_tags(tags: list[dict[str, str]]) -> None:
    if len(tags) > _MOST_TAGS:
        raise BadRequestException(f"Tags has {len(tags)} members: a job takes at most {_MOST_TAGS}.")
    for key, times in Counter(tag["Key"] for tag in tags).items():
        if times > 1:
            raise BadRequestException(f"Tags has the key {key} {times} times: give each key once.")
        if key.lower().startswith(_RESERVED_TAG_PREFIX):
            raise BadRequestException(f"The tag key {key} begins with {_RESERVED_TAG_PREFIX}, which is AWS's own.")


def _problem(violation: Violation) -> str:
    at = ".".join(_notation(step) for step in violation.path)
    value = "null" if violation.constraint == "required" else f"'{violation.value}'"
    return f"Value {value} at '{at}' failed to satisfy constraint: Member must {_duty(violation)}"


def _duty(violation: Violation) -> str:
    measured = "value" if isinstance(violation.value, int) else "length"
    match violation.constraint:
        case "required":
            return "not be null"
        case "min":
            return f"have {measured} greater than or equal to {violation.limit}"
        case "max":
            return f"have {measured} less than or equal to {violation.limit}"
        case "enum":
            return f"satisfy enum value set: [{', '.join(violation.limit)}]"
        case "pattern":
            return f"satisfy regular expression pattern: {violation.limit}"


def _notation(step: Step) -> str:
    match step.into:
        case "member":
            return f"{step.name[0].lower()}{step.name[1:]}"
        case "item":
            return f"{step.name + 1}.member"
        case "key":
            return "key"
        case "value":
            return str(step.name)
