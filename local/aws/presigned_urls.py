"""Presigned URLs of S3: their signature and expiry are checked, then the request continues as signed by a header.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
moto ignores such a signature. Buckets made after 24 June 2020 take signatures of version 4 only:
https://aws.amazon.com/blogs/aws/amazon-s3-update-sigv2-deprecation-period-extended-modified/
"""

import datetime
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from local.aws.credentials import OPERATOR_ACCESS_KEY_ID, caller_credentials
from local.aws.error_answers import error_answer

LONGEST_SECONDS = 604_800
_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = Config(s3={"payload_signing_enabled": False})


class Refused(Exception):
    """S3's refusal of a presigned URL: code, HTTP status and message."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(code, status, message)
        self.code, self.status, self.message = code, status, message


class Presigned(NamedTuple):
    """The parts of a presigned request; `pairs` are the query's encoded names and values, without the signature."""

    method: str
    url: str
    pairs: list[str]
    signature: Mapping[str, str]
    headers: Mapping[str, str]


class Middleware:
    """WSGI middleware that gives a request with a presigned URL an Authorization header."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")
        if "HTTP_AUTHORIZATION" not in environ and "Signature=" in query:
            try:
                _sign_by_header(environ)
            except Refused as refused:
                answer = error_answer("s3", refused.code, refused.status, refused.message)
                start_response(answer.status, answer.headers)
                return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]
        answered: Iterable[bytes] = self._application(environ, start_response)
        return answered


def _sign_by_header(environ: dict[str, Any]) -> None:
    presigned = _parse(environ)
    if presigned.signature.get("X-Amz-Algorithm") != _ALGORITHM:
        message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        raise Refused("InvalidRequest", 400, message)
    try:
        key_id, _, region, *_ = presigned.signature["X-Amz-Credential"].split("/")
        begun = datetime.datetime.strptime(presigned.signature["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        seconds = int(presigned.signature["X-Amz-Expires"])
        signed = presigned.signature["X-Amz-SignedHeaders"].split(";")
    except (KeyError, ValueError):
        message = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        message += "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        raise Refused("AuthorizationQueryParametersError", 400, message) from None
    if not 0 < seconds <= LONGEST_SECONDS:
        message = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less "
        raise Refused("AuthorizationQueryParametersError", 400, message + f"than {LONGEST_SECONDS} seconds")
    credentials = _credentials(key_id, presigned.signature.get("X-Amz-Security-Token"))
    if key_id != OPERATOR_ACCESS_KEY_ID:
        _check_signature(presigned, credentials, region, seconds, signed)
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    if now > begun + datetime.timedelta(seconds=seconds):
        raise Refused("AccessDenied", 403, "Request has expired")
    # Some SDKs put S3's headers into the query.
    names = {pair: pair.partition("=")[0].lower() for pair in presigned.pairs}
    moved = {names[pair]: unquote_plus(pair.partition("=")[2]) for pair in names if names[pair].startswith("x-amz-")}
    kept = [pair for pair in presigned.pairs if not pair.lower().startswith("x-amz-")]
    headers = {name: value for name, value in moved.items() if name.title() not in presigned.signature}
    request = AWSRequest(
        presigned.method, _with_query(presigned.url, kept), headers={"host": presigned.headers["host"]}
    )
    request.context["client_config"] = _UNSIGNED
    S3SigV4Auth(credentials, "s3", region).add_auth(request)
    for name, value in [*headers.items(), *request.headers.items()]:
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    environ["QUERY_STRING"] = "&".join(kept)


def _parse(environ: Mapping[str, Any]) -> Presigned:
    path, _, query = str(environ["RAW_URI"]).partition("?")
    pairs = [pair if "=" in pair else f"{pair}=" for pair in query.split("&")]
    values = {pair.partition("=")[0]: unquote_plus(pair.partition("=")[2]) for pair in pairs}
    headers = {
        name.removeprefix("HTTP_").lower().replace("_", "-"): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    return Presigned(
        environ["REQUEST_METHOD"],
        # The signature doesn't cover the scheme.
        f"https://{headers['host']}{path}",
        [pair for pair in pairs if not pair.startswith("X-Amz-Signature=")],
        {name: value for name, value in values.items() if name.startswith("X-Amz-")},
        headers,
    )


def _credentials(key_id: str, token: str | None) -> Credentials:
    found = caller_credentials(key_id)
    if found["aws_access_key_id"] != key_id:
        message = "The AWS Access Key Id you provided does not exist in our records."
        raise Refused("InvalidAccessKeyId", 403, message)
    if token != found.get("aws_session_token"):
        raise Refused("InvalidToken", 400, "The provided token is malformed or otherwise invalid.")
    return Credentials(key_id, found["aws_secret_access_key"], token)


def _check_signature(
    presigned: Presigned, credentials: Credentials, region: str, seconds: int, signed: list[str]
) -> None:
    headers = {name: presigned.headers.get(name, "") for name in signed}
    request = AWSRequest(presigned.method, _with_query(presigned.url, presigned.pairs), headers=headers)
    request.context["timestamp"] = presigned.signature["X-Amz-Date"]
    auth = S3SigV4QueryAuth(credentials, "s3", region, expires=seconds)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if not hmac.compare_digest(expected, presigned.signature["X-Amz-Signature"]):
        message = "The request signature we calculated does not match the signature you provided. Check your key and "
        raise Refused("SignatureDoesNotMatch", 403, message + "signing method.")


def _with_query(url: str, pairs: list[str]) -> str:
    return f"{url}?{'&'.join(pairs)}" if pairs else url
