"""Each probe with the credentials of each role: what is on the allow list gets past IAM, everything else is refused."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from local.aws.credentials import AccessDenied, assume_service_role, operator_credentials
from tests.attack.allowed import OTHER_SOURCES, TRUSTED, allow_list
from tests.attack.probe import Probe
from tests.attack.stage import Role, Stage, credentials_of

Outcome = Literal["allowed", "refused", "wrong"]
# How services refuse; an answer to HEAD has no body, hence no better code than 403.
REFUSALS = frozenset({"AccessDenied", "AccessDeniedException", "403"})
OPERATOR = "operator"
SERVICES = (
    "lambda.amazonaws.com",
    "states.amazonaws.com",
    "comprehendmedical.amazonaws.com",
    "cleanrooms-ml.amazonaws.com",
    "transcribe.amazonaws.com",
    "events.amazonaws.com",
    "ec2.amazonaws.com",
)
FOREIGN_ACCOUNT = "210987654321"


class Verdict(NamedTuple):
    """`problem` says what is wrong, in a sentence, and is empty otherwise."""

    who: str
    area: str
    right: str
    outcome: Outcome
    problem: str = ""


def attack_as_roles(stage: Stage, probes: list[Probe], roles: Iterable[str] | None = None) -> Iterator[Verdict]:
    """The verdict on each probe as each of `roles` (all of the stack if None)."""
    allowed = allow_list()
    for name in stage.roles if roles is None else roles:
        role = stage.roles[name]
        try:
            stage.actor.become(credentials_of(role))
        except AccessDenied as error:
            yield Verdict(name, "trust", "assume", "wrong", f"{role.service} can't use it: {error}")
            continue
        mine = {own_log(right, name) for right in allowed.get(name, frozenset())}
        for probe in probes:
            yield verdict_on(probe, name, probe.right in mine, answer_to(probe, stage))
    stage.actor.become(operator_credentials())


def own_log(right: str, role: str) -> str:
    return f"log clinical-media-local-{role}" if right == "log own-log" else right


def answer_to(probe: Probe, stage: Stage) -> str:
    """The error code that the call ends with; none if it succeeds."""
    try:
        probe.call(stage.actor)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except (BotoCoreError, ResponseParserError) as error:
        return type(error).__name__
    return ""


def verdict_on(probe: Probe, who: str, listed: bool, code: str) -> Verdict:
    refused = code in REFUSALS
    passed = not code or code in probe.answers
    if refused and not listed:
        return Verdict(who, probe.area, probe.right, "refused")
    if passed and listed:
        return Verdict(who, probe.area, probe.right, "allowed")
    if refused:
        problem = "is refused, though it is on the allow list"
    elif passed:
        problem = "is allowed, though it is not on the allow list"
    else:
        problem = f"ends in {code}, which shows neither that IAM refuses it nor that it allows it"
    return Verdict(who, probe.area, probe.right, "wrong", f"{who}: {probe.right} {problem}")


def controls(stage: Stage, probes: list[Probe]) -> Iterator[str]:
    """What is wrong with the probes themselves, a sentence each: the intruder must get past IAM with each of them.

    Nothing is left of the stage afterwards.
    """
    stage.actor.become(stage.intruder)
    for probe in probes:
        # Its rights don't help it where the role doesn't trust it.
        if not probe.right.startswith("assume "):
            code = answer_to(probe, stage)
            if code and code not in probe.answers:
                yield f"{probe.right} ends in {code} even for somebody who has that right: it shows nothing"
    stage.actor.become(operator_credentials())


def attack_trust(stage: Stage) -> Iterator[Verdict]:
    """Each role, asked for by each service, and for jobs of another account, of another kind and of none."""
    for role in stage.roles.values():
        trusted = TRUSTED.get(role.name)
        for service in SERVICES:
            source = (
                role.source_arn if service == trusted else f"arn:aws:{service.split('.')[0]}:us-east-1:123456789012:x"
            )
            yield trust_verdict(role, service, source, service == trusted)
        # Lambda shows no source: whose function uses a role is decided when the role is passed to it.
        if trusted and trusted != "lambda.amazonaws.com":
            foreign = role.source_arn.replace("123456789012", FOREIGN_ACCOUNT)
            elsewhere = f"arn:aws:sagemaker:us-east-1:123456789012:{role.source_arn.rpartition(':')[2]}"
            also = {OTHER_SOURCES[role.name](role.source_arn)} if role.name in OTHER_SOURCES else set()
            # Another machine, whose name begins as ours does.
            alike = {f"{role.source_arn}2"} if role.name == "state machine" else set()
            for source in sorted({foreign, elsewhere, ""} | alike | also):
                yield trust_verdict(role, trusted, source, source in also)


def trust_verdict(role: Role, service: str, source: str, listed: bool) -> Verdict:
    right = f"be assumed by {service} for {source or 'no job'}"
    try:
        assume_service_role(role.arn, service, source or None)
    except AccessDenied:
        outcome: Outcome = "wrong" if listed else "refused"
    else:
        outcome = "allowed" if listed else "wrong"
    problem = "" if outcome != "wrong" else f"{role.name}: to {right} is {'refused' if listed else 'allowed'}"
    return Verdict(role.name, "trust", right, outcome, problem)
