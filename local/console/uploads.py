"""Uploads a recording that was dropped on the page to the media bucket."""

from typing import IO
from urllib.parse import unquote

from werkzeug.datastructures import Headers

from lambdas.planning.preflight import refusal
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.recordings import check_key, check_user_id, description, unsuitable

# Sent as headers, because browser histories and logs store URLs.
USER_ID, FILE_NAME, CONSENT = "X-User-Id", "X-File-Name", "X-Audience-Consent"


def upload(deployed: Deployed, headers: Headers, size: int | None, content: IO[bytes]) -> None:
    """Write `content`, of `size` bytes, as the recording that the percent-encoded `headers` name.

    The pipeline would reject the same recordings, but later; here the user sees the reason at once.

    Raises:
        OperationError: it can't be a recording of that patient; nothing was written.
    """
    user_id, file = _decoded(headers, USER_ID, "user id"), _decoded(headers, FILE_NAME, "file name")
    if not user_id:
        raise OperationError("Whose recording is it? Give the patient's user id, a pseudonym.")
    user_id = check_user_id(user_id, "The user id")
    if file in ("", ".", "..") or "/" in file:
        raise OperationError(f"{file!r} is no file name; rename the file.")
    if reason := unsuitable(file):
        raise OperationError(reason)
    if size is None:
        raise OperationError(f"The size of {file} is missing (Content-Length); drop the file on the page.")
    if size == 0:
        raise OperationError(f"{file} is empty (0 bytes); record it again.")
    if reason := refusal(size, None, {}):
        raise OperationError(reason)
    key = f"media/{user_id}/{file}"
    check_key(key)
    consent = headers.get(CONSENT) == "true"
    deployed.client("s3").upload_fileobj(content, deployed.media, key, ExtraArgs=description(file, consent=consent))


def _decoded(headers: Headers, name: str, what: str) -> str:
    try:
        return unquote(headers.get(name, ""), errors="strict")
    except UnicodeDecodeError:
        raise OperationError(f"The {what} isn't UTF-8 (the header {name}); drop the file on the page.") from None
