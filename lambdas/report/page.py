"""A page: the template with its style and script. The content security policy allows only these, by their hashes."""

import base64
import hashlib
import re
from pathlib import Path

from lambdas.report.labels import escape
from lambdas.shared.storage import s3

_TEMPLATE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
# Sources of the recording: a file beside the page, a presigned URL, the local AWS, or a file that the reader picks.
_MEDIA_SOURCES = "'self' https: http://127.0.0.1:* http://localhost:* file: blob:"


def page(title: str, body: str) -> str:
    """The page as HTML. `title` must have ids only, because browsers store titles. `body` is HTML, already escaped."""
    return f"{_HEAD[0]}{_POLICY}{_HEAD[1]}{escape(title)}{_HEAD[2]}{body}{_TAIL}"


def write_page(bucket: str, key: str, html: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key=key,
        # A lone surrogate, which JSON allows and UTF-8 doesn't, becomes a character reference.
        Body=html.encode(errors="xmlcharrefreplace"),
        ContentType="text/html; charset=utf-8",
        # Proxies must not cache clinical data.
        CacheControl="private, no-store",
    )


def _source_of(element: str) -> str:
    """The CSP source that allows the template's one inline `element`."""
    (content,) = re.findall(rf"<{element}>(.*?)</{element}>", _TEMPLATE, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


_POLICY = (
    f"default-src 'none'; style-src {_source_of('style')}; script-src {_source_of('script')}; "
    f"media-src {_MEDIA_SOURCES}; base-uri 'none'; form-action 'none'"
)
*_HEAD, _TAIL = re.split("<!--(?:policy|title|body)-->", _TEMPLATE)
