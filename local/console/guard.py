"""Keeps other pages of the same browser out.

The console listens on the loopback interface, but every page that the browser shows can send requests there. One that
comes under another name (DNS rebinding) is refused by its Host; one that would change something, by its Origin, which a
browser sends with every POST and no page can choose. What remains is a request whose answer no other page can read.
"""

from werkzeug.exceptions import Forbidden, MisdirectedRequest
from werkzeug.wrappers import Request, Response

_NAMES = ("127.0.0.1", "localhost")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Clinical data stay out of the browser's cache.
    "Cache-Control": "no-store",
}


def check(request: Request) -> None:
    """Refuse what the console's own page would not send.

    Raises:
        werkzeug.exceptions.HTTPException: with a sentence for the log of whoever tries it.
    """
    if request.host.rpartition(":")[0] not in _NAMES and request.host not in _NAMES:
        raise MisdirectedRequest("The console answers at http://127.0.0.1 and http://localhost only; use one of them.")
    if request.method not in ("GET", "HEAD") and request.headers.get("Origin") != f"http://{request.host}":
        raise Forbidden("This takes the console's own page: the request's Origin is another one, or it has none.")


def protect(response: Response) -> Response:
    """Give `response` the headers that it doesn't set itself."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
