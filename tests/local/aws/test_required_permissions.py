import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.calls import Call
from local.aws.required_permissions import required_permissions
from local.server import LocalAws

ACCOUNT, REGION = "123456789012", "us-east-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key"


def needs(
    service: Any,
    operation: Any,
    body: Any = None,
    url: Any = "/",
    resource: Any = "*",
    method: Any = "POST",
    headers: Any = None,
) -> Any:
    """The permissions that a call needs, as a set of (action, resource, condition keys)."""
    call = Call(service, operation, resource, REGION, ACCOUNT, method, url, headers or {}, {}, json.dumps(body or {}))
    return [(p.action, p.resource, dict(p.context)) for p in required_permissions(call)]


def test_starting_a_medical_transcription_shows_where_its_output_goes() -> None:
    body = {
        "MedicalTranscriptionJobName": "job",
        "OutputBucketName": "clinical",
        "OutputKey": "transcripts/t.json",
        "OutputEncryptionKMSKeyId": f"{KEY}/1",
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    assert needs("transcribe", "StartMedicalTranscriptionJob", body) == [
        (
            "transcribe:StartMedicalTranscriptionJob",
            "*",
            {
                "transcribe:OutputBucketName": "clinical",
                "transcribe:OutputKey": "transcripts/t.json",
                "transcribe:OutputEncryptionKMSKeyId": f"{KEY}/1",
            },
        ),
        ("transcribe:TagResource", f"arn:aws:transcribe:{REGION}:{ACCOUNT}:medical-transcription-job/job", {}),
    ]


def test_getting_a_medical_transcription_is_about_the_job() -> None:
    arn = f"arn:aws:transcribe:{REGION}:{ACCOUNT}:medical-transcription-job/job"
    assert needs("transcribe", "GetMedicalTranscriptionJob", {"MedicalTranscriptionJobName": "job"}) == [
        ("transcribe:GetMedicalTranscriptionJob", arn, {})
    ]
    assert needs("transcribe", "ListMedicalTranscriptionJobs") == [("transcribe:ListMedicalTranscriptionJobs", "*", {})]


def test_starting_entity_detection_passes_a_role() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/data"
    assert needs("comprehendmedical", "StartEntitiesDetectionV2Job", {"DataAccessRoleArn": role}) == [
        ("comprehendmedical:StartEntitiesDetectionV2Job", "*", {}),
        ("iam:PassRole", role, {"iam:PassedToService": "comprehendmedical.amazonaws.com"}),
    ]
    assert needs("comprehendmedical", "DescribeEntitiesDetectionV2Job", {"JobId": "1"}) == [
        ("comprehendmedical:DescribeEntitiesDetectionV2Job", "*", {})
    ]


def test_starting_audience_generation_is_about_the_model_and_the_job_and_passes_a_role() -> None:
    model = f"arn:aws:cleanrooms-ml:{REGION}:{ACCOUNT}:configured-audience-model/local"
    role = f"arn:aws:iam::{ACCOUNT}:role/seed-reader"
    body = {"configuredAudienceModelArn": model, "seedAudience": {"roleArn": role}, "collaborationId": "c"}
    collaboration = {"cleanrooms-ml:CollaborationId": "c"}
    assert needs("cleanrooms-ml", "StartAudienceGenerationJob", body) == [
        ("cleanrooms-ml:StartAudienceGenerationJob", model, collaboration),
        (
            "cleanrooms-ml:StartAudienceGenerationJob",
            f"arn:aws:cleanrooms-ml:{REGION}:{ACCOUNT}:audience-generation-job/new",
            collaboration,
        ),
        ("iam:PassRole", role, {"iam:PassedToService": "cleanrooms-ml.amazonaws.com"}),
    ]
    job = f"arn:aws:cleanrooms-ml:{REGION}:{ACCOUNT}:audience-generation-job/new"
    assert ("cleanrooms-ml:TagResource", job, {}) in needs(
        "cleanrooms-ml", "StartAudienceGenerationJob", {**body, "tags": {"study": "7"}}
    )


def test_starting_audience_generation_with_another_account_s_model_is_about_a_job_in_each_account() -> None:
    model = f"arn:aws:cleanrooms-ml:{REGION}:222233334444:configured-audience-model/theirs"
    body = {"configuredAudienceModelArn": model, "seedAudience": {"roleArn": "r"}, "tags": {"study": "7"}}
    asked = needs("cleanrooms-ml", "StartAudienceGenerationJob", body)
    jobs = {
        f"arn:aws:cleanrooms-ml:{REGION}:{account}:audience-generation-job/new" for account in (ACCOUNT, "222233334444")
    }
    assert {on for action, on, _ in asked if action == "cleanrooms-ml:StartAudienceGenerationJob"} == {model, *jobs}
    tagged = [on for action, on, _ in asked if action == "cleanrooms-ml:TagResource"]
    assert tagged == [f"arn:aws:cleanrooms-ml:{REGION}:{ACCOUNT}:audience-generation-job/new"]


def test_a_model_s_policy_is_about_the_model() -> None:
    model = f"arn:aws:cleanrooms-ml:{REGION}:{ACCOUNT}:configured-audience-model/ours"
    url = f"/configured-audience-model/{model.replace(':', '%3A').replace('/', '%2F')}/policy"
    assert needs("cleanrooms-ml", "PutConfiguredAudienceModelPolicy", {}, url=url) == [
        ("cleanrooms-ml:PutConfiguredAudienceModelPolicy", model, {})
    ]


@pytest.mark.parametrize(
    ("operation", "url", "body"),
    [
        ("GetAudienceGenerationJob", "/audience-generation-job/{quoted}", {}),
        ("StartAudienceExportJob", "/audience-export-job", {"audienceGenerationJobArn": "{arn}"}),
        ("ListAudienceExportJobs", "/audience-export-job?audienceGenerationJobArn={quoted}", {}),
    ],
)
def test_what_follows_an_audience_generation_is_about_its_job(operation: Any, url: Any, body: Any) -> None:
    arn = f"arn:aws:cleanrooms-ml:{REGION}:{ACCOUNT}:audience-generation-job/1"
    quoted = arn.replace(":", "%3A").replace("/", "%2F")
    body = {name: value.format(arn=arn) for name, value in body.items()}
    assert needs("cleanrooms-ml", operation, body, url=url.format(quoted=quoted)) == [
        (f"cleanrooms-ml:{operation}", arn, {})
    ]


@pytest.mark.parametrize(
    ("service", "operation", "body", "url", "action", "resource"),
    [
        ("states", "StartExecution", {"stateMachineArn": "arn:m"}, "/", "states:StartExecution", "arn:m"),
        ("states", "DescribeExecution", {"executionArn": "arn:e"}, "/", "states:DescribeExecution", "arn:e"),
        ("states", "ListStateMachines", {}, "/", "states:ListStateMachines", "*"),
        ("sns", "Publish", {"TopicArn": "arn:t"}, "/", "sns:Publish", "arn:t"),
        (
            "lambda",
            "Invoke",
            {},
            "/2015-03-31/functions/ingest/invocations",
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ingest",
        ),
        (
            "lambda",
            "Invoke",
            {},
            f"/2015-03-31/functions/arn%3Aaws%3Alambda%3A{REGION}%3A{ACCOUNT}%3Afunction%3Aingest/invocations",
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ingest",
        ),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "g", "logStreamName": "s"},
            "/",
            "logs:PutLogEvents",
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g:log-stream:s",
        ),
        (
            "logs",
            "FilterLogEvents",
            {"logGroupName": "g"},
            "/",
            "logs:FilterLogEvents",
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g:",
        ),
        (
            "ssm",
            "GetParameter",
            {"Name": "/cdk/version"},
            "/",
            "ssm:GetParameter",
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/cdk/version",
        ),
        ("cloudformation", "CreateChangeSet", {"StackName": "s"}, "/", "cloudformation:CreateChangeSet", "*"),
        ("events", "PutTargets", {"Rule": "r"}, "/", "events:PutTargets", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"),
        (
            "events",
            "DescribeRule",
            {"Name": "r"},
            "/",
            "events:DescribeRule",
            f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r",
        ),
        ("events", "PutEvents", {"Entries": []}, "/", "events:PutEvents", "*"),
    ],
)
def test_the_resource_of_other_calls(
    service: Any, operation: Any, body: Any, url: Any, action: Any, resource: Any
) -> None:
    assert needs(service, operation, body, url) == [(action, resource, {})]


