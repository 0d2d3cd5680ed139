"""Finds recordings on this machine, and uploads them."""

import mimetypes
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from boto3.exceptions import Boto3Error
from botocore.model import StringShape

from lambdas.rules.sdk_model import input_shape
from lambdas.shared.parallel import mapped
from lambdas.shared.user_ids import canonical, fault
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.refusals import AWS_ERRORS, sentence

# S3 user guide, "Naming Amazon S3 objects".
_LONGEST_KEY_BYTES = 1024


class Recording(NamedTuple):
    path: Path
    key: str


class Refused(NamedTuple):
    """A file that isn't uploaded, with the reason."""

    path: Path
    reason: str


def recordings(paths: Iterable[Path], user_id: str | None) -> list[Recording]:
    """The recordings at `paths` with their keys, `media/<user_id>/<file>`, the user id in its canonical spelling.

    A folder stands for all files below it, except hidden ones. Without `user_id`, the folders in it are named by user
    ids.

    Raises:
        OperationError: there is no recording, its user id is unknown, or two would have the same key.
    """
    if user_id is not None:
        user_id = check_user_id(user_id, "--user-id")
    found = [recording for path in paths for recording in _below(path, user_id)]
    by_key: dict[str, Path] = {}
    for path, key in found:
        if key in by_key:
            raise OperationError(f"{by_key[key]} and {path} would both be {key}; rename one of them.")
        check_key(key)
        by_key[key] = path
    return found


def suitable(found: Iterable[Recording]) -> tuple[list[Recording], list[Refused]]:
    """The files whose names are those of recordings, and the files that the pipeline would reject.

    Raises:
        OperationError: all would be rejected.
    """
    good: list[Recording] = []
    refused: list[Refused] = []
    for recording in found:
        if reason := unsuitable(str(recording.path)):
            refused.append(Refused(recording.path, reason))
        else:
            good.append(recording)
    if refused and not good:
        others = f" The same is true of {len(refused) - 1} more; nothing was uploaded." if len(refused) > 1 else ""
        raise OperationError(refused[0].reason + others)
    return good, refused


def upload(deployed: Deployed, found: Iterable[Recording], *, consent: bool) -> Iterator[Recording]:
    """Upload the recordings, several at a time, and yield each when it is uploaded.

    Raises:
        OperationError: a file can't be read.
    """
    s3 = deployed.client("s3")

    def put(recording: Recording) -> Recording:
        described = description(recording.path.name, consent=consent)
        try:
            s3.upload_file(str(recording.path), deployed.media, recording.key, ExtraArgs=described)
        except AWS_ERRORS:
            # Before OSError, which some of them are.
            raise
        except OSError as error:
            raise OperationError(f"{recording.path} can't be read ({error.strerror}); make it readable.") from None
        except Boto3Error as error:
            # It wraps the AWS error.
            if isinstance(error.__context__, AWS_ERRORS):
                raise OperationError(f"{recording.path} isn't uploaded: {sentence(error.__context__)}") from None
            raise
        return recording

    yield from mapped(put, found)


def _below(path: Path, user_id: str | None) -> Iterator[Recording]:
    if path.is_file():
        if user_id is None:
            raise OperationError(f"Whose recording is {path}? Give --user-id, a pseudonym.")
        yield Recording(path, f"media/{user_id}/{path.name}")
        return
    if not path.is_dir():
        raise OperationError(f"{path} is neither a file nor a folder; correct the path.")
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    files = [file for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not files:
        raise OperationError(f"{path} holds no recording; correct the path.")
    for file in files:
        relative = file.relative_to(path).as_posix()
        if user_id is not None:
            yield Recording(file, f"media/{user_id}/{relative}")
            continue
        owner, _, rest = relative.partition("/")
        if not rest:
            raise OperationError(
                f"Whose recording is {file}? Give --user-id to `run`, or put the recording into a folder named by its "
                "patient's user id."
            )
        yield Recording(file, f"media/{check_user_id(owner, f'The folder {file.parent}')}/{rest}")


def unsuitable(name: str) -> str | None:
    """The reason for which the pipeline would reject a recording of this name; None if it wouldn't."""
    extension = Path(name).suffix.lower().removeprefix(".")
    if extension in formats():
        return None
    ending = f"ends in {extension!r}" if extension else "has no extension"
    return f"{name} {ending}; Transcribe Medical takes {', '.join(formats())}. Convert or rename it."


@cache
def formats() -> tuple[str, ...]:
    """The formats that Transcribe Medical takes, which are the extensions of recordings."""
    shape = input_shape("transcribe", "StartMedicalTranscriptionJob").members["MediaFormat"]
    assert isinstance(shape, StringShape)
    return tuple(sorted(shape.enum))


def description(file: str, *, consent: bool) -> dict[str, Any]:
    """S3's metadata and content type of the recording called `file`."""
    # The pipeline takes any other value than "true" for a no.
    options: dict[str, Any] = {"Metadata": {"audience-consent": "true"} if consent else {}}
    if content_type := mimetypes.guess_type(file)[0]:
        options["ContentType"] = content_type
    return options


def check_key(key: str) -> None:
    """Raises OperationError if the key is longer than S3 allows."""
    if len(key.encode(errors="surrogateescape")) > _LONGEST_KEY_BYTES:
        raise OperationError(f"The key {key} has more than {_LONGEST_KEY_BYTES} bytes; rename the file.")


def check_user_id(given: str, source: str) -> str:
    """The user id in its canonical spelling.

    Raises:
        OperationError: it is no user id, or no line of the suppression list could name it; `source` names the option
            or folder that it comes from.
    """
    user_id = canonical(given)
    reason = f"it {mistake}" if (mistake := fault(user_id)) else None
    if "/" in user_id or user_id in (".", ".."):
        reason = "a user id has no slash, and letters or digits"
    if reason:
        raise OperationError(f"{source} is {given!r}, but {reason}; correct it.")
    return user_id
