"""Reads of the account's facts that moto lacks: Service Quotas, Lambda's account settings, an effective policy.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeEffectivePolicy.html

Differences from AWS. Quotas come on one page and their codes are made up from their names. An effective policy is
returned for the caller's own account only.
"""

import datetime
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from moto.awslambda import urls as lambda_urls
from moto.awslambda.responses import LambdaResponse
from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import JsonRESTError
from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.organizations.responses import OrganizationsResponse
from moto.servicequotas.responses import ServiceQuotasResponse

from local.aws.account import DEFAULT_QUOTAS, current
from local.aws.credentials import ACCOUNT_ID

_moto_list_aws_default_service_quotas = ServiceQuotasResponse.list_aws_default_service_quotas

_MIB = 1024**2


def list_service_quotas(self: ServiceQuotasResponse) -> str:
    """ServiceQuotasResponse.list_service_quotas: the applied values."""
    return _quotas(self, current().quotas)


def list_aws_default_service_quotas(self: ServiceQuotasResponse) -> str:
    """ServiceQuotasResponse.list_aws_default_service_quotas; moto answers for services that are not known here."""
    code = json.loads(self.body)["ServiceCode"]
    if code not in {service for service, _ in DEFAULT_QUOTAS}:
        return _moto_list_aws_default_service_quotas(self)
    return _quotas(self, DEFAULT_QUOTAS)


def _quotas(response: ServiceQuotasResponse, values: Mapping[tuple[str, str], float]) -> str:
    code = json.loads(response.body)["ServiceCode"]
    quotas = [_quota(response, code, name, value) for (service, name), value in values.items() if service == code]
    if not quotas:
        raise JsonRESTError("NoSuchResourceException", f"The request failed because there is no service {code}.")
    return json.dumps({"Quotas": quotas})


def _quota(response: ServiceQuotasResponse, service: str, name: str, value: float) -> dict[str, Any]:
    quota = "L-" + hashlib.sha256(f"{service} {name}".encode()).hexdigest()[:8].upper()
    return {
        "ServiceCode": service,
        "ServiceName": service,
        "QuotaArn": f"arn:aws:servicequotas:{response.region}:{ACCOUNT_ID}:{service}/{quota}",
        "QuotaCode": quota,
        "QuotaName": name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def get_account_settings(self: LambdaResponse) -> TYPE_RESPONSE:
    """LambdaResponse.get_account_settings."""
    functions = list(self.backend._lambdas.all())
    concurrent = int(current().quotas[("lambda", "Concurrent executions")])
    reserved = sum(int(function.reserved_concurrency or 0) for function in functions)
    settings = {
        "AccountLimit": {
            "TotalCodeSize": 75 * 1024 * _MIB,
            "CodeSizeUnzipped": 250 * _MIB,
            "CodeSizeZipped": 50 * _MIB,
            "ConcurrentExecutions": concurrent,
            "UnreservedConcurrentExecutions": concurrent - reserved,
        },
        "AccountUsage": {
            "TotalCodeSize": sum(function.code_size for function in functions),
            "FunctionCount": len(functions),
        },
    }
    return 200, {}, json.dumps(settings)


def describe_effective_policy(self: OrganizationsResponse) -> str:
    """OrganizationsResponse.describe_effective_policy."""
    policies = current().effective_policies
    if policies is None:
        raise AWSOrganizationsNotInUseException()
    request = json.loads(self.body)
    kind, target = request["PolicyType"], request.get("TargetId", ACCOUNT_ID)
    if target != ACCOUNT_ID:
        raise JsonRESTError("TargetNotFoundException", "You specified a target that doesn't exist.")
    if kind not in policies:
        message = f"There is no effective policy of the type {kind} for the target {target}."
        raise JsonRESTError("EffectivePolicyNotFoundException", message)
    described = {
        "PolicyContent": json.dumps(policies[kind], separators=(",", ":")),
        "LastUpdatedTimestamp": datetime.datetime.now(datetime.UTC).timestamp(),
        "TargetId": target,
        "PolicyType": kind,
    }
    return json.dumps({"EffectivePolicy": described})


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    ServiceQuotasResponse.list_service_quotas = list_service_quotas  # type: ignore[attr-defined]
    ServiceQuotasResponse.list_aws_default_service_quotas = list_aws_default_service_quotas  # type: ignore[method-assign]
    LambdaResponse.get_account_settings = get_account_settings  # type: ignore[attr-defined]
    lambda_urls.url_paths["{0}/(?P<api_version>[^/]+)/account-settings/?$"] = LambdaResponse.dispatch
    OrganizationsResponse.describe_effective_policy = describe_effective_policy  # type: ignore[attr-defined]
