"""What the input of an execution may ask for: a list of recordings, or all below a prefix."""

import os
from itertools import islice
from typing import Any

from lambdas.shared.errors import InvalidInput
from lambdas.shared.storage import list_keys, parse_uri

USAGE = (
    'Give {"media": ["s3://bucket/key", ...]} or {"prefix": "s3://bucket/media/..."}, '
    'and "reprocess": true if finished work is to be done again.'
)
# The empty outputs of so many children take 60 KB of the 256 KiB that a Map may return.
MAXIMUM_RECORDINGS = 20_000


def requested_keys(request: Any) -> tuple[list[str], bool]:
    """The keys in the media bucket that the execution's input asks for, each once, and whether to do all again.

    Raises:
        InvalidInput: saying what is wrong and where. Keys are left out: errors are logged, file names may not be.
    """
    if not isinstance(request, dict):
        raise InvalidInput(f"The input is a {type(request).__name__}, not an object. {USAGE}")
    if unknown := sorted(set(request) - {"media", "prefix", "reprocess"}):
        raise InvalidInput(f"The input has unknown keys {unknown}. {USAGE}")
    if ("media" in request) == ("prefix" in request):
        raise InvalidInput(f"The input needs exactly one of media and prefix. {USAGE}")
    reprocess = request.get("reprocess", False)
    if not isinstance(reprocess, bool):
        raise InvalidInput(f"reprocess is {reprocess!r}, neither true nor false. {USAGE}")
    if "prefix" in request:
        keys = listed_keys(request["prefix"])
    else:
        uris = request["media"]
        if not isinstance(uris, list) or not uris:
            raise InvalidInput(
                f"media is {'empty' if uris == [] else type(uris).__name__}, not a list of at least one URI. {USAGE}"
            )
        keys = [key_in_media_bucket(uri, f"media[{position}]") for position, uri in enumerate(uris)]
    if len(keys) > MAXIMUM_RECORDINGS:
        raise InvalidInput(
            f"The input names more than {MAXIMUM_RECORDINGS} recordings, which is what one execution takes. "
            "Start one execution per narrower prefix."
        )
    return list(dict.fromkeys(keys)), reprocess


def listed_keys(prefix: Any) -> list[str]:
    start = key_in_media_bucket(prefix, "prefix")
    if not start.startswith("media/"):
        raise InvalidInput(f"prefix is not below media/. {USAGE}")
    recordings = (key for key in list_keys(os.environ["MEDIA_BUCKET"], start) if not key.endswith("/"))
    keys = list(islice(recordings, MAXIMUM_RECORDINGS + 1))
    if not keys:
        raise InvalidInput("prefix holds no object. Look at what is there with: aws s3 ls <prefix>")
    return keys


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
    return key
