"""A page: the template with its style and script, which a policy lets run by their hashes, and nothing else."""

import base64
import hashlib
import re
from pathlib import Path

from lambdas.report.labels import escape
from lambdas.shared.storage import s3

_TEMPLATE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
# Where the recording may be played from: beside the page, a presigned address, the local AWS, a file that was picked.
_MEDIA_SOURCES = "'self' https: http://127.0.0.1:* http://localhost:* file: blob:"


def page(title: str, body: str) -> str:
    """The page as HTML. `title` is shown in tabs and kept in histories: ids only. `body` is HTML, escaped already."""
    return f"{_HEAD[0]}{_POLICY}{_HEAD[1]}{escape(title)}{_HEAD[2]}{body}{_TAIL}"


def write_page(bucket: str, key: str, html: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key=key,
        # Half of a surrogate pair, which JSON may hold and UTF-8 may not, becomes a replacement character.
        Body=html.encode(errors="xmlcharrefreplace"),
        ContentType="text/html; charset=utf-8",
        # Clinical data stay out of the caches on their way.
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