def allow(action: Any, resource: Any = "*", condition: Any = None) -> Any:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


@pytest.fixture
def key_arn(local_aws: LocalAws) -> Any:
    return local_aws.client("kms").create_key()["KeyMetadata"]["Arn"]


def refused(call: Any, **arguments: Any) -> Any:
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return refusal.value.response["Error"]["Message"]


def test_encrypting_anew_takes_a_right_to_each_of_the_two_keys() -> None:
    body = {"SourceKeyId": f"{KEY}/1", "DestinationKeyId": f"{KEY}/2"}
    assert needs("kms", "ReEncrypt", body) == [
        ("kms:ReEncryptFrom", f"{KEY}/1", {}),
        ("kms:ReEncryptTo", f"{KEY}/2", {}),
    ]


def test_kms_itself_is_asked_about_the_key_that_an_alias_names(
    local_aws: LocalAws, make_role: Any, key_arn: Any
) -> None:
    alias = f"alias/{uuid.uuid4().hex}"
    local_aws.client("kms").create_alias(AliasName=alias, TargetKeyId=key_arn)
    kms = make_role(allow("kms:Encrypt", key_arn)).client("kms")
    kms.encrypt(KeyId=alias, Plaintext=b"x")
    assert "kms:DescribeKey" in refused(kms.describe_key, KeyId=alias)


def test_invoking_takes_the_function(local_aws: LocalAws, make_role: Any) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("handler.py", "def handler(event, context): return 1")
    name = f"function-{uuid.uuid4().hex[:8]}"
    arn = local_aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=make_role().arn,
        Handler="handler.handler",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    refused(make_role(allow("lambda:InvokeFunction", f"{arn}-other")).client("lambda").invoke, FunctionName=name)
    caller = make_role(allow("lambda:InvokeFunction", arn)).client("lambda")
    assert caller.invoke(FunctionName=name)["Payload"].read() == b"1"
