"""Finds the terms of the vocabulary in a text: the longest match at each place, site and complaint read as one name."""

from dataclasses import dataclass, field

from local.engines.entities.tokens import Token
from local.engines.entities.vocabulary import Term, Vocabulary
from local.engines.entities.words import word_list

MEDICAL_CONDITION = "MEDICAL_CONDITION"
ANATOMY = "ANATOMY"

_SITE_COMPLAINTS = word_list("complaint behind its site")
_ADJECTIVAL_SITES = word_list("adjective of a site")


@dataclass(slots=True)
class Span:
    """A piece of the text and what it was taken for. `tokens` are the indexes of its first and one past its last."""

    begin: int
    end: int
    term: Term
    tokens: tuple[int, int] = (0, 0)
    traits: list[str] = field(default_factory=list)


def match(tokens: list[Token], vocabulary: Vocabulary) -> list[Span]:
    """The longest vocabulary terms in `tokens`, left to right, without overlap. Terms never cross punctuation."""
    spans: list[Span] = []
    index = 0
    while index < len(tokens):
        found = _longest(tokens, index, vocabulary)
        if found is None:
            index += 1
            continue
        term, stop = found
        spans.append(Span(tokens[index].begin, tokens[stop - 1].end, term, (index, stop)))
        index = stop
    return _join_site_and_complaint(spans, tokens)


def _longest(tokens: list[Token], index: int, vocabulary: Vocabulary) -> tuple[Term, int] | None:
    longest = vocabulary.longest.get(tokens[index].key, 0)
    stop = index + 1
    while stop < len(tokens) and stop - index < longest and tokens[stop].joined:
        stop += 1
    for end in range(min(stop, index + longest), index, -1):
        term = vocabulary.terms.get(" ".join(token.key for token in tokens[index:end]))
        if term:
            return term, end
    return None


def _join_site_and_complaint(spans: list[Span], tokens: list[Token]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        first = span.tokens[0]
        if span.term.category == MEDICAL_CONDITION and tokens[first].key in _SITE_COMPLAINTS and tokens[first].joined:
            site = joined[-1] if joined else None
            if site and site.term.category == ANATOMY and site.tokens[1] == first:
                joined[-1] = Span(site.begin, span.end, span.term, (site.tokens[0], span.tokens[1]))
                continue
            if first and tokens[first - 1].key in _ADJECTIVAL_SITES and (not site or site.tokens[1] < first):
                span = Span(tokens[first - 1].begin, span.end, span.term, (first - 1, span.tokens[1]))
        joined.append(span)
    return joined
