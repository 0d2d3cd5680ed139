"""The pronunciation of a written word: numbers and units in words, and phones for words that no dictionary has."""

import re

_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_UNITS = {
    "mg": "milligrams",
    "mcg": "micrograms",
    "kg": "kilograms",
    "g": "grams",
    "ml": "milliliters",
    "cm": "centimeters",
    "mm": "millimeters",
    "%": "percent",
}
_PIECES = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*|%|\.(?=\d)", re.UNICODE)
_LONGEST_ACRONYM = 4
_ORDINAL_SUFFIXES = {"st", "nd", "rd", "th", "s"}

# Longest match first; CMUdict phones without stress. Rules of English spelling are good enough to find the time of a
# word, which needs only about the right number and kind of sounds.
_GRAPHEMES = {
    "tion": "SH AH N", "sion": "ZH AH N", "cian": "SH AH N", "cious": "SH AH S", "ture": "CH ER", "eigh": "EY",
    "ough": "AO", "augh": "AO", "igh": "AY", "tch": "CH", "dge": "JH", "sch": "SH", "chr": "K R", "cya": "S AY AH",
    "eau": "OW", "ear": "IH R", "eer": "IH R", "air": "EH R", "our": "AO R", "oor": "AO R", "ous": "AH S",
    "ium": "IY AH M", "ph": "F", "sh": "SH", "ch": "CH", "th": "TH", "wh": "W", "gh": "G", "ck": "K", "ng": "NG",
    "qu": "K W", "rh": "R", "ps": "P S", "kn": "N", "wr": "R", "ce": "S EH", "ci": "S IH", "cy": "S IY",
    "ge": "JH EH", "gi": "JH IH", "gy": "JH IY", "ee": "IY", "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW",
    "oi": "OY", "oy": "OY", "ai": "EY", "ay": "EY", "au": "AO", "aw": "AO", "ei": "IY", "ey": "IY", "ie": "IY",
    "oa": "OW", "oe": "IY", "ae": "IY", "ue": "UW", "ui": "UW", "eu": "Y UW", "ew": "Y UW", "ia": "IY AH",
    "io": "IY OW", "ar": "AA R", "er": "ER", "ir": "ER", "or": "AO R", "ur": "ER", "yr": "ER", "bb": "B", "cc": "K",
    "dd": "D", "ff": "F", "gg": "G", "ll": "L", "mm": "M", "nn": "N", "pp": "P", "rr": "R", "ss": "S", "tt": "T",
    "zz": "Z", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH",
    "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T",
    "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_LONGEST_GRAPHEME = max(map(len, _GRAPHEMES))
_AFTER_MAGIC_E = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "Y UW", "y": "AY"}
_MAGIC_E = re.compile(r"[aeiouy][bdfgklmnprstvz]e$")
_LETTER_NAMES = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
}  # fmt: skip


def spoken_words(written: str) -> list[str]:
    """The lower-case words a reader says for one written word: "10mg" -> ten milligrams, "ECG" -> e c g.

    Empty when nothing in it is said (a lone dash).
    """
    spoken: list[str] = []
    pieces = _PIECES.findall(written.replace("’", "'").replace(",", ""))
    for position, original in enumerate(pieces):
        after_number = position > 0 and pieces[position - 1].isdigit()
        piece = original.lower()
        if piece.isdigit():
            spoken += _number(piece)
        elif piece == ".":
            spoken.append("point")
        elif after_number and piece in _ORDINAL_SUFFIXES:
            continue
        elif after_number and piece in _UNITS:
            spoken.append(_UNITS[piece])
        elif original.isupper() and 2 <= len(original) <= _LONGEST_ACRONYM:
            spoken += piece
        else:
            spoken.append("percent" if piece == "%" else piece)
    return spoken


def pronounce(word: str) -> str:
    """CMUdict phones for a lower-case word, by English letter-to-sound rules; letter by letter if it has no vowel.

    Letters outside a-z are silent. A word of nothing else is one neutral vowel, so that it still has a length.
    """
    letters = "".join(letter for letter in word if "a" <= letter <= "z")
    if not letters:
        return "AH"
    if not set(letters) & set("aeiouy"):
        return " ".join(_LETTER_NAMES[letter] for letter in letters)
    long_vowel = len(letters) - 3 if _MAGIC_E.search(letters) else -1
    phones: list[str] = []
    at = 0
    while at < len(letters):
        if at == long_vowel:
            return " ".join([*phones, _AFTER_MAGIC_E[letters[at]], _GRAPHEMES[letters[at + 1]]])
        if at == len(letters) - 1 and letters[at] == "e" and phones:
            break
        for length in range(_LONGEST_GRAPHEME, 0, -1):
            grapheme = letters[at : at + length]
            if grapheme in _GRAPHEMES and not at < long_vowel < at + length:
                phones += _GRAPHEMES[grapheme].split()
                at += len(grapheme)
                break
    return " ".join(phones)


def _number(digits: str) -> list[str]:
    """Whole numbers below ten thousand the way a clinician reads them; longer ones and codes digit by digit."""
    if len(digits) > 4 or (len(digits) > 1 and digits[0] == "0"):
        return [_ONES[int(digit)] for digit in digits]
    value = int(digits)
    if value < 20:
        return [_ONES[value]]
    if value < 100:
        tens = [_TENS[value // 10 - 2]]
        return tens if value % 10 == 0 else [*tens, _ONES[value % 10]]
    if value < 1000:
        hundreds = [_ONES[value // 100], "hundred"]
        return hundreds if value % 100 == 0 else hundreds + _number(str(value % 100))
    if 1100 <= value < 2100 and value % 100 >= 10:  # as a year is read
        return _number(str(value // 100)) + _number(str(value % 100))
    thousands = [_ONES[value // 1000], "thousand"]
    return thousands if value % 1000 == 0 else thousands + _number(str(value % 1000))
