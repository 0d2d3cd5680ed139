"""A model of another account: the right to use it, and each account's view of the job. `OURS` calls, `THEIRS` owns."""

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.credentials import administrator_credentials, assume_service_role
from local.services.cleanroomsml.models import cleanroomsml_backends
from local.services.cleanroomsml.seeding import provide_audience_model, provide_collaboration, share_audience_model
from local.services.cleanroomsml.storage import AUDIENCE_FILE
from samples.make_interactions import write_interactions

OURS, THEIRS, REGION = "123456789012", "222233334444", "us-east-1"
MODEL = f"arn:aws:cleanrooms-ml:{REGION}:{THEIRS}:configured-audience-model/theirs"
JOBS = {account: f"arn:aws:cleanrooms-ml:{REGION}:{account}:audience-generation-job/*" for account in (OURS, THEIRS)}
START = "cleanrooms-ml:StartAudienceGenerationJob"
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def output(aws: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Creates their model, and returns the location of its audiences."""
    interactions: Path = tmp_path_factory.mktemp("interactions") / "interactions.csv"
    write_interactions(interactions, population=600)
    return provide_audience_model(aws, MODEL, interactions)


@pytest.fixture
def collaboration(output: str) -> str:
    """The id of a collaboration of both accounts."""
    collaboration_id = str(uuid.uuid4())
    provide_collaboration(collaboration_id, REGION, [THEIRS, OURS])
    return collaboration_id


@pytest.fixture
def shared(aws: Any, collaboration: str) -> str:
    """The id of the one collaboration in which the owner lets us use the model."""
    share_audience_model(aws, MODEL, OURS, collaboration)
    return collaboration


@pytest.fixture(autouse=True)
def shared_with_nobody_at_first(output: str) -> None:
    cleanroomsml_backends[THEIRS][REGION].model_policies.clear()


@pytest.fixture
def their(aws: Any, output: str) -> Callable[[str], Any]:
    """Clients in the owner's account."""
    return lambda service: aws.client(service, **administrator_credentials(THEIRS))


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def allow(their: Any, *, principal: str = OURS, resources: Any = (MODEL, JOBS[THEIRS]), **condition: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": START, "Resource": list(resources)}
    document = {"Version": "2012-10-17", "Statement": [{**statement, **condition}]}
    their("cleanroomsml").put_configured_audience_model_policy(
        configuredAudienceModelArn=MODEL, configuredAudienceModelPolicy=json.dumps(document)
    )


def test_a_model_that_its_owner_does_not_share_is_refused_like_one_that_is_not_there(generate: Run) -> None:
    refused = refusal(generate, configuredAudienceModelArn=MODEL)
    assert refused[0] == "AccessDeniedException"
    absent = refusal(generate, configuredAudienceModelArn=f"{MODEL}-2")
    assert absent == (refused[0], refused[1].replace(MODEL, f"{MODEL}-2"))


def test_the_model_may_be_used_in_the_owner_s_collaboration_only(generate: Run, shared: str) -> None:
    for other in ({}, {"collaborationId": str(uuid.uuid4())}):
        code, message = refusal(generate, configuredAudienceModelArn=MODEL, **other)
        assert code == "AccessDeniedException"
        assert f"because no resource-based policy allows the {START} action" in message
    job = generate(configuredAudienceModelArn=MODEL, collaborationId=shared)
    assert (job["status"], job["startedBy"], job["configuredAudienceModelArn"]) == ("ACTIVE", OURS, MODEL)
    assert job["audienceGenerationJobArn"].split(":")[4] == OURS


@pytest.mark.parametrize("missing", [MODEL, JOBS[THEIRS]])
def test_the_owner_s_policy_must_allow_the_model_and_a_job_in_their_account(
    generate: Run, their: Any, missing: str
) -> None:
    allow(their, resources={MODEL, JOBS[THEIRS]} - {missing})
    code, message = refusal(generate, configuredAudienceModelArn=MODEL)
    assert (code, missing.rstrip("*") in message) == ("AccessDeniedException", True)
    allow(their)
    assert generate(configuredAudienceModelArn=MODEL)["status"] == "ACTIVE"


@pytest.mark.parametrize("members", [[THEIRS], [OURS], []])
def test_both_accounts_must_be_members_of_the_collaboration_that_is_named(
    generate: Run, their: Any, members: list[str]
) -> None:
    allow(their)
    collaboration_id = str(uuid.uuid4())
    if members:
        provide_collaboration(collaboration_id, REGION, members)
    code, message = refusal(generate, configuredAudienceModelArn=MODEL, collaborationId=collaboration_id)
    assert (code, collaboration_id in message) == ("ValidationException", True)


@pytest.fixture
def start_as(aws: Any, name: str, seed: Run) -> Callable[[set[str]], str]:
    """Start a generation with their model as a role of ours that may do so on these resources; return the job's ARN."""

    def start(resources: set[str]) -> str:
        statement = {"Effect": "Allow", "Action": START, "Resource": sorted(resources)}
        role = aws.role(name, statement)
        aws.client("iam").put_role_policy(
            RoleName=name,
            PolicyName="pass",
            PolicyDocument=json.dumps(
                {"Statement": {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}, "Version": "2012-10-17"}
            ),
        )
        client = aws.client("cleanroomsml", **assume_service_role(role, "cleanrooms-ml.amazonaws.com"))
        job = client.start_audience_generation_job(
            name=name, configuredAudienceModelArn=MODEL, seedAudience=seed(content="")
        )
        return str(job["audienceGenerationJobArn"])

    return start


@pytest.mark.parametrize("missing", [MODEL, JOBS[OURS], JOBS[THEIRS]])
def test_the_caller_s_role_needs_all_three_resources(start_as: Any, their: Any, missing: str) -> None:
    allow(their)
    code, message = refusal(lambda: start_as({MODEL, *JOBS.values()} - {missing}))
    assert (code, missing.rstrip("*") in message) == ("AccessDeniedException", True)


@pytest.mark.parametrize("named", [OURS, f"arn:aws:iam::{OURS}:root", "ROLE", "*"])
def test_the_owner_may_name_the_account_or_the_role(start_as: Any, their: Any, name: str, named: str) -> None:
    allow(their, principal=named.replace("ROLE", f"arn:aws:iam::{OURS}:role/{name}"))
    assert start_as({MODEL, *JOBS.values()}).split(":")[4] == OURS


def test_the_owner_may_leave_out_everybody_else(start_as: Any, their: Any) -> None:
    allow(their, principal=f"arn:aws:iam::{OURS}:role/another")
    code, _ = refusal(lambda: start_as({MODEL, *JOBS.values()}))
    assert code == "AccessDeniedException"


def test_one_job_has_an_arn_a_name_and_tags_in_each_account(
    generate: Run, their: Any, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = cleanroomsml_backends[THEIRS][REGION].configured_audience_models[MODEL]
    inherited = {"tags": {"owner": "them"}, "childResourceTagOnCreatePolicy": "FROM_PARENT_RESOURCE"}
    monkeypatch.setattr(model, "request", {**model.request, **inherited})
    asked = {"configuredAudienceModelArn": MODEL, "collaborationId": shared, "tags": {"study": "7"}}
    ours = generate(**asked)
    their_arn = ours["audienceGenerationJobArn"].replace(OURS, THEIRS)
    (listed,) = their("cleanroomsml").list_audience_generation_jobs(collaborationId=shared)["audienceGenerationJobs"]
    theirs = their("cleanroomsml").get_audience_generation_job(audienceGenerationJobArn=their_arn)
    for seen in (listed, theirs):
        assert (seen["audienceGenerationJobArn"], seen["name"]) == (their_arn, f"{OURS}-{ours['name']}")
    assert (ours["tags"], theirs["tags"]) == ({"study": "7"}, {"owner": "them"})
    assert ("seedAudience" in ours, "seedAudience" in theirs) == (True, False)
    assert (theirs["status"], theirs["startedBy"]) == ("ACTIVE", OURS)


def test_neither_account_reaches_the_job_by_the_other_one_s_arn(
    client: Any, generate: Run, their: Any, shared: str
) -> None:
    arn = generate(configuredAudienceModelArn=MODEL, collaborationId=shared)["audienceGenerationJobArn"]
    for caller, other in ((client, arn.replace(OURS, THEIRS)), (their("cleanroomsml"), arn)):
        code, _ = refusal(caller.get_audience_generation_job, audienceGenerationJobArn=other)
        assert code == "ResourceNotFoundException"


@pytest.mark.parametrize("owner_deletes", [True, False])
def test_either_account_deletes_the_job_for_both(
    client: Any, generate: Run, their: Any, shared: str, owner_deletes: bool
) -> None:
    ours = generate(configuredAudienceModelArn=MODEL, collaborationId=shared)["audienceGenerationJobArn"]
    theirs = ours.replace(OURS, THEIRS)
    deleting, arn = (their("cleanroomsml"), theirs) if owner_deletes else (client, ours)
    deleting.delete_audience_generation_job(audienceGenerationJobArn=arn)
    for caller, gone in ((client, ours), (their("cleanroomsml"), theirs)):
        code, _ = refusal(caller.get_audience_generation_job, audienceGenerationJobArn=gone)
        assert code == "ResourceNotFoundException"
        listed = caller.list_audience_generation_jobs(collaborationId=shared)
        assert listed["audienceGenerationJobs"] == []


def test_the_export_is_in_the_owner_s_bucket_where_only_they_see_it(
    aws: Any, generate: Run, export: Run, their: Any, output: str, shared: str
) -> None:
    ours = generate(configuredAudienceModelArn=MODEL, collaborationId=shared)
    exported = export(ours, 5)
    assert exported["status"] == "ACTIVE"
    assert "outputLocation" not in exported
    bucket, _, prefix = output.removeprefix("s3://").partition("/")
    job_id = ours["audienceGenerationJobArn"].partition("/")[2]
    (found,) = their("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/{job_id}/")["Contents"]
    assert found["Key"].endswith(AUDIENCE_FILE)
    assert len(their("s3").get_object(Bucket=bucket, Key=found["Key"])["Body"].read().splitlines()) > 20
    assert bucket not in [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]]


def test_the_owner_may_export_the_audience_too_and_sees_where_it_is(
    generate: Run, their: Any, output: str, shared: str
) -> None:
    ours = generate(configuredAudienceModelArn=MODEL, collaborationId=shared)
    arn = ours["audienceGenerationJobArn"].replace(OURS, THEIRS)
    client, size = their("cleanroomsml"), {"type": "PERCENTAGE", "value": 1}
    client.start_audience_export_job(name="theirs", audienceGenerationJobArn=arn, audienceSize=size)
    deadline = time.monotonic() + 30
    while True:
        (job,) = client.list_audience_export_jobs(audienceGenerationJobArn=arn)["audienceExportJobs"]
        if job["status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert job["outputLocation"].startswith(f"{output}/")


@pytest.mark.parametrize("shares", [True, False])
def test_the_caller_sees_the_metrics_only_if_the_owner_shares_them(
    generate: Run, shared: str, monkeypatch: pytest.MonkeyPatch, shares: bool
) -> None:
    model = cleanroomsml_backends[THEIRS][REGION].configured_audience_models[MODEL]
    changed = {**model.request, "sharedAudienceMetrics": ["ALL" if shares else "NONE"]}
    monkeypatch.setattr(model, "request", changed)
    job = generate(configuredAudienceModelArn=MODEL, collaborationId=shared)
    assert ("metrics" in job) == shares


def test_jobs_are_not_listed_by_another_account_s_model(client: Any, generate: Run, shared: str) -> None:
    job = generate(configuredAudienceModelArn=MODEL, collaborationId=shared)
    code, message = refusal(client.list_audience_generation_jobs, configuredAudienceModelArn=MODEL)
    assert (code, MODEL in message) == ("AccessDeniedException", True)
    listed = client.list_audience_generation_jobs()["audienceGenerationJobs"]
    assert MODEL in [each["configuredAudienceModelArn"] for each in listed if each["name"] == job["name"]]


def test_a_policy_is_set_read_and_replaced_only_as_expected(their: Any) -> None:
    client, model = their("cleanroomsml"), {"configuredAudienceModelArn": MODEL}
    code, _ = refusal(client.get_configured_audience_model_policy, **model)
    assert code == "ResourceNotFoundException"
    put = client.put_configured_audience_model_policy
    policies = [json.dumps({"Version": "2012-10-17", "Statement": [], "Id": str(number)}) for number in (1, 2)]
    first = {**model, "configuredAudienceModelPolicy": policies[0]}
    assert refusal(put, **first, policyExistenceCondition="POLICY_MUST_EXIST")[0] == "ValidationException"
    answer = put(**first, policyExistenceCondition="POLICY_MUST_NOT_EXIST")
    assert refusal(put, **first, policyExistenceCondition="POLICY_MUST_NOT_EXIST")[0] == "ValidationException"
    read = client.get_configured_audience_model_policy(**model)
    assert (read["configuredAudienceModelPolicy"], read["policyHash"]) == (policies[0], answer["policyHash"])
    second = {**model, "configuredAudienceModelPolicy": policies[1]}
    assert refusal(put, **second, previousPolicyHash="0" * 64)[0] == "ValidationException"
    put(**second, previousPolicyHash=answer["policyHash"])
    assert client.get_configured_audience_model_policy(**model)["configuredAudienceModelPolicy"] == policies[1]


@pytest.mark.parametrize("policy", ["no JSON", "[]", "{}"])
def test_what_is_no_policy_is_refused(their: Any, policy: str) -> None:
    put = their("cleanroomsml").put_configured_audience_model_policy
    code, _ = refusal(put, configuredAudienceModelArn=MODEL, configuredAudienceModelPolicy=policy)
    assert code == "ValidationException"


def test_the_owner_s_roles_are_in_their_account(their: Any) -> None:
    roles = {role["RoleName"]: role["Arn"] for role in their("iam").list_roles()["Roles"]}
    assert {arn.split(":")[4] for arn in roles.values()} == {THEIRS}
    assert {"audience-model-owner-reader", "audience-model-owner-writer"} <= set(roles)
