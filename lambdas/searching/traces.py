"""The traces of patients: their user ids in every spelling, and the ids derived from their recordings.

Certain traces are a derived id (32 hexadecimal digits) and `media/<user_id>/`: they can name nobody else, and are
searched in all bytes. The bare user id may also be a word, a number or a part of another user id, so it is searched as
a value in files of our own, and as a whole word in unknown files.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote

from lambdas.shared.user_ids import canonical, owner_of, spellings

_RUN = re.compile(rb"[0-9a-f]{32,}")
_DIGITS = 32
# Each piece is searched with the end of the one before: longer than any key, even with all bytes escaped twice.
_OVERLAP = 8192


class Traces:
    """The traces of the patients with the canonical user ids `user_ids`, at least one.

    `ids` are their media and object ids, `others` are user ids that contain one of theirs, `seen` are the spellings of
    theirs that were found.
    """

    def __init__(
        self, user_ids: Iterable[str], ids: Iterable[str] = (), others: Iterable[str] = (), seen: Iterable[str] = ()
    ) -> None:
        self.user_ids = frozenset(user_ids)
        self.ids = frozenset(ids)
        self.others = frozenset(others)
        self._ids = frozenset(identifier.encode() for identifier in ids)
        self.names = frozenset(seen).union(*map(spellings, self.user_ids))
        self._folders = [f"media/{name}/" for name in self.names]
        self._paths = re.compile(b"|".join(map(re.escape, _escaped(self._folders))))
        own = b"|".join(map(re.escape, _escaped(self.names)))
        longer = _escaped(name for other in self.others for name in spellings(other))
        skipped = b"".join(re.escape(spelling) + b"|" for spelling in longer)
        # The longer ids come first, so that a match inside one of them doesn't count.
        self._word = re.compile(rb"(?<![\w-])(?:" + skipped + rb"(" + own + rb"))(?![\w-])")
        in_html = b"|".join(re.escape(html.escape(name).encode(errors="surrogatepass")) for name in self.names)
        # In our pages the user id stands in a recording's heading, and before the name of a file.
        self._in_page = re.compile(rb"Patient (?:" + in_html + rb")<|>(?:" + in_html + rb")/")

    def owns(self, key: str) -> bool:
        """Whether an object of this key is one patient's alone."""
        return owner_of(key) in self.user_ids or any(self._ids_in(key.encode()))

    def in_key(self, key: str) -> bool:
        segments = key.split("/")
        # Below media/, only the next segment is a user id.
        named = segments[1:2] if segments[0] == "media" else segments
        if self.owns(key) or not self.names.isdisjoint(named):
            return True
        return segments[0] != "media" and self.certain(key.encode())

    def certain(self, content: bytes) -> bool:
        """Whether the content holds a derived id or a path of a patient."""
        return any(self._ids_in(content)) or self._paths.search(content) is not None

    def in_text(self, text: str) -> bool:
        """Whether a value of a JSON document is the user id, or holds a certain trace."""
        if text in self.names:
            return True
        # JSON may hold a lone surrogate.
        return self.certain(text.encode(errors="surrogatepass")) or any(map(unquote(text).__contains__, self._folders))

    def in_json(self, document: Any) -> bool:
        if isinstance(document, str):
            return self.in_text(document)
        if isinstance(document, list):
            return any(map(self.in_json, document))
        if isinstance(document, dict):
            return any(self.in_text(name) or self.in_json(value) for name, value in document.items())
        return False

    def in_line(self, line: Any) -> bool:
        """Whether a line of JSON Lines is about a patient; quoted speech in another patient's line doesn't count."""
        owner = line.get("user_id") if isinstance(line, dict) else None
        if not isinstance(owner, str):
            return self.in_json(line)
        if canonical(owner) in self.user_ids:
            return True
        return self.certain(json.dumps(line, ensure_ascii=False).encode(errors="surrogatepass"))

    def in_row(self, user_id: str, object_id: str) -> bool:
        """Whether a row of an analysis table is a patient's; what others have said of them doesn't count."""
        return canonical(user_id) in self.user_ids or object_id.encode() in self._ids

    def in_page(self, content: bytes) -> bool:
        return self.certain(content) or self._in_page.search(content) is not None

    def anywhere(self, content: bytes) -> bool:
        """Whether the content holds a certain trace, or the user id as a whole word."""
        return self.certain(content) or any(match[1] for match in self._word.finditer(content))

    def anywhere_in(self, pieces: Iterable[bytes], *, words: bool) -> bool:
        """`anywhere` (without `words`, `certain`) for content in pieces, which needn't fit into memory."""
        end, begin = b"", 0
        for piece in pieces:
            content = end + piece
            if self.certain(content):
                return True
            # A word at the border of `content` may be part of a longer one, which the next piece or the end decides.
            if words and any(
                match[1] and match.start() >= begin and match.end() < len(content)
                for match in self._word.finditer(content)
            ):
                return True
            end = content[-_OVERLAP:]
            begin = begin or int(len(end) < len(content))
        return words and any(
            match[1] and match.start() >= begin and match.end() == len(end) for match in self._word.finditer(end)
        )

    def _ids_in(self, content: bytes) -> Iterator[bytes]:
        if not self._ids:
            return
        for run in _RUN.findall(content):
            for start in range(len(run) - _DIGITS + 1):
                if run[start : start + _DIGITS] in self._ids:
                    yield run[start : start + _DIGITS]


def _escaped(texts: Iterable[str]) -> list[bytes]:
    """The texts as JSON, HTML and URLs write them, the longest first; S3's access logs quote a quoted key again."""
    written = set[str]()
    for text in texts:
        once = quote(text, safe="", errors="surrogatepass")
        usual = quote(text, errors="surrogatepass")
        written |= {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], html.escape(text)}
        written |= {usual, quote(usual), once, quote(once)}
    return sorted((each.encode(errors="surrogatepass") for each in written), key=len, reverse=True)
