"""Checks of an account before anything is deployed: Region, services, quotas, opt-out, bootstrap.

Sources: API references of Organizations (DescribeEffectivePolicy), AWS Health (DescribeServiceLifecycle) and SSM
(GetParameter); AWS Organizations user guide, "AI services opt-out policy syntax"; CDK developer guide, "Bootstrapping".
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, NoRegionError

from infra.regions import check_region
from infra.settings import ConfigurationError
from operations.deployed import BOOTSTRAP_QUALIFIER, find_stack
from operations.refusals import AWS_ERRORS, sentence
from operations.verify import quotas
from operations.verify.account import Account
from operations.verify.checks import Check, Seen, code_of, holds, not_seen, refuted, request_of

# The version that the template's rule CheckBootstrapVersion demands.
_BOOTSTRAP_VERSION = 6
_TOOLKIT = "CDKToolkit"
_BOOTSTRAP_PARAMETER = f"/cdk-bootstrap/{BOOTSTRAP_QUALIFIER}/version"
_SOON = timedelta(days=180)
_RUNTIME = "3.13"


def _region(account: Account) -> Seen:
    region = account.connection.session.region_name
    if region is None:
        return refuted(sentence(NoRegionError()))
    try:
        check_region(region)
    except ConfigurationError as error:
        return refuted(str(error))
    return holds(f"{region}, of the partition aws")


def _credentials(account: Account) -> Seen:
    try:
        # This call needs no permission, so a refusal is about the credentials.
        identity = account.client("sts").get_caller_identity()
    except AWS_ERRORS as error:
        return refuted(sentence(error))
    return holds(f"account {identity['Account']} as {identity['Arn']}, {request_of(identity)}")


def _services(account: Account) -> Seen:
    calls: dict[str, Callable[[], Any]] = {
        "transcribe": lambda: account.client("transcribe").list_medical_transcription_jobs(MaxResults=1),
        "comprehendmedical": lambda: account.client("comprehendmedical").list_entities_detection_v2_jobs(MaxResults=1),
    }
    if account.has_audiences:
        calls["cleanroomsml"] = lambda: account.client("cleanroomsml").list_audience_generation_jobs(maxResults=1)
    answered = []
    for service, call in calls.items():
        try:
            answered.append(f"{service} ({request_of(call())})")
        except (ConnectionError, HTTPClientError) as error:
            return refuted(f"{service} does not answer: {sentence(error)}")
        except ClientError as error:
            # A permission that the user lacks says nothing about the functions'; a service control policy does.
            if code_of(error).startswith("AccessDenied") and "service control policy" not in str(error):
                raise
            return refuted(f"{service} refuses: {sentence(error)}")
    return holds(", ".join(answered))


def _ai_opt_out(account: Account) -> Seen:
    organizations = account.client("organizations")
    try:
        answer = organizations.describe_effective_policy(PolicyType="AISERVICES_OPT_OUT_POLICY")
    except ClientError as error:
        if code_of(error) not in ("AWSOrganizationsNotInUseException", "EffectivePolicyNotFoundException"):
            raise
        return refuted(f"No opt-out policy is in effect: {code_of(error)}")
    services = json.loads(answer["EffectivePolicy"]["PolicyContent"]).get("services", {})
    decided = services.get("transcribe") or services.get("default") or {}
    choice = decided.get("opt_out_policy")
    evidence = f"opt_out_policy for Transcribe is {choice}, {request_of(answer)}"
    return holds(evidence) if choice == "optOut" else refuted(evidence)


def _bootstrap(account: Account) -> Seen:
    ssm = account.client("ssm")
    try:
        version = int(ssm.get_parameter(Name=_BOOTSTRAP_PARAMETER)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return refuted(f"There is no {_BOOTSTRAP_PARAMETER}.")
    # The bootstrap's stack may have another name: then only its version is checked.
    toolkit = find_stack(account.client("cloudformation"), _TOOLKIT)
    status: str = toolkit["StackStatus"] if toolkit else "not there"
    evidence = f"{_BOOTSTRAP_PARAMETER} is {version}, {_TOOLKIT} is {status}; the template needs {_BOOTSTRAP_VERSION}"
    is_broken = status.endswith("_FAILED") or status == "ROLLBACK_COMPLETE"
    return holds(evidence) if version >= _BOOTSTRAP_VERSION and not is_broken else refuted(evidence)


def _lifecycle(account: Account) -> Seen:
    try:
        client = account.connection.client("health", "us-east-1")
        pages = client.get_paginator("describe_service_lifecycle").paginate()
        entries = [entry for page in pages for entry in page["serviceLifecycles"] if _is_ours(entry)]
    except ClientError as error:
        if code_of(error) != "SubscriptionRequiredException":
            raise
        return not_seen("AWS Health's API needs a Business or Enterprise support plan.")
    events = [
        f"{entry['title']}: {event['lifecycleEventType']} on {event['date']:%Y-%m-%d}"
        for entry in entries
        for event in entry.get("lifecycleEvents", ())
        if event["date"] < datetime.now(UTC) + _SOON
    ]
    return refuted("; ".join(events)) if events else holds(f"{len(entries)} entries, none ends within 180 days")


def _is_ours(entry: dict[str, Any]) -> bool:
    service = re.sub(r"[^a-z]", "", entry["service"].lower())
    if "lambda" in service:
        return _RUNTIME in f"{entry.get('version', '')} {entry.get('title', '')}" and "ython" in str(entry)
    return any(name in service for name in ("transcribe", "comprehendmedical", "cleanrooms"))


CHECKS: tuple[Check[Account], ...] = (
    Check(
        "credentials",
        "The credentials are those of an account.",
        "Log in (aws sso login), or set AWS_PROFILE.",
        _credentials,
    ),
    Check(
        "region",
        "The Region has all three services and is of the partition aws.",
        "Set AWS_REGION to one of the Regions of docs/deploy.md.",
        _region,
    ),
    Check(
        "services",
        "Transcribe, Comprehend Medical and, with a configured audience model, Clean Rooms ML answer.",
        "Ask the organization's administrator to allow the service in this account and Region.",
        _services,
    ),
    *quotas.CHECKS,
    Check(
        "ai-opt-out",
        "AWS doesn't use the recordings to improve Transcribe: an AI services opt-out policy is in effect.",
        "Have the organization's management account attach an AI services opt-out policy before patients' recordings "
        "are uploaded (docs/aws.md, yours to do).",
        _ai_opt_out,
    ),
    Check(
        "bootstrap",
        "The account and Region are prepared for the CDK.",
        "Run `make bootstrap ENV=…` with an administrator's credentials.",
        _bootstrap,
    ),
    Check(
        "lifecycle",
        "No service or runtime that is used here ends within half a year.",
        "Read the announcement in AWS Health, and look for a newer release of this application.",
        _lifecycle,
    ),
)
