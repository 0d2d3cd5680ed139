"""Protects the console from other pages in the same browser.

The console listens on the loopback interface, but every page in the browser can send requests there. A request under
another name (DNS rebinding) is refused by its Host; a request that would change something, by its Origin, which a
browser sends with every POST and no page can choose. The remaining requests have answers that no other page can read.
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
    """Refuse requests that the console's own page would not send.

    Raises:
        werkzeug.exceptions.HTTPException: with a sentence for the sender's log.
    """
    if request.host.rpartition(":")[0] not in _NAMES and request.host not in _NAMES:
        raise MisdirectedRequest("The console answers at http://127.0.0.1 and http://localhost only; use one of them.")
    if request.method not in ("GET", "HEAD") and request.headers.get("Origin") != f"http://{request.host}":
        raise Forbidden("Only the console's own page may do this: the request's Origin is another one, or missing.")


def protect(response: Response) -> Response:
    """Add the default headers that `response` doesn't set itself."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
