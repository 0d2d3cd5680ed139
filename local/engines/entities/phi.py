"""Protected health information by pattern: names with a title, ages, dates, numbers, addresses.

A name without a title ("Alice Brown came in") is not found: that would take a name model.
"""

import re

from local.engines.entities.matcher import Span
from local.engines.entities.numbers import WORDS
from local.engines.entities.vocabulary import Term

CATEGORY = "PROTECTED_HEALTH_INFORMATION"

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_ORDINAL = (
    r"(?:(?:twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
    r"|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth)"
)
_UNIT = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_SPOKEN_YEAR = (
    r"(?:(?:nineteen|twenty) (?:ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|oh)"
    rf"(?: {_UNIT})?|two thousand(?: (?:and )?\w+)?)"
)
_YEAR = rf"(?:(?:19|20)\d\d|{_SPOKEN_YEAR})"
_NAME = r"[A-Z][a-z]+(?:[-'’][A-Z]?[a-z]+)?"
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Doctor|Nurse|Prof|Professor)"
_FACILITY = (
    r"(?:Hospital|Medical Center|Clinic|Medical Group|Health Center|Nursing Home|Infirmary|Hospice|Emergency Room"
    r"|Rehabilitation Center|Health System|Surgery Center|Pharmacy)"
)
_STREET = r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place)"

_RECORD = (
    r"(?:mrn|medical record(?: number)?|record number|account(?: number)?|patient id|policy number|license number"
    r"|ssn|social security(?: number)?)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DECADE = r"(?:twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)"
_NOT_A_SURNAME = (
    r"(?:who|will|has|is|was|said|says|told|and|to|for|in|if|about|that|on|because|the|or|visits?|appointments?"
    r"|notes?)\b"
)
_NAMES = rf"(?P<phi>{_NAME}(?: {_NAME})?)"

# (type, score, pattern); the entity is the group "phi". Case matters where (?i:) is absent.
_PATTERNS = [
    ("EMAIL", 0.95, r"(?P<phi>\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b)"),
    ("URL", 0.95, r"(?P<phi>\b(?:https?://|www\.)\S+[\w/])"),
    ("ID", 0.95, r"(?P<phi>\b\d{3}-\d{2}-\d{4}\b)"),
    ("ID", 0.9, rf"(?i:\b{_RECORD}\s*(?:is|:|#|number)?\s*)(?P<phi>[A-Z]{{0,3}}-?\d[\d-]{{3,}})"),
    ("PHONE_OR_FAX", 0.95, r"(?P<phi>(?:\+?1[ .-])?(?:\(\d{3}\)\s?|\b\d{3}[-. ])\d{3}[-. ]\d{4}\b)"),
    ("PHONE_OR_FAX", 0.8, r"(?i:\b(?:call|phone|fax|extension|pager)\D{0,12})(?P<phi>\b\d{3}-\d{4}\b)"),
    ("DATE", 0.95, r"(?P<phi>\b\d{1,2}[/-]\d{1,2}[/-](?:\d{4}|\d{2})\b|\b\d{4}-\d{2}-\d{2}\b)"),
    ("DATE", 0.95, rf"(?i:(?P<phi>\b{_MONTH}\.? (?:the )?(?:{_DAY}|{_ORDINAL})\b(?:,? {_YEAR})?))"),
    ("DATE", 0.95, rf"(?i:(?P<phi>\b{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?\b))"),
    ("DATE", 0.9, rf"(?i:(?P<phi>\b{_MONTH} (?:of )?{_YEAR}\b))"),
    (
        "DATE",
        0.85,
        rf"(?i:\b(?:in|since|of|from|until|during|year|around) (?P<phi>{_YEAR})\b(?! ?(?:m[gl]|units|milli)))",
    ),
    ("AGE", 0.95, rf"(?i:(?P<phi>\b\d{{1,3}}|\b{WORDS})[- ](?:years?|months?|weeks?|days?)[- ]old\b)"),
    ("AGE", 0.9, r"(?i:(?P<phi>\b\d{1,3}) ?(?:y/?o|yrs? old)\b)"),
    ("AGE", 0.9, rf"(?i:\b(?:age|aged)(?: of)? (?P<phi>\d{{1,3}}|{WORDS})\b)"),
    ("AGE", 0.75, rf"(?i:\bin (?:his|her|their) (?:early |mid[ -]|late )?(?P<phi>{_DECADE})\b)"),
    ("NAME", 0.9, rf"\b{_TITLE}\b\.? {_NAMES}"),
    ("NAME", 0.75, rf"(?i:\b(?:mr|mrs|ms|miss|mister|doctor|dr)\b) (?P<phi>(?!{_NOT_A_SURNAME})[a-z]{{3,}})\b"),
    ("NAME", 0.85, rf"(?i:\b(?:patient(?:'s)? name(?: is|:)?|my name is|dictated by|named)) {_NAMES}"),
    ("ADDRESS", 0.85, rf"(?P<phi>\b(?:(?:St\.|Mount|{_NAME}(?:'s)?) ){{1,4}}{_FACILITY}\b)"),
    (
        "ADDRESS",
        0.9,
        rf"(?P<phi>\b\d{{1,5}} (?:[NSEW]\.? )?{_NAME}(?: {_NAME})? {_STREET}\b\.?"
        rf"(?:,? {_NAME}(?: {_NAME})?)?(?:,? [A-Z]{{2}})?(?: \d{{5}})?)",
    ),
    ("ADDRESS", 0.7, rf"(?i:\b(?:lives in|resides in|moved from)) (?P<phi>{_NAME}(?: {_NAME})?(?:, {_NAME})?)"),
]
_COMPILED = [(Term(CATEGORY, kind, "", score), re.compile(pattern)) for kind, score, pattern in _PATTERNS]


def protected_health_information(text: str) -> list[Span]:
    """Entities of the patterns, earlier patterns first where they overlap."""
    spans: list[Span] = []
    for term, pattern in _COMPILED:
        for found in pattern.finditer(text):
            begin, end = found.span("phi")
            if all(end <= other.begin or other.end <= begin for other in spans):
                spans.append(Span(begin, end, term))
    return spans
