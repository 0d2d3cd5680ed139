"""Everyday words that are clinical terms only in some contexts: "back" the site, not "come back"."""

import re

from local.engines.entities.matcher import Span

_BODY = r"(?:\b(?:my|his|her|the|your|their|low|lower|upper|mid|middle|left|right|of|in|on|and)\s+)$"

# term -> (what must stand before, what must not stand behind); None: anything.
_COMPANY: dict[str, tuple[str | None, str | None]] = {
    "back": (_BODY, r"\s+(?:and forth|to\b|in\b|home|up\b|from\b)"),
    "temple": (_BODY, None),
    "calf": (_BODY, None),
    "palm": (_BODY, None),
    "head": (None, r"\s+(?:of|to|for|home|back)\b"),
    "face": (_BODY, None),
    "discharge": (
        None,
        r"\s+(?:home|instructions?|summary|from (?:the )?hospital|date|planning|to|plan|medications?)\b",
    ),
    "black": (None, r"(?!\s+(?:male|female|man|woman|patient|gentleman|lady|boy|girl|american))"),
    "white": (None, r"(?!\s+(?:male|female|man|woman|patient|gentleman|lady|boy|girl))"),
    "drinks": (None, r"\s+(?:\w+\s+){0,4}(?:water|fluids?|coffee|tea|milk|juice|soda)\b"),
    "drinking": (None, r"\s+(?:\w+\s+){0,4}(?:water|fluids?|coffee|tea|milk|juice|soda)\b"),
    "drink": (None, r"\s+(?:\w+\s+){0,4}(?:water|fluids?|coffee|tea|milk|juice|soda)\b"),
    "weight": (None, r"(?!\s+(?:is|was|of|today|has|:|\d))"),
    "height": (None, r"(?!\s+(?:is|was|of|:|\d))"),
    "culture": (None, r"(?!\s+(?:was|is|came|grew|showed|pending|results?|sent))"),
    "temp": (None, r"(?!\s+(?:is|was|of|:|\d))"),
    "ph": (None, r"(?!\s+(?:is|was|of|:|\d))"),
    "pulse": (None, r"\s+(?:was felt|rate)\b"),
    "exercise": (r"\b(?:diet and|regular|daily|more|aerobic|of|with|and)\s+$", None),
    "mouth": (r"(?<!\bby)\s+$", None),
}
_COMPILED = {
    term: (re.compile(before, re.I) if before else None, re.compile(behind, re.I) if behind else None)
    for term, (before, behind) in _COMPANY.items()
}
_LOOK_BACK = 12


def in_clinical_company(text: str, span: Span) -> bool:
    """Whether the words of `span` have their clinical meaning here; True for words without another meaning."""
    before, behind = _COMPILED.get(text[span.begin : span.end].lower(), (None, None))
    if before and not before.search(text, max(0, span.begin - _LOOK_BACK), span.begin):
        return False
    return not (behind and behind.match(text, span.end))
