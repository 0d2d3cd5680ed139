"""Recordings on this machine, uploaded as those of a patient."""

import mimetypes
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from boto3.exceptions import Boto3Error
from botocore.model import StringShape

from lambdas.rules.sdk_model import input_shape
from lambdas.shared.user_ids import canonical, fault
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.parallel import mapped
from operations.refusals import AWS_ERRORS, sentence

# S3 user guide, "Naming Amazon S3 objects".
_LONGEST_KEY_BYTES = 1024


class Recording(NamedTuple):
    path: Path
    key: str


class Refused(NamedTuple):
    """A file that stays here, with the reason."""

    path: Path
    reason: str


def recordings(paths: Iterable[Path], user_id: str | None) -> list[Recording]:
    """The recordings at `paths` with their keys, `media/<user_id>/<file>`, the user id in its canonical spelling.

    Of a folder, everything below it, apart from hidden files; without `user_id`, its own folders are named by the user
    ids of whose recordings they hold.

    Raises:
        OperationError: there is no recording, it isn't told whose it is, or two would have the same key.
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
    """Those that may be recordings by their names, and those that the pipeline would reject after their upload.

    Raises:
        OperationError: there are none of the first.
    """
    good: list[Recording] = []
    refused: list[Refused] = []
    for recording in found:
        if reason := unsuitable(str(recording.path)):
            refused.append(Refused(recording.path, reason))
        else:
            good.append(recording)
    if refused and not good:
        others = f" So it is with {len(refused) - 1} more; nothing was uploaded." if len(refused) > 1 else ""
        raise OperationError(refused[0].reason + others)
    return good, refused


def upload(deployed: Deployed, found: Iterable[Recording], *, consent: bool) -> Iterator[Recording]:
    """Upload them, several at a time; each is yielded when it is there.

    Raises:
        OperationError: a file can't be read.
    """
    s3 = deployed.client("s3")

    def put(recording: Recording) -> Recording:
        described = description(recording.path.name, consent=consent)
        try:
            s3.upload_file(str(recording.path), deployed.media, recording.key, ExtraArgs=described)
        except AWS_ERRORS:
            # Some of them are OSErrors, too.
            raise
        except OSError as error:
            raise OperationError(f"{recording.path} can't be read ({error.strerror}); repair that.") from None
        except Boto3Error as error:
            # It has the refusal in its text; what is behind it says what to do.
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
        raise OperationError(f"{path} is neither a file nor a folder; correct it.")
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    files = [file for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not files:
        raise OperationError(f"{path} holds no recording; correct it.")
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
    """Why no recording may have this name; None if one may. The pipeline would reject it for the same reason."""
    extension = Path(name).suffix.lower().removeprefix(".")
    if extension in formats():
        return None
    ending = f"ends in {extension!r}" if extension else "has no extension"
    return f"{name} {ending}; Transcribe Medical takes {', '.join(formats())}. Convert or rename it."


@cache
def formats() -> tuple[str, ...]:
    """What a recording's name may end in: the formats that Transcribe Medical takes."""
    shape = input_shape("transcribe", "StartMedicalTranscriptionJob").members["MediaFormat"]
    assert isinstance(shape, StringShape)
    return tuple(sorted(shape.enum))


def description(file: str, *, consent: bool) -> dict[str, Any]:
    """What is stored with the recording called `file`: S3's metadata and content type."""
    # Whatever isn't a plain "true" is a no.
    options: dict[str, Any] = {"Metadata": {"audience-consent": "true"} if consent else {}}
    if content_type := mimetypes.guess_type(file)[0]:
        options["ContentType"] = content_type
    return options


def check_key(key: str) -> None:
    """Raises OperationError if S3 takes no key as long."""
    if len(key.encode(errors="surrogateescape")) > _LONGEST_KEY_BYTES:
        raise OperationError(f"The key {key} has more than {_LONGEST_KEY_BYTES} bytes; rename the file.")


def check_user_id(given: str, source: str) -> str:
    """The user id in its canonical spelling.

    Raises:
        OperationError: it can't be one, or no line of the suppression list could name it; `source` is what it was given
            as.
    """
    user_id = canonical(given)
    reason = f"it {told}" if (told := fault(user_id)) else None
    if "/" in user_id or user_id in (".", ".."):
        reason = "a user id has no slash, and letters or digits"
    if reason:
        raise OperationError(f"{source} is {given!r}, but {reason}; correct it.")
    return user_id
