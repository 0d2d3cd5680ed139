from typing import Any

import pytest

from local.aws.policies import Decision, Request, UnsupportedPolicy, arn_matches, conditions_hold, evaluate

OBJECT = "arn:aws:s3:::clinical/records/a.jsonl"


def decide(statement: Any, action: Any = "s3:GetObject", resource: Any = OBJECT, **request: Any) -> Any:
    defaults = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if "NotAction" in statement:
        del defaults["Action"]
    if "NotResource" in statement:
        del defaults["Resource"]
    return evaluate([{"Statement": [defaults | statement]}], Request(action, resource, **request))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "s3:GetObject"}, Decision.ALLOW),
        ({"Action": "S3:getobject"}, Decision.ALLOW),
        ({"Action": ["s3:PutObject", "s3:Get*"]}, Decision.ALLOW),
        ({"Action": "s3:GetObject?"}, Decision.NEUTRAL),
        ({"NotAction": "s3:Get*"}, Decision.NEUTRAL),
        ({"NotAction": "s3:Put*"}, Decision.ALLOW),
        ({"Resource": "arn:aws:s3:::clinical/records/*"}, Decision.ALLOW),
        ({"Resource": ["arn:aws:s3:::audience/*", OBJECT]}, Decision.ALLOW),
        ({"Resource": "arn:aws:s3:::clinical"}, Decision.NEUTRAL),
        ({"Resource": "arn:aws:s3:::clinical/Records/*"}, Decision.NEUTRAL),
        ({"NotResource": "arn:aws:s3:::clinical/records/*"}, Decision.NEUTRAL),
        ({"NotResource": "arn:aws:s3:::media/*"}, Decision.ALLOW),
        ({"Effect": "Deny"}, Decision.DENY),
    ],
)
def test_actions_and_resources_are_matched(statement: Any, expected: Any) -> None:
    assert decide(statement) is expected


def test_a_deny_wins_over_an_allow_in_another_document() -> None:
    allow = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    deny = '{"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}'
    assert evaluate([deny, allow], Request("s3:GetObject", OBJECT)) is Decision.DENY
    assert evaluate([allow, deny], Request("s3:GetObject", OBJECT)) is Decision.DENY


def test_no_policy_is_neither_allow_nor_deny() -> None:
    assert evaluate([], Request("s3:GetObject", OBJECT)) is Decision.NEUTRAL


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("arn:aws:lambda:*:*:function:f", "arn:aws:lambda:us-east-1:123456789012:function:f", True),
        ("arn:aws:lambda:*:function:f", "arn:aws:lambda:us-east-1:123456789012:function:f", False),
        ("arn:aws:logs:r:a:log-group:g:*", "arn:aws:logs:r:a:log-group:g:log-stream:s", True),
        ("arn:aws:s3:::b/[a]", "arn:aws:s3:::b/a", False),
        ("arn:aws:s3:::b/[a]", "arn:aws:s3:::b/[a]", True),
        ("arn:aws:s3:::b/a?c", "arn:aws:s3:::b/abc", True),
        ("arn:aws:s3:::b/line*", "arn:aws:s3:::b/line\nbreak", True),
        ("*", "anything", True),
    ],
)
def test_a_wildcard_stays_within_its_part_of_an_arn(pattern: Any, arn: Any, expected: Any) -> None:
    assert arn_matches(pattern, arn) is expected


@pytest.mark.parametrize(
    ("principal", "effect", "expected"),
    [
        ("*", "Allow", Decision.ALLOW),
        ({"AWS": "*"}, "Deny", Decision.DENY),
        ({"AWS": "arn:aws:iam::1:role/a"}, "Allow", Decision.ALLOW),
        ({"AWS": ["arn:aws:iam::1:role/b"]}, "Allow", Decision.NEUTRAL),
        ({"Service": "lambda.amazonaws.com"}, "Allow", Decision.NEUTRAL),
        # An account as principal: its own policies decide what is allowed, but a denial reaches everyone in it.
        ({"AWS": "arn:aws:iam::1:root"}, "Allow", Decision.NEUTRAL),
        ({"AWS": "1"}, "Deny", Decision.DENY),
        ({"AWS": "2"}, "Deny", Decision.NEUTRAL),
    ],
)
def test_principals_are_matched(principal: Any, effect: Any, expected: Any) -> None:
    statement = {"Principal": principal, "Effect": effect}
    assert decide(statement, principals={"AWS": ["arn:aws:iam::1:role/a"]}, account="1") is expected


