"""Values and units of tests: "blood pressure today is one fifty two over ninety four"."""

import re

from local.engines.entities.attributes import Attribute
from local.engines.entities.matcher import Span
from local.engines.entities.numbers import NUMBER

CATEGORY = "TEST_TREATMENT_PROCEDURE"

_FILLER = (
    r"(?:level|count|reading|result|score|today|yesterday|this|morning|currently|now|here|was|is|are|were|of|at"
    r"|has been|been|came back|come back|back|measured|remains?|remained|around|about|approximately|up to|down to"
    r"|only|still|very|mildly|slightly|in the office|at home|on arrival|which|found to be|last|night|week|month)"
)
_VALUE = (
    rf"(?:{NUMBER}(?:\s?(?:over|/|to|-)\s?{NUMBER})?|within normal limits|normal|abnormal|negative|positive|elevated"
    r"|unremarkable|reactive|nonreactive|high|low|stable|undetectable|regular|irregular)"
)
_UNIT = (
    r"(?:mg/dl|g/dl|mmol/l|meq/l|ng/ml|pg/ml|iu/l|u/l|mm ?hg|millimeters of mercury|bpm|beats per minute"
    r"|beats a minute|breaths per minute|percent|%|degrees(?: (?:fahrenheit|celsius))?|pounds|lbs?|kilograms?|kg"
    r"|centimeters?|cm|inches|milligrams per deciliter|grams per deciliter|millimoles per liter|(?:k/u|10\^3/µ)l"
    r"|mm/hr)"
)
_RESULT = re.compile(
    rf"(?:[\s:=,]+{_FILLER}\b){{0,5}}[\s:=]+(?P<value>{_VALUE})(?![\w])(?:\s?(?P<unit>{_UNIT})(?!\w))?", re.IGNORECASE
)


def measurement_attributes(text: str, sentence_end: int, spans: list[Span]) -> list[Attribute]:
    """The value, and unit if there is one, that follows each test among `spans` before the sentence ends."""
    attributes = []
    for test in spans:
        result = _RESULT.match(text, test.end, sentence_end) if test.term.type == "TEST_NAME" else None
        if not result or any(span.begin < result.end("value") and result.start("value") < span.end for span in spans):
            continue
        for group, kind in (("value", "TEST_VALUE"), ("unit", "TEST_UNIT")):
            if result.group(group):
                attributes.append(Attribute(result.start(group), result.end(group), CATEGORY, kind, kind, test))
    return attributes
