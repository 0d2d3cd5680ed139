"""Words that open and close the scope of a trait: the rules of `context`, as data.

Written for dictations; tuned on the development set of the tests only.
"""

import re
from typing import NamedTuple

from local.engines.entities.matcher import MEDICAL_CONDITION

NEGATION = "NEGATION"
PERTAINS_TO_FAMILY = "PERTAINS_TO_FAMILY"
HYPOTHETICAL = "HYPOTHETICAL"
PAST_HISTORY = "PAST_HISTORY"
FUTURE = "FUTURE"


class Trigger(NamedTuple):
    """`opens` starts a scope of `trait` that runs to the end of the sentence (`backward`: to its beginning).

    The scope ends before `closes`, and before an entity that is more than `longest_gap` words behind the last one. Only
    entities of `categories` get the trait.
    """

    trait: str
    categories: frozenset[str]
    opens: re.Pattern[str]
    closes: re.Pattern[str]
    longest_gap: int | None = None
    backward: bool = False


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(alternatives)})\b")


_MEDICATION = "MEDICATION"
_TEST = "TEST_TREATMENT_PROCEDURE"
_SOCIAL = "BEHAVIORAL_ENVIRONMENTAL_SOCIAL"
_CONDITIONS = frozenset({MEDICAL_CONDITION})

_RELATIVE = (
    r"(?:mother|mom|father|dad|parents?|brothers?|sisters?|siblings?|(?:half|step)[ -]?(?:brother|sister)|aunts?"
    r"|uncles?|cousins?|grand(?:mother|father|ma|pa|parents?|son|daughter)|maternal|paternal|sons?|daughters?"
    r"|nephew|niece)"
)
_SUBJECT = r"(?:he|she|they|we|i|it|patient(?: (?:him|her)self)?|pt)"
_CLAUSE = (
    r"(?:but|however|although|though|except|yet|which|because|due to|secondary to|since|so(?! far)|then|therefore)"
)
_STATEMENT = (
    r"(?:there (?:is|are|was)|reports?|complains?|presents?|admits?|endorses?|shows?|showed|reveals?|has|have|had|is"
    r"|are|was|were|will|takes?|drinks?|smokes?|uses?|does|do|gets?|start(?:ed)?|continue|treated|managed|controlled)"
)
_NOT_AUXILIARY = r"(?:do|does|did|has|have|had|is|are|was|were)(?: not|n't)"
_HEDGED = r"(?! (?:only|sure|certain|clear)\b)"
_POSSESSIVE = r"(?:his|her|my|their|the|a|both)"

_NEGATED = (
    Trigger(
        NEGATION,
        frozenset({MEDICAL_CONDITION, _SOCIAL, _MEDICATION}),
        _any(
            r"no(?! (?:change|increase|decrease|improvement|doubt|longer|relief|further|known cause)\b)",
            r"(?:denie[sd]|deny|denying)(?: (?:that )?(?:he|she|they|i) (?:has|have|had))?(?: having| any)*",
            rf"{_NOT_AUXILIARY}{_HEDGED}"
            r"(?: (?:have|has|had|currently|report|use|take|taking|been|show|any|on|experience|see|complain of))*",
            r"not(?! (?:only|sure|certain|clear|controlled|well|improv|sleep|enlarged|able)\w*\b)",
            *("without", "negative for", "absence of", "lack of", "free of", "never(?: had)?", "nor", "neither"),
            r"(?:can|could)(?:not|n't| not) (?:see|find|detect|feel)",
            *("rule[sd]? out for", "instead of"),
        ),
        _any(_CLAUSE, _SUBJECT, _STATEMENT, _RELATIVE, "and (?:his|her|my|their)", "for", "no"),
        longest_gap=5,
    ),
    Trigger(
        NEGATION,
        frozenset({_MEDICATION, _TEST}),
        _any(
            *("stop(?:ped|ping)?(?: taking| using)?", "discontinued?", "discontinuing", "hold(?:ing)?", "held", "quit"),
            *("off of", "came off", "avoid", "allergic to"),
            "no longer (?:taking|takes|on|uses|using)",
            "not (?:currently )?(?:taking|on|using)",
            "(?:den(?:ies|ied)|denying) (?:taking|using)",
            "never (?:treated with|took|taken|received|used)",
            "(?:do|does|did)(?: not|n't) (?:take|use)",
        ),
        _any(_CLAUSE, _SUBJECT, "start", "continue", "increase", "switch(?:ed)? to", "for"),
        longest_gap=4,
    ),
    Trigger(
        NEGATION,
        _CONDITIONS,
        _any(
            "(?:is|are|was|were|has been|have been) (?:ruled out|absent|denied|negative|excluded)",
            *("unlikely", "ruled out", "not (?:seen|present|found|detected)"),
        ),
        _any(_CLAUSE, _SUBJECT),
        longest_gap=4,
        backward=True,
    ),
)

