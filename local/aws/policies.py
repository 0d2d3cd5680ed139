"""Evaluates the IAM policy language: the decision of policy documents on a request. Independent of moto.

Implements https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html for one account's policies;
the caller combines the decisions of two accounts. Policy variables and the operators Date*, IpAddress and Binary raise
`UnsupportedPolicy`.
"""

import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

Document = Mapping[str, Any]


class UnsupportedPolicy(Exception):
    """A policy uses an element of the language that is not evaluated here."""


class Decision(Enum):
    """The decision of a set of policies; `NEUTRAL` means that no statement applies (an implicit deny)."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    NEUTRAL = "NEUTRAL"


@dataclass(frozen=True)
class Request:
    """One question to a set of policies.

    `principals` are the names of the caller as a policy may list them, by kind: `{"AWS": (role ARN, session ARN)}` or
    `{"Service": ("states.amazonaws.com",)}`. `account` is the caller's account: a policy that *denies* the account
    denies the caller, one that *allows* it merely lets the account's own identity policies decide.
    `context` holds the condition keys; a key with several values has a list.
    """

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    principals: Mapping[str, Sequence[str]] = field(default_factory=dict)
    account: str = ""


def evaluate(documents: Iterable[Document | str], request: Request) -> Decision:
    """The decision of all `documents` (parsed, or JSON text) together: an explicit deny wins."""
    decision = Decision.NEUTRAL
    for document in documents:
        parsed = _parse(document) if isinstance(document, str) else document
        for statement in _as_list(parsed.get("Statement", [])):
            if _applies(statement, request):
                if statement["Effect"] == "Deny":
                    return Decision.DENY
                decision = Decision.ALLOW
    return decision


@lru_cache(maxsize=1024)
def _parse(document: str) -> dict[str, Any]:
    parsed = json.loads(document)
    if not isinstance(parsed, dict):
        raise UnsupportedPolicy(f"A policy document must be a JSON object, not {type(parsed).__name__}")
    return parsed


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    for element, negated, matches in (
        ("Action", False, _action_matches),
        ("NotAction", True, _action_matches),
        ("Resource", False, arn_matches),
        ("NotResource", True, arn_matches),
    ):
        subject = request.action if element.endswith("Action") else request.resource
        if element in statement and any(matches(p, subject) for p in _as_list(statement[element])) == negated:
            return False
    if "Principal" in statement and not _principal_matches(statement["Principal"], statement["Effect"], request):
        return False
    if "NotPrincipal" in statement and _principal_matches(statement["NotPrincipal"], "Deny", request):
        return False
    return conditions_hold(statement.get("Condition") or {}, request.context)


def _principal_matches(principal: Any, effect: str, request: Request) -> bool:
    if principal == "*":
        return True
    whole_account = set(account_names(request.account)) if effect == "Deny" else set()
    for kind, names in principal.items():
        listed = set(_as_list(names))
        if kind == "AWS" and ("*" in listed or (request.account and listed & whole_account)):
            return True
        if listed & set(request.principals.get(kind, ())):
            return True
    return False


def account_names(account: str) -> tuple[str, str]:
    """The names of an account in a policy: its id, and the ARN of its root."""
    return account, f"arn:aws:iam::{account}:root"


@lru_cache(maxsize=4096)
def _glob(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    if "${" in pattern:
        raise UnsupportedPolicy(f"Policy variables are not evaluated locally: {pattern!r}")
    # In fnmatch [ is special, in IAM it isn't.
    expression = fnmatch.translate(pattern.replace("[", "[[]"))
    return re.compile(expression, re.IGNORECASE if ignore_case else 0)


def _action_matches(pattern: str, action: str) -> bool:
    return _glob(pattern, ignore_case=True).match(action) is not None


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether `arn` matches, part by part: a wildcard doesn't span the first five colons."""
    if pattern == "*" or pattern == arn:
        return True
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(patterns) == len(parts) and all(
        _glob(p).match(part) is not None for p, part in zip(patterns, parts, strict=True)
    )


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda have, want: compare(float(have), float(want))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda have, want: have == want,
    "StringEqualsIgnoreCase": lambda have, want: have.lower() == want.lower(),
    "StringLike": lambda have, want: _glob(want).match(have) is not None,
    "ArnEquals": lambda have, want: arn_matches(want, have),
    "ArnLike": lambda have, want: arn_matches(want, have),
    "Bool": lambda have, want: have.lower() == want.lower(),
    "NumericEquals": _numeric(lambda have, want: have == want),
    "NumericLessThan": _numeric(lambda have, want: have < want),
    "NumericLessThanEquals": _numeric(lambda have, want: have <= want),
    "NumericGreaterThan": _numeric(lambda have, want: have > want),
    "NumericGreaterThanEquals": _numeric(lambda have, want: have >= want),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}


def conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str | Sequence[str]]) -> bool:
    """Whether every operator of a Condition block holds. Condition keys are compared without regard to case.

    Raises UnsupportedPolicy for an operator that is not evaluated here.
    """
    values = {key.lower(): value for key, value in context.items()}
    return all(
        _condition_holds(operator, values.get(key.lower()), [_text(w) for w in _as_list(wanted)])
        for operator, wanted_by_key in conditions.items()
        for key, wanted in wanted_by_key.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _condition_holds(operator: str, have: str | Sequence[str] | None, wanted: list[str]) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (have is None) == (wanted[0].lower() == "true")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    compare = _OPERATORS.get(_NEGATED.get(name, name))
    if compare is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise UnsupportedPolicy(f"Condition operator {operator!r} is not evaluated locally")
    if have is None:
        return quantifier == "ForAllValues" or (quantifier == "" and negated) or if_exists
    results = (any(compare(value, want) for want in wanted) != negated for value in _as_list(have))
    return all(results) if quantifier == "ForAllValues" else any(results)
