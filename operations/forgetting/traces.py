"""What names one patient: the user id in every spelling, and the ids that were derived from their recordings.

Two kinds of traces. A derived id (32 hexadecimal digits) and `media/<user_id>/` can stand for nobody else and are
looked for in every byte. The bare user id may also be a word, a number or a part of somebody else's, so it is looked
for as a value in files of our own, and as a whole word in files that we don't know.
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
# How much of a piece is looked at again with the next one: longer than any key, however often its bytes were escaped.
_OVERLAP = 8192


class Traces:
    """Of the patient whose canonical user id is `user_id`.

    `ids` are their media and object ids, `others` user ids that contain theirs, `seen` the spellings of theirs that
    were found.
    """

    def __init__(
        self, user_id: str, ids: Iterable[str] = (), others: Iterable[str] = (), seen: Iterable[str] = ()
    ) -> None:
        self.user_id = user_id
        self.ids = frozenset(identifier.encode() for identifier in ids)
        self._names = spellings(user_id).union(seen)
        self._folders = [f"media/{name}/" for name in self._names]
        self._paths = re.compile(b"|".join(map(re.escape, _escaped(self._folders))))
        own = b"|".join(map(re.escape, _escaped(self._names)))
        longer = _escaped(name for other in others for name in spellings(other))
        skipped = b"".join(re.escape(spelling) + b"|" for spelling in longer)
        # The longer ids come first, so that what is a part of them is not found.
        self._word = re.compile(rb"(?<![\w-])(?:" + skipped + rb"(" + own + rb"))(?![\w-])")
        in_html = b"|".join(re.escape(html.escape(name).encode(errors="surrogatepass")) for name in self._names)
        # As our pages write it: the patient of a recording, and the beginning of a file's name.
        self._in_page = re.compile(rb"Patient (?:" + in_html + rb")<|>(?:" + in_html + rb")/")

    def owns(self, key: str) -> bool:
        """Whether an object of this key is the patient's as a whole."""
        return owner_of(key) == self.user_id or any(self._ids_in(key.encode()))

    def in_key(self, key: str) -> bool:
        segments = key.split("/")
        # Below media/, only the segment behind it is a user id.
        named = segments[1:2] if segments[0] == "media" else segments
        if self.owns(key) or not self._names.isdisjoint(named):
            return True
        return segments[0] != "media" and self.certain(key.encode())

    def certain(self, content: bytes) -> bool:
        """Whether a derived id or a path of theirs is anywhere in it."""
        return any(self._ids_in(content)) or self._paths.search(content) is not None

    def in_text(self, text: str) -> bool:
        """Whether a value of a JSON document is the user id, or holds a certain trace."""
        if text in self._names:
            return True
        # A surrogate may stand alone in JSON.
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
        """Whether a line of a JSON Lines file is about the patient; what another's line quotes as said is not."""
        owner = line.get("user_id") if isinstance(line, dict) else None
        if not isinstance(owner, str):
            return self.in_json(line)
        if canonical(owner) == self.user_id:
            return True
        return self.certain(json.dumps(line, ensure_ascii=False).encode(errors="surrogatepass"))

    def in_page(self, content: bytes) -> bool:
        return self.certain(content) or self._in_page.search(content) is not None

    def anywhere(self, content: bytes) -> bool:
        """Whether the user id is in it as a whole word, or any certain trace."""
        return self.certain(content) or any(match[1] for match in self._word.finditer(content))

    def anywhere_in(self, pieces: Iterable[bytes], *, words: bool) -> bool:
        """`anywhere`, or without `words` `certain`, for content that is too large to be held at once."""
        kept, begin = b"", 0
        for piece in pieces:
            content = kept + piece
            if self.certain(content):
                return True
            # A word at a border of what is held may be a part of a longer one; the next piece, or the last one, tells.
            if words and any(
                match[1] and match.start() >= begin and match.end() < len(content)
                for match in self._word.finditer(content)
            ):
                return True
            kept = content[-_OVERLAP:]
            begin = begin or int(len(kept) < len(content))
        return words and any(
            match[1] and match.start() >= begin and match.end() == len(kept) for match in self._word.finditer(kept)
        )

    def _ids_in(self, content: bytes) -> Iterator[bytes]:
        if not self.ids:
            return
        for run in _RUN.findall(content):
            for start in range(len(run) - _DIGITS + 1):
                if run[start : start + _DIGITS] in self.ids:
                    yield run[start : start + _DIGITS]


def _escaped(texts: Iterable[str]) -> list[bytes]:
    """As they may be written in JSON, HTML and URLs, the longest first; S3's access logs quote a key again."""
    written = set[str]()
    for text in texts:
        once = quote(text, safe="", errors="surrogatepass")
        usual = quote(text, errors="surrogatepass")
        written |= {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], html.escape(text)}
        written |= {usual, quote(usual), once, quote(once)}
    return sorted((each.encode(errors="surrogatepass") for each in written), key=len, reverse=True)
