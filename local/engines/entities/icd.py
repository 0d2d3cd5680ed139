"""Names of diagnoses and symptoms out of ICD-10-CM, reworded from the way a classification names things to speech."""

import re
from collections.abc import Iterator

import simple_icd_10_cm  # type: ignore[import-untyped]

from local.engines.entities.words import word_list

SYMPTOM = "SYMPTOM"
DIAGNOSIS = "DIAGNOSIS"

_CHAPTERS = frozenset("ABCDEFGHIJKLMNOPQRST")  # V to Y are causes of injury, Z is contact with health services
_RESIDUAL = re.compile(
    r"\s*\([^)]*\)|\s*\[[^]]*\]|,? (?:unspecified|not elsewhere classified|not specified as .*|site not specified"
    r"|(?:initial|subsequent) encounter.*|sequela|nos)\b.*",
    re.I,
)
_QUALIFIER = re.compile(
    r"^(?:unspecified|other(?: and unspecified)?|mild|moderate|severe|left|right|bilateral|subacute|acute|chronic"
    r"|simple|nonspecific|localized|generalized|idiopathic|primary|secondary|recurrent|essential|benign|congenital"
    r"|acquired|mixed|persistent|single|hereditary|familial|other specified|infective|nontraumatic|traumatic"
    r"|spontaneous|systemic)(?: (?:and|or) \w+)? "
)
_COURSE = re.compile(r"^(?:(?:sub)?acute|chronic|recurrent|persistent|mild|moderate|severe|left|right|bilateral)\b")
_COMPLEMENT = re.compile(r",| (?:of|and|with|without|due|in|or|following|during|caused|affecting|involving|to|from) ")
_CANCER = re.compile(r"^malignant neoplasm of (\w+(?: \w+)?)$")
_DISEASE_WORD = re.compile(
    r"(?:itis|osis|emia|aemia|oma|pathy|algia|uria|plegia|rrhea|rrhage|sclerosis|iasis|ectasis|penia|trophy|philia"
    r"|phobia|lepsy|esthesia|cele|ectasia|lithiasis|megaly|malacia|dynia|edema|spasm|tension|thyroidism)s?$"
)
_LONGEST_CODE = len("S52.501")  # a seventh character only says which encounter it is
_MAXIMUM_WORDS = 4
_SHORTEST_NAME = 5
_NO_START = word_list("never first in a condition")
_NO_END = word_list("never last in a condition")
_NOT_A_CONDITION = word_list("not a condition")


def conditions() -> Iterator[tuple[str, str, bool]]:
    """(name in lower case, "SYMPTOM" or "DIAGNOSIS", whether the name was reworded) for each usable name.

    Names come from the descriptions and the inclusion terms of all chapters but external causes and contact factors.
    Reworded names have lost a qualifier ("acute") or a complement ("of the knee"); a single reworded word counts only
    if its ending is that of a disease ("-itis"). Names of more than four words are left out: nobody says them.
    """
    for code in simple_icd_10_cm.get_all_codes():
        if code[0] not in _CHAPTERS or len(code) > _LONGEST_CODE or simple_icd_10_cm.is_chapter_or_block(code):
            continue
        trait = SYMPTOM if code[0] == "R" and code < "R70" else DIAGNOSIS
        for name in (simple_icd_10_cm.get_description(code), *simple_icd_10_cm.get_inclusion_term(code)):
            official = _RESIDUAL.sub("", name).strip().lower()
            if _usable(official) and not _COURSE.match(official):
                yield official, trait, False
            for reworded in _rewordings(official):
                if _usable(reworded) and (" " in reworded or _DISEASE_WORD.search(reworded)):
                    yield reworded, trait, True


def _rewordings(name: str) -> Iterator[str]:
    cancer = _CANCER.match(name)
    if cancer:
        yield f"{cancer.group(1)} cancer"
        return
    unqualified = _QUALIFIER.sub("", name)
    for variant in (name, unqualified):
        if _COURSE.match(variant):
            continue  # what the course or side is, is an attribute of the condition, not part of its name
        yield variant
        yield _COMPLEMENT.split(variant, maxsplit=1)[0]


def _usable(name: str) -> bool:
    words = name.split()
    if len(name) < _SHORTEST_NAME or not 0 < len(words) <= _MAXIMUM_WORDS or not name[0].isalpha() or "," in name:
        return False
    if words[0] in _NO_START or words[-1] in _NO_END or "score" in words:
        return False
    return not all(word.rstrip("s") in _NOT_A_CONDITION or word in _NOT_A_CONDITION for word in words)