_OF_RELATIVES = (
    Trigger(
        PERTAINS_TO_FAMILY,
        _CONDITIONS,
        _any(rf"{_RELATIVE}(?:'s)?", "family(?: (?:medical )?history)?"),
        _any("but", "however", _SUBJECT, "my"),
    ),
    Trigger(
        PERTAINS_TO_FAMILY,
        _CONDITIONS,
        _any(rf"(?:in|on) (?:{_POSSESSIVE} )?(?:(?:maternal|paternal|older|younger) )?{_RELATIVE}"),
        _any(_CLAUSE, _SUBJECT, _RELATIVE),
        longest_gap=4,
        backward=True,
    ),
)

_SUPPOSED = (
    Trigger(
        HYPOTHETICAL,
        _CONDITIONS,
        _any(
            *("if(?: not)?", "in case(?: of)?", "should (?:he|she|they|you|there be)", "unless", "return for"),
            *("(?:watch|monitor)(?:ing)? for", "risk (?:of|for|factors for)", "prevent(?:ion of)?", "prophylaxis for"),
            *("screen(?:ing|ed)? for", "call (?:us |me )?(?:for|with)"),
        ),
        _any(
            *("but", "however", "then", "(?:he|she|they|you|patient) (?:should|will|may|must|can)"),
            *("return(?: to)?", "go to", "call", "stop"),
        ),
    ),
    Trigger(
        HYPOTHETICAL,
        _CONDITIONS,
        _any(
            *("possibl[ey]", "probabl[ey]", "likely", "presum(?:ed|ptive)", "rule out", "r/o", "versus"),
            *("concern(?:s|ed|ing)? (?:for|about|of)", "worr(?:y|ied|isome) (?:about|for)", "suspect(?:ed|s|ing)?"),
            *("suspici(?:on|ous) (?:of|for)", "suggest(?:s|ive of|ing)", "question of", "questionable"),
            *("to exclude", "cannot exclude", "differential (?:diagnosis )?(?:includes|of)"),
            "(?:may|might|could)(?: also)? (?:have|be|represent|indicate|suggest)(?: an?)?",
            r"(?:evaluat\w+|workup|assess\w*|test\w*|check\w*|look\w*) for",
        ),
        _any(_CLAUSE, _SUBJECT, _STATEMENT, "no", "send", "order"),
        longest_gap=4,
    ),
    Trigger(
        HYPOTHETICAL,
        _CONDITIONS,
        _any(
            "(?:can ?not|can't|could not|not) be (?:excluded|ruled out)",
            *("is (?:suspected|possible|likely)", "not (?:been )?(?:excluded|ruled out)"),
        ),
        _any(_CLAUSE, _SUBJECT),
        longest_gap=3,
        backward=True,
    ),
)

_IN_TIME = (
    Trigger(
        PAST_HISTORY,
        frozenset({MEDICAL_CONDITION, _TEST, _MEDICATION, _SOCIAL}),
        _any(
            "(?<!family )(?<!family medical )history (?:of|includes?|(?:is )?(?:notable|significant|positive) for)",
            "past medical history(?: of| includes?| is)?",
            *("past surgical history", "pmh", "h/o", "previous(?:ly)?(?: had| diagnosed with)?", "prior", "remote"),
            *("status post", "s/p", "in the past", "former(?:ly)?", "ex", "childhood", "used to", "resolved"),
        ),
        _any(
            *("but", "however", "now", "currently", "takes", "here", "presents?", "who", "today", "on", "comes?", "no"),
            "(?:he|she|they|i) (?:is|takes|denies|has|reports)",
        ),
        longest_gap=6,
    ),
    Trigger(
        FUTURE,
        frozenset({_TEST}),
        _any(
            "scheduled? (?:for|to)",
            "will (?:obtain|get|order|check|send|repeat|have|need|undergo|start|begin|do|schedule|refer)",
            *("schedule", "plan(?:s|ned|ning)?(?: for| to)?", "order(?:ing)?", "recheck", "repeat", "obtain"),
            *("refer(?:red)? (?:for|to)", "recommend(?:ed)?", "arrange(?: for)?", "send(?: for| an?)?", "follow up"),
            *("(?:going|due|needs?|set) (?:to|for)(?: have| get)?", "next (?:week|month|visit)"),
        ),
        _any("but", "however", "showed", "shows", "was", "were", "to rule out", "for", "today"),
        longest_gap=4,
    ),
    Trigger(
        FUTURE,
        frozenset({_TEST}),
        _any(
            "(?:is |was |has been )?(?:scheduled|ordered|planned|pending|recommended|requested)",
            *("will (?:be|begin|start)", "to be (?:done|scheduled|drawn)"),
        ),
        _any(_CLAUSE, _SUBJECT),
        longest_gap=2,
        backward=True,
    ),
)

TRIGGERS = (*_NEGATED, *_OF_RELATIVES, *_SUPPOSED, *_IN_TIME)