def test_not_principal_spares_those_it_names() -> None:
    statement = {"NotPrincipal": {"AWS": "arn:aws:iam::1:role/a"}, "Effect": "Deny"}
    assert decide(statement, principals={"AWS": ["arn:aws:iam::1:role/a"]}) is Decision.NEUTRAL
    assert decide(statement, principals={"AWS": ["arn:aws:iam::1:role/b"]}) is Decision.DENY


CONTEXT = {"s3:prefix": "media/x", "count": "7", "secure": "true", "source": "arn:aws:s:r:1:job/x", "tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "holds"),
    [
        ("StringEquals", "S3:Prefix", "media/x", True),
        ("StringEquals", "s3:prefix", ["other", "media/x"], True),
        ("StringEquals", "s3:prefix", "MEDIA/x", False),
        ("StringEqualsIgnoreCase", "s3:prefix", "MEDIA/X", True),
        ("StringNotEqualsIgnoreCase", "s3:prefix", "MEDIA/X", False),
        ("StringNotEquals", "s3:prefix", ["media/x", "other"], False),
        ("StringNotEquals", "s3:prefix", "other", True),
        ("StringLike", "s3:prefix", "media/*", True),
        ("StringNotLike", "s3:prefix", "media/*", False),
        ("ArnLike", "source", "arn:aws:s:r:1:job/*", True),
        ("ArnEquals", "source", "arn:aws:s:r:2:job/*", False),
        ("ArnNotLike", "source", "arn:aws:s:r:2:*", True),
        ("ArnNotEquals", "source", "arn:aws:s:r:1:job/x", False),
        ("Bool", "secure", True, True),
        ("Bool", "secure", "false", False),
        ("NumericEquals", "count", "7.0", True),
        ("NumericNotEquals", "count", 7, False),
        ("NumericLessThan", "count", 7, False),
        ("NumericLessThanEquals", "count", 7, True),
        ("NumericGreaterThan", "count", 6, True),
        ("NumericGreaterThanEquals", "count", 8, False),
        ("Null", "s3:prefix", "false", True),
        ("Null", "absent", True, True),
        ("Null", "absent", "false", False),
        # A key that the request does not have
        ("StringEquals", "absent", "x", False),
        ("StringEqualsIfExists", "absent", "x", True),
        ("StringEqualsIfExists", "s3:prefix", "x", False),
        ("StringNotEquals", "absent", "x", True),
        ("ForAllValues:StringEquals", "absent", "x", True),
        ("ForAnyValue:StringEquals", "absent", "x", False),
        # A key with several values
        ("ForAllValues:StringEquals", "tags", ["a", "b", "c"], True),
        ("ForAllValues:StringEquals", "tags", ["a"], False),
        ("ForAnyValue:StringEquals", "tags", ["b", "z"], True),
        ("ForAnyValue:StringEquals", "tags", ["z"], False),
        ("ForAnyValue:StringNotEquals", "tags", ["a"], True),
        ("ForAllValues:StringNotEquals", "tags", ["a"], False),
    ],
)
def test_conditions(operator: Any, key: Any, wanted: Any, holds: Any) -> None:
    assert conditions_hold({operator: {key: wanted}}, CONTEXT) is holds


def test_every_operator_and_every_key_must_hold() -> None:
    block: dict[str, dict[str, Any]] = {"StringEquals": {"s3:prefix": "media/x"}, "NumericEquals": {"count": 7}}
    assert conditions_hold(block, CONTEXT)
    assert not conditions_hold(block | {"Bool": {"secure": "false"}}, CONTEXT)


@pytest.mark.parametrize("operator", ["IpAddress", "DateLessThan", "BinaryEquals", "ForSomeValues:StringEquals"])
def test_an_operator_that_is_not_evaluated_raises_instead_of_deciding(operator: Any) -> None:
    with pytest.raises(UnsupportedPolicy, match=operator):
        conditions_hold({operator: {"s3:prefix": "x"}}, CONTEXT)


def test_a_policy_variable_raises_instead_of_matching_nothing() -> None:
    with pytest.raises(UnsupportedPolicy, match="aws:username"):
        decide({"Resource": "arn:aws:s3:::clinical/${aws:username}/*"})
