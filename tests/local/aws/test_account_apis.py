import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import account
from local.aws.account import CONCURRENT_TRANSCRIPTIONS, Account
from local.server import LocalAws

OPT_OUT = "AISERVICES_OPT_OUT_POLICY"


@pytest.fixture
def facts() -> Iterator[Account]:
    """The running local AWS's account, for one test."""
    before, facts = account.current(), Account()
    account.set_current(facts)
    yield facts
    account.set_current(before)


def quotas(client: Any, operation: str, service: str) -> dict[str, float]:
    return {quota["QuotaName"]: quota["Value"] for quota in getattr(client, operation)(ServiceCode=service)["Quotas"]}


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        ("transcribe", CONCURRENT_TRANSCRIPTIONS, 250),
        ("transcribe", "Transactions per second, StartMedicalTranscriptionJob operation", 25),
        ("comprehendmedical", "Active batch jobs per operation", 10),
        ("cleanrooms-ml", "Audience generation jobs in progress", 10),
        ("lambda", "Concurrent executions", 1000),
    ],
)
def test_the_defaults_stay_what_they_are_when_an_account_has_less(
    local_aws: LocalAws, facts: Account, service: str, name: str, value: float
) -> None:
    client = local_aws.client("service-quotas")
    assert quotas(client, "list_service_quotas", service)[name] == value
    facts.quotas[(service, name)] = 3
    assert quotas(client, "list_service_quotas", service)[name] == 3
    assert quotas(client, "list_aws_default_service_quotas", service)[name] == value


def test_each_quota_has_a_code_of_its_own(local_aws: LocalAws) -> None:
    listed = local_aws.client("service-quotas").list_service_quotas(ServiceCode="transcribe")["Quotas"]
    assert len({quota["QuotaCode"] for quota in listed}) == len(listed) == 5
    assert {quota["QuotaArn"].rpartition("/")[2] for quota in listed} == {quota["QuotaCode"] for quota in listed}


def test_there_are_no_quotas_of_an_unknown_service_and_motos_of_its_own(local_aws: LocalAws) -> None:
    client = local_aws.client("service-quotas")
    with pytest.raises(client.exceptions.NoSuchResourceException, match="no-such"):
        client.list_service_quotas(ServiceCode="no-such")
    with pytest.raises(client.exceptions.NoSuchResourceException):
        client.list_aws_default_service_quotas(ServiceCode="no-such")
    assert client.list_aws_default_service_quotas(ServiceCode="vpc")["Quotas"]


def test_reserved_concurrency_is_taken_from_the_unreserved(
    local_aws: LocalAws, facts: Account, make_function: Any
) -> None:
    client = local_aws.client("lambda")
    before = client.get_account_settings()
    assert before["AccountLimit"]["ConcurrentExecutions"] == 1000
    facts.quotas[("lambda", "Concurrent executions")] = 10
    name = make_function("def handler(event, context): pass")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=4)
    settings = client.get_account_settings()
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 10
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 6
    assert settings["AccountUsage"]["FunctionCount"] == before["AccountUsage"]["FunctionCount"] + 1
    assert settings["AccountUsage"]["TotalCodeSize"] > before["AccountUsage"]["TotalCodeSize"]


def test_the_account_is_opted_out_of_ai_services_use_of_its_content(local_aws: LocalAws) -> None:
    client = local_aws.client("organizations")
    policy = client.describe_effective_policy(PolicyType=OPT_OUT)["EffectivePolicy"]
    assert json.loads(policy["PolicyContent"]) == {"services": {"default": {"opt_out_policy": "optOut"}}}
    assert (policy["TargetId"], policy["PolicyType"]) == ("123456789012", OPT_OUT)
    with pytest.raises(client.exceptions.TargetNotFoundException):
        client.describe_effective_policy(PolicyType=OPT_OUT, TargetId="210987654321")


def test_an_organization_may_have_no_such_policy_and_an_account_no_organization(
    local_aws: LocalAws, facts: Account
) -> None:
    client = local_aws.client("organizations")
    facts.effective_policies = {}
    with pytest.raises(client.exceptions.EffectivePolicyNotFoundException, match=OPT_OUT):
        client.describe_effective_policy(PolicyType=OPT_OUT)
    facts.effective_policies = None
    with pytest.raises(client.exceptions.AWSOrganizationsNotInUseException):
        client.describe_effective_policy(PolicyType=OPT_OUT)


@pytest.mark.parametrize(
    ("service", "operation", "action", "request_"),
    [
        ("service-quotas", "list_service_quotas", "servicequotas:ListServiceQuotas", {"ServiceCode": "transcribe"}),
        (
            "service-quotas",
            "list_aws_default_service_quotas",
            "servicequotas:ListAWSDefaultServiceQuotas",
            {"ServiceCode": "transcribe"},
        ),
        ("lambda", "get_account_settings", "lambda:GetAccountSettings", {}),
        (
            "organizations",
            "describe_effective_policy",
            "organizations:DescribeEffectivePolicy",
            {"PolicyType": OPT_OUT},
        ),
        ("health", "describe_service_lifecycle", "health:DescribeServiceLifecycle", {}),
    ],
)
def test_each_takes_its_permission(
    make_role: Any, service: str, operation: str, action: str, request_: dict[str, str]
) -> None:
    allowed = make_role({"Effect": "Allow", "Action": action, "Resource": "*"})
    assert getattr(allowed.client(service), operation)(**request_)
    with pytest.raises(ClientError, match=f"not authorized to perform: {action}"):
        getattr(make_role().client(service), operation)(**request_)
