"""The console's routes: its page, and the page's requests, which use the AWS APIs."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from local.console import guard, reports, uploads, view
from operations.commands import message_of
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.executions import again, arn_of, redrive
from operations.refusals import AWS_ERRORS, sentence

_STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_logger = logging.getLogger(__name__)


def application(deployed: Deployed) -> Callable[..., Any]:
    """The WSGI application. An error is answered as text, a sentence for people."""

    def page(request: Request, file: str = "page.html") -> Response:
        return Response((_STATIC / file).read_bytes(), content_type=f"{_TYPES[Path(file).suffix]}; charset=utf-8")

    def executions(request: Request) -> Response:
        return _json(view.overview(deployed))

    def execution(request: Request, name: str) -> Response:
        return _json(view.details(deployed, name))

    def redriven(request: Request, name: str) -> Response:
        redrive(deployed, arn_of(deployed, name))
        return _json({"name": name})

    def started_again(request: Request, name: str) -> Response:
        return _json({"name": again(deployed, arn_of(deployed, name)).rpartition(":")[2]})

    def batch_page(request: Request, name: str, batch: str) -> Response:
        if batch != name:
            raise NotFound("An execution's batch has its name.")
        return reports.batch_page(deployed, name)

    def recording_page(request: Request, name: str, transcript: str) -> Response:
        if "audio" not in request.args:
            return redirect(f"{transcript}.html?audio={transcript}.audio")
        return reports.recording_page(deployed, name, transcript)

    def recording(request: Request, name: str, transcript: str) -> Response:
        return reports.recording(deployed, name, transcript, request.headers.get("Range"))

    def recordings(request: Request) -> Response:
        uploads.upload(deployed, request.headers, request.content_length, request.stream)
        return Response(status=201)

    urls = Map(
        [
            Rule("/", methods=["GET"], endpoint=page),
            Rule(
                "/<any('console.css', 'page.js', 'uploads.js', 'executions.js', 'icon.svg'):file>",
                methods=["GET"],
                endpoint=page,
            ),
            Rule("/recordings", methods=["POST"], endpoint=recordings),
            Rule("/executions", methods=["GET"], endpoint=executions),
            Rule("/executions/<name>", methods=["GET"], endpoint=execution),
            Rule("/executions/<name>/redrive", methods=["POST"], endpoint=redriven),
            Rule("/executions/<name>/again", methods=["POST"], endpoint=started_again),
            Rule("/executions/<name>/batches/<batch>/report.html", methods=["GET"], endpoint=batch_page),
            Rule("/executions/<name>/reports/<transcript>.html", methods=["GET"], endpoint=recording_page),
            Rule("/executions/<name>/reports/<transcript>.audio", methods=["GET"], endpoint=recording),
        ]
    )

    @Request.application
    def answer(request: Request) -> Response:
        try:
            guard.check(request)
            endpoint, arguments = urls.bind_to_environ(request.environ).match()
            response: Response = endpoint(request, **arguments)
        except RequestRedirect as found:
            response = redirect(found.new_url)
        except HTTPException as error:
            response = _text(error.description or error.name, error.code or 500)
        except OperationError as error:
            response = _text(str(error), 400)
        except AWS_ERRORS as error:
            response = _text(sentence(error), 502)
        except Exception as error:
            _logger.error("The console can't answer. %s", message_of(error))
            response = _text(message_of(error), 500)
        return guard.protect(response)

    return answer


def _json(document: Any) -> Response:
    return Response(json.dumps(document, ensure_ascii=False), content_type="application/json")


def _text(text: str, status: int) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
