"""Numbers as regular expressions: digits and, as speech-to-text writes them, words."""

_UNIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)"
_TEEN = r"(?:ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen)"
_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_WORD = rf"(?:{_TENS}|{_TEEN}|{_UNIT}|hundred|thousand)"
_FRACTION = r"(?:half(?: an?)?|a half|one half|a quarter|one and a half)"

WORDS = (
    rf"(?:an? (?=hundred|thousand))?{_WORD}(?:[ -](?:and )?{_WORD}\b){{0,6}}(?: point {_WORD}(?: {_WORD}\b){{0,3}})?"
)
"""Number words, as many as a number has: "eight point four", "one hundred and one", "one fifty two"."""

DIGITS = r"\d+(?:,\d{3})*(?:[./]\d+)?"

NUMBER = rf"(?:{DIGITS}|\b{WORDS}\b)"

QUANTITY = rf"(?:{DIGITS}|\b{_FRACTION}\b|\b{WORDS}\b)"
"""A number or a spoken fraction."""

RANGE = rf"(?:{QUANTITY}(?:(?: to | or |-){QUANTITY})?)"
"""A quantity or a span of two: "four to six"."""
