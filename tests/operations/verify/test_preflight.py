"""The account's points that the local AWS can't both meet and miss: Regions, rights, support plans."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from operations.deployed import Connection
from operations.environments import environment_of
from operations.verify import preflight
from operations.verify.account import Account
from operations.verify.checks import Finding, Verdict, finding

CHECKS = {check.point: check for check in preflight.CHECKS}


class Clients(Connection):
    """A connection with the given clients."""

    def client(self, service: str, region: str | None = None) -> Any:
        return self.endpoint_url[service]  # type: ignore[index]


def look(point: str, region: str = "us-east-1", **clients: Any) -> Finding:
    session = boto3.Session(region_name=region)
    return finding(CHECKS[point], Account(Clients(session, clients), environment_of("dev")))  # type: ignore[arg-type]


def stubbed(service: str, prepare: Callable[[Stubber], None]) -> Any:
    client = boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]
    stubber = Stubber(client)
    prepare(stubber)
    stubber.activate()
    return client


@pytest.mark.parametrize(
    ("region", "verdict", "evidence"),
    [
        ("us-east-2", Verdict.HOLDS, "us-east-2, of the partition aws"),
        ("eu-west-1", Verdict.REFUTED, "The Region is eu-west-1"),
        ("us-gov-west-1", Verdict.REFUTED, "partition aws-us-gov"),
    ],
)
def test_a_region_without_the_services_is_refuted_by_name(region: str, verdict: Verdict, evidence: str) -> None:
    found = look("region", region)
    assert (found.verdict, evidence in found.evidence) == (verdict, True)


def test_without_a_region_it_is_said_how_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    connection = Connection(boto3.Session(), None)
    found = finding(CHECKS["region"], Account(connection, environment_of("dev")))
    assert (found.verdict, found.evidence.split(";")[0]) == (Verdict.REFUTED, "No Region is set")


def test_credentials_that_lead_nowhere_are_refuted() -> None:
    class Sts:
        def get_caller_identity(self) -> None:
            raise NoCredentialsError()

    found = look("credentials", sts=Sts())
    assert found.verdict is Verdict.REFUTED
    assert "There are no AWS credentials" in found.evidence


class Refusing:
    """Clients of the services, one of which raises an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def _answer(self, **_: Any) -> dict[str, Any]:
        if self._error:
            raise self._error
        return {"ResponseMetadata": {"RequestId": "1"}}

    list_medical_transcription_jobs = list_entities_detection_v2_jobs = _answer


def denied(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, "ListJobs")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (EndpointConnectionError(endpoint_url="https://comprehendmedical"), Verdict.REFUTED),
        (denied("with an explicit deny in a service control policy"), Verdict.REFUTED),
        (denied("because no identity-based policy allows it"), Verdict.NOT_SEEN),
    ],
)
def test_a_service_is_refuted_by_what_stops_the_functions_too(error: Exception, verdict: Verdict) -> None:
    found = look("services", transcribe=Refusing(), comprehendmedical=Refusing(error))
    assert found.verdict is verdict


def quotas(*names: str) -> Callable[[Stubber], None]:
    def prepare(stubber: Stubber) -> None:
        listed = [{"QuotaName": name, "Value": 100.0} for name in names]
        stubber.add_response("list_service_quotas", {"Quotas": listed})
        stubber.add_response("list_aws_default_service_quotas", {"Quotas": []})

    return prepare


def test_the_quota_of_medical_jobs_is_taken_before_that_of_all_jobs() -> None:
    names = ("Number of concurrent batch transcription jobs", "Number of concurrent medical transcription jobs")
    found = look("quota-transcription", **{"service-quotas": stubbed("service-quotas", quotas(*names))})
    assert (found.verdict, found.evidence.split(":")[0]) == (Verdict.HOLDS, names[1])


def test_a_quota_that_is_called_otherwise_is_not_seen() -> None:
    found = look("quota-transcription", **{"service-quotas": stubbed("service-quotas", quotas("Vocabularies"))})
    assert found.verdict is Verdict.NOT_SEEN
    assert "None of 1 quotas" in found.evidence


def test_a_service_that_has_no_quotas_under_the_code_is_not_seen() -> None:
    def prepare(stubber: Stubber) -> None:
        stubber.add_client_error("list_service_quotas", "NoSuchResourceException")

    found = look("quota-transcription", **{"service-quotas": stubbed("service-quotas", prepare)})
    assert found.verdict is Verdict.NOT_SEEN


@pytest.mark.parametrize(
    ("services", "verdict"),
    [
        ('{"default": {"opt_out_policy": "optOut"}}', Verdict.HOLDS),
        ('{"default": {"opt_out_policy": "optIn"}, "transcribe": {"opt_out_policy": "optOut"}}', Verdict.HOLDS),
        ('{"default": {"opt_out_policy": "optOut"}, "transcribe": {"opt_out_policy": "optIn"}}', Verdict.REFUTED),
        ('{"rekognition": {"opt_out_policy": "optOut"}}', Verdict.REFUTED),
    ],
)
def test_the_opt_out_is_that_of_transcribe_and_else_the_default(services: str, verdict: Verdict) -> None:
    def prepare(stubber: Stubber) -> None:
        policy = {"PolicyContent": f'{{"services": {services}}}', "PolicyType": "AISERVICES_OPT_OUT_POLICY"}
        stubber.add_response("describe_effective_policy", {"EffectivePolicy": policy})

    assert look("ai-opt-out", organizations=stubbed("organizations", prepare)).verdict is verdict


@pytest.mark.parametrize(
    ("status", "version", "verdict"),
    [
        ("CREATE_COMPLETE", "21", Verdict.HOLDS),
        ("UPDATE_ROLLBACK_COMPLETE", "21", Verdict.HOLDS),
        ("CREATE_COMPLETE", "5", Verdict.REFUTED),
        ("UPDATE_ROLLBACK_FAILED", "21", Verdict.REFUTED),
        (None, "21", Verdict.HOLDS),
    ],
)
def test_a_bootstrap_that_is_old_or_broken_is_refuted(status: str | None, version: str, verdict: Verdict) -> None:
    def stack(stubber: Stubber) -> None:
        if status is None:
            stubber.add_client_error("describe_stacks", "ValidationError")
        else:
            found = {"StackName": "CDKToolkit", "CreationTime": datetime.now(UTC), "StackStatus": status}
            stubber.add_response("describe_stacks", {"Stacks": [found]})

    parameter = {"Parameter": {"Value": version}}
    ssm = stubbed("ssm", lambda stubber: stubber.add_response("get_parameter", parameter))
    found = look("bootstrap", ssm=ssm, cloudformation=stubbed("cloudformation", stack))
    assert found.verdict is verdict


def test_the_lifecycle_takes_a_support_plan() -> None:
    def prepare(stubber: Stubber) -> None:
        stubber.add_client_error("describe_service_lifecycle", "SubscriptionRequiredException")

    found = look("lifecycle", health=stubbed("health", prepare))
    assert found.verdict is Verdict.NOT_SEEN
    assert "support plan" in found.evidence
