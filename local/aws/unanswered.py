"""Answers calls that moto leaves without one, in the shape of the service's protocol, never as HTML.

An operation that doesn't exist here is refused by name: `NotImplemented`, HTTP 501, which SDKs don't repeat. Any other
exception becomes the service's internal error (`local.aws.fault_answers`) with a line in the log, which names the
exception and its place, but not its message: that could quote the request.
"""

import logging
import traceback
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import flask
from botocore.exceptions import BotoCoreError
from moto.core.request import Request, normalize_request
from moto.core.routing import get_service_router
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from local.aws import signatures
from local.aws.error_answers import ErrorAnswer, error_answer
from local.aws.fault_answers import internal_error

_METADATA = ("Configuration", "TableConfiguration")
CODE, STATUS = "NotImplemented", 501

# moto takes these for calls on the bucket or the object itself: it would delete the bucket, or overwrite the object.
MISSING_IN_S3 = frozenset(
    {
        *(f"{verb}Bucket{name}Configuration" for verb in ("Get", "Put", "Delete") for name in ("Analytics", "Metrics")),
        *(f"{verb}BucketIntelligentTieringConfiguration" for verb in ("Get", "Put", "Delete")),
        *(f"ListBucket{name}Configurations" for name in ("Analytics", "IntelligentTiering", "Metrics")),
        *(f"{verb}BucketMetadata{name}" for verb in ("Create", "Delete", "Get") for name in _METADATA),
        *(f"UpdateBucketMetadata{name}TableConfiguration" for name in ("Annotation", "Inventory", "Journal")),
        *(f"{verb}ObjectAnnotation" for verb in ("Delete", "Get", "Put")),
        *(f"{verb}Bucket{name}" for verb in ("Get", "Put") for name in ("Abac", "RequestPayment")),
        *("CreateSession", "DeleteBucketInventoryConfiguration", "GetObjectRetention", "GetObjectTorrent"),
        *("ListObjectAnnotations", "RenameObject", "UpdateObjectEncryption", "WriteGetObjectResponse"),
    }
)

_log = logging.getLogger(__name__)


class Server:
    """moto's server as a WSGI application, with these answers."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(_create_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            if not _is_missing_in_s3(request):
                return self._application(environ, start_response)  # type: ignore[no-any-return]
        except Exception as error:
            # moto has no such service, and has read nothing of the request.
            _log_failure(request, error)
        answer = not_implemented(request)
        start_response(answer.status, answer.headers)
        return [answer.body]


def _is_missing_in_s3(request: Request) -> bool:
    # S3's operations are told apart without the body, which only moto may read.
    if _service(request) != "s3" or not (request.query_string or request.method == "POST"):
        return False
    return called(request)[1] in MISSING_IN_S3


def _create_app(service: Any) -> flask.Flask:
    application = create_backend_app(service)
    application.register_error_handler(Exception, _answer)
    return application


def _answer(error: Exception) -> Any:
    """Flask's answer to an exception of one of moto's functions, or to a request for which moto has none."""
    request = normalize_request(flask.request)  # type: ignore[arg-type]
    if isinstance(error, NotFound) and _service(request) == "s3" and request.method in ("GET", "HEAD"):
        # moto can't store an object whose key has more than one line, so there is none.
        answer = error_answer("s3", "NoSuchKey", 404, "The specified key does not exist.")
    elif isinstance(error, NotImplementedError | NotFound | MethodNotAllowed):
        answer = not_implemented(request)
    elif isinstance(error, HTTPException):
        # An error of a service, in moto's form.
        return error
    else:
        answer = _failed(request, error)
    return flask.Response(answer.body, answer.status, answer.headers)


def not_implemented(request: Request) -> ErrorAnswer:
    """The answer to a call of an operation that the local AWS lacks."""
    service, operation = called(request)
    message = f"{operation} of {service} is not implemented by the local AWS"
    return error_answer(service, CODE, STATUS, message, query=_is_form(request))


def _failed(request: Request, error: Exception) -> ErrorAnswer:
    service, operation = called(request)
    _log_failure(request, error)
    code, status = internal_error(service)
    message = f"{operation} of {service} failed in the local AWS; its log names the exception"
    return error_answer(service, code, status, message, query=_is_form(request))


def _log_failure(request: Request, error: Exception) -> None:
    service, operation = called(request)
    place = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s of %s failed: %s in %s:%s", operation, service, type(error).__name__, place.filename, place.lineno)


def _is_form(request: Request) -> bool:
    return str(request.content_type).startswith("application/x-www-form-urlencoded")


def _service(request: Request) -> str:
    return signatures.service_of(
        request.headers.get("Authorization") or unquote(request.query_string.decode("latin-1"))
    )


def called(request: Request) -> tuple[str, str]:
    """boto3's name of the called service, and the operation."""
    service = _service(request)
    try:
        return service, str(get_service_router(service).match(request)[0].name)
    except (HTTPException, BotoCoreError):
        target = request.headers.get("X-Amz-Target") or request.args.get("Action")
        return service or "an unsigned request", target or f"{request.method} {request.path}"
