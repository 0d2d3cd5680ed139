"""Read the input of an execution: a list of recordings or a prefix, "reprocess", and parameters for the services."""

import json
import os
from itertools import islice
from typing import Any, NamedTuple, cast

from lambdas.rules import clean_rooms_ml, parameters
from lambdas.rules.batches import MAXIMUM_RECORDINGS
from lambdas.shared.errors import InvalidInput
from lambdas.shared.state import AllParameters
from lambdas.shared.storage import list_keys
from lambdas.shared.uris import MAXIMUM_KEY_BYTES, parse_uri

USAGE = (
    'Give {"media": ["s3://bucket/key", ...]} or {"prefix": "s3://bucket/media/..."}, '
    '"reprocess": true to repeat finished work, and "parameters" to override the environment\'s parameters '
    "(docs/api.md)."
)


class Request(NamedTuple):
    """The distinct keys in the media bucket, whether to repeat finished work, and the parameters of the three jobs."""

    keys: list[str]
    reprocess: bool
    parameters: AllParameters


def read_request(request: Any) -> Request:
    """The execution's input, checked.

    Raises:
        InvalidInput: names the faulty member, never a key: errors are logged, and file names must not be.
    """
    if not isinstance(request, dict):
        raise InvalidInput(f"The input is a {type(request).__name__}, not an object. {USAGE}")
    if unknown := sorted(set(request) - {"media", "prefix", "reprocess", "parameters"}):
        raise InvalidInput(f"The input has unknown keys {unknown}. {USAGE}")
    if ("media" in request) == ("prefix" in request):
        raise InvalidInput(f"The input needs exactly one of media and prefix. {USAGE}")
    reprocess = request.get("reprocess", False)
    if not isinstance(reprocess, bool):
        raise InvalidInput(f"reprocess is {reprocess!r}, neither true nor false. {USAGE}")
    effective = effective_parameters(request.get("parameters", {}))
    if "prefix" in request:
        keys = listed_keys(request["prefix"])
    else:
        uris = request["media"]
        if not isinstance(uris, list) or not uris:
            raise InvalidInput(
                f"media is {'empty' if uris == [] else type(uris).__name__}, not a list of at least one URI. {USAGE}"
            )
        given = [key_in_media_bucket(uri, f"media[{position}]") for position, uri in enumerate(uris)]
        keys = [key for key in given if not is_folder(key)]
    if len(keys) > MAXIMUM_RECORDINGS:
        raise InvalidInput(
            f"The input names more than {MAXIMUM_RECORDINGS} recordings, the most that one execution takes. "
            "For more, use the command: python -m operations backfill --prefix <prefix> --env <environment>."
        )
    return Request(list(dict.fromkeys(keys)), reprocess, effective)


def effective_parameters(asked: Any) -> AllParameters:
    """The environment's parameters with the input's merged over them, checked as a whole."""
    # A null in cdk.json removes a parameter, as a null in the input does.
    environment = parameters.merged({}, json.loads(os.environ["PARAMETERS"]))
    if not isinstance(asked, dict):
        raise InvalidInput(f"parameters is a {type(asked).__name__}, not an object. {USAGE}")
    effective = {name: {} for name in parameters.OPERATIONS} | parameters.merged(environment, asked)
    if problems := parameters.problems(effective):
        raise InvalidInput(f"The parameters can't work: {' '.join(problems)}")
    for name in ("configuredAudienceModelArn", "collaborationId"):
        theirs = effective[clean_rooms_ml.OPERATION].get(name)
        if theirs != environment[clean_rooms_ml.OPERATION].get(name):
            raise InvalidInput(
                f"parameters.{clean_rooms_ml.OPERATION}.{name} can't be changed by an execution: the roles allow only "
                "the environment's value. Change it in cdk.json and deploy."
            )
    return cast(AllParameters, effective)  # its keys were checked


def listed_keys(prefix: Any) -> list[str]:
    start = key_in_media_bucket(prefix, "prefix")
    if not start.startswith("media/"):
        raise InvalidInput(f"prefix is not below media/. {USAGE}")
    recordings = (key for key in list_keys(os.environ["MEDIA_BUCKET"], start) if not is_folder(key))
    keys = list(islice(recordings, MAXIMUM_RECORDINGS + 1))
    if not keys:
        raise InvalidInput("prefix holds no object. Look at what is there with: aws s3 ls <prefix>")
    return keys


def is_folder(key: str) -> bool:
    """Whether the object is one that the S3 console makes for a folder; a backfill's list has them, too."""
    return key.endswith("/")


def key_in_media_bucket(uri: Any, name: str) -> str:
    try:
        bucket, key = parse_uri(uri)
    except (ValueError, AttributeError):
        raise InvalidInput(f"{name} is not of the form s3://bucket/key. {USAGE}") from None
    if bucket != os.environ["MEDIA_BUCKET"]:
        raise InvalidInput(
            f"{name} is in the bucket {bucket}, not in this environment's media bucket {os.environ['MEDIA_BUCKET']}. "
            f"{USAGE}"
        )
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidInput(f"{name} has a key that isn't valid UTF-8, which no object has. {USAGE}") from None
    if length > MAXIMUM_KEY_BYTES:
        raise InvalidInput(f"{name} has a key of {length} bytes; S3 takes at most {MAXIMUM_KEY_BYTES}. {USAGE}")
    return key
