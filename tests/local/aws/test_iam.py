import json
import time
import uuid
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import IAMRequestBase
from moto.s3.models import FakeBucket

from local.aws import iam
from local.aws.credentials import administrator_credentials, assume_service_role
from local.aws.iam import role_allows
from local.server import LocalAws

ACCOUNT = "123456789012"


def allow(action: Any, resource: Any = "*", **condition: Any) -> Any:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | (
        {"Condition": condition["condition"]} if condition else {}
    )


@pytest.fixture
def bucket(local_aws: LocalAws) -> Any:
    """A bucket with one object, in/recording.wav"""
    s3, name = local_aws.client("s3"), f"media-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="in/recording.wav", Body=b"sound")
    return name


def refused(call: Any, *args: Any, **kwargs: Any) -> Any:
    """The error code with which AWS refuses the call."""
    with pytest.raises(ClientError) as refusal:
        call(*args, **kwargs)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return refusal.value.response["Error"]["Code"]


def test_a_call_without_a_policy_is_refused(make_role: Any, bucket: Any) -> None:
    s3 = make_role().client("s3")
    with pytest.raises(ClientError, match=r"not authorized to perform: s3:GetObject on resource: arn:aws:s3:::media-"):
        s3.get_object(Bucket=bucket, Key="in/recording.wav")


def test_a_call_is_allowed_on_the_resource_of_its_policy_only(make_role: Any, bucket: Any) -> None:
    s3 = make_role(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*")).client("s3")
    assert s3.get_object(Bucket=bucket, Key="in/recording.wav")["Body"].read() == b"sound"
    assert refused(s3.get_object, Bucket=bucket, Key="out/x") == "AccessDenied"
    assert refused(s3.put_object, Bucket=bucket, Key="in/new", Body=b"") == "AccessDenied"


@pytest.mark.parametrize(
    "key", ["in/visite médicale.wav", "in/a+b & c%20d.wav", "in//x/../y=1;z.wav", "in/" + "ä" * 300]
)
def test_signatures_of_awkward_keys_are_understood(make_role: Any, bucket: Any, key: Any) -> None:
    s3 = make_role(allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{bucket}/in/*")).client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=b"x", Metadata={"audience-consent": "true"})
    assert s3.head_object(Bucket=bucket, Key=key)["Metadata"] == {"audience-consent": "true"}


def test_a_wrong_secret_is_refused(local_aws: LocalAws, make_role: Any, bucket: Any) -> None:
    role = make_role(allow("s3:*"))
    session = assume_service_role(role.arn, "lambda.amazonaws.com")
    s3 = local_aws.client("s3", **{**session, "aws_secret_access_key": "wrong"})
    assert refused(s3.get_object, Bucket=bucket, Key="in/recording.wav") == "SignatureDoesNotMatch"


def test_unknown_credentials_are_refused(local_aws: LocalAws) -> None:
    stranger = {"aws_access_key_id": "AKIASTRANGERSTRANGER", "aws_secret_access_key": "x"}
    assert refused(local_aws.client("sqs", **stranger).list_queues) in ("403", "InvalidClientTokenId")


def test_an_unsigned_request_is_refused(local_aws: LocalAws, bucket: Any) -> None:
    s3 = boto3.client("s3", endpoint_url=local_aws.endpoint, config=Config(signature_version=UNSIGNED))
    assert refused(s3.get_object, Bucket=bucket, Key="in/recording.wav") == "403"
    assert refused(s3.put_object, Bucket=bucket, Key="in/new.wav", Body=b"") == "AccessDenied"
    assert refused(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"


def test_anyone_may_ask_who_they_are(make_role: Any) -> None:
    role = make_role()
    assert role.name in role.client("sts").get_caller_identity()["Arn"]


def test_a_bucket_policy_denies_what_the_identity_policy_allows(
    local_aws: LocalAws, make_role: Any, bucket: Any
) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {
            "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
            "Null": {"s3:x-amz-server-side-encryption": "false"},
        },
    }
    insecure = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    local_aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement, insecure]}))
    s3 = make_role(allow("s3:*", "arn:aws:s3:::*")).client("s3")
    s3.put_object(Bucket=bucket, Key="in/default", Body=b"")
    assert refused(s3.put_object, Bucket=bucket, Key="in/a", Body=b"", ServerSideEncryption="AES256") == "AccessDenied"


def test_a_bucket_policy_allows_a_role_that_has_no_policy(local_aws: LocalAws, make_role: Any, bucket: Any) -> None:
    role = make_role()
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": role.arn},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/in/*",
    }
    local_aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": statement}))
    assert role.client("s3").get_object(Bucket=bucket, Key="in/recording.wav")["Body"].read() == b"sound"
    assert refused(make_role().client("s3").get_object, Bucket=bucket, Key="in/recording.wav") == "AccessDenied"


def test_a_queue_policy_is_evaluated(local_aws: LocalAws, make_role: Any) -> None:
    sqs = local_aws.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    role = make_role(allow("sqs:*"))
    role.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [deny]})})
    assert refused(role.client("sqs").send_message, QueueUrl=url, MessageBody="x") == "AccessDeniedException"


def test_managed_policies_count(local_aws: LocalAws, make_role: Any, bucket: Any) -> None:
    role = make_role()
    document = {"Version": "2012-10-17", "Statement": [allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")]}
    policy = local_aws.client("iam").create_policy(PolicyName=f"read-{bucket}", PolicyDocument=json.dumps(document))
    assert refused(role.client("s3").get_object, Bucket=bucket, Key="in/recording.wav") == "AccessDenied"
    local_aws.client("iam").attach_role_policy(RoleName=role.name, PolicyArn=policy["Policy"]["Arn"])
    assert role.client("s3").get_object(Bucket=bucket, Key="in/recording.wav")["Body"].read() == b"sound"
    assert role_allows(role.arn, "s3:GetObject", f"arn:aws:s3:::{bucket}/x")
    assert not role_allows(role.arn, "s3:PutObject", f"arn:aws:s3:::{bucket}/x")


def test_a_role_that_does_not_exist_allows_nothing() -> None:
    assert not role_allows(f"arn:aws:iam::{ACCOUNT}:role/absent", "s3:GetObject", "*")


def test_roles_of_a_deleted_role_lose_their_rights(local_aws: LocalAws, make_role: Any, bucket: Any) -> None:
    role = make_role(allow("s3:*"))
    s3 = role.client("s3")
    s3.get_object(Bucket=bucket, Key="in/recording.wav")
    iam = local_aws.client("iam")
    iam.delete_role_policy(RoleName=role.name, PolicyName="policy")
    iam.delete_role(RoleName=role.name)
    assert refused(s3.get_object, Bucket=bucket, Key="in/recording.wav") == "AccessDenied"


def test_services_that_speak_json_refuse_with_an_error_that_their_clients_know(make_role: Any) -> None:
    assert refused(make_role().client("stepfunctions").list_state_machines) == "AccessDeniedException"
    assert refused(make_role().client("lambda").list_functions) == "AccessDeniedException"
    assert refused(make_role().client("kms").list_keys) == "AccessDeniedException"


def test_services_that_speak_xml_refuse_with_an_error_that_their_clients_know(make_role: Any) -> None:
    assert refused(make_role().client("iam").list_roles) == "AccessDenied"
    assert refused(make_role().client("sns").list_topics) == "AccessDenied"


def test_stopping_gives_motos_own_checks_back(local_aws: LocalAws) -> None:
    seams = (
        (ActionAuthenticatorMixin, "_authenticate_and_authorize_action"),
        (IAMRequestBase, "check_action_permitted"),
        (FakeBucket, "get_permission"),
    )
    # The faults wrap the first one.
    assert {getattr(owner, name).__module__ for owner, name in seams} == {"local.aws.iam", "local.aws.fault_injection"}
    iam.stop()
    try:
        assert all(getattr(owner, name).__module__.startswith("moto.") for owner, name in seams)
    finally:
        iam.install()


def test_the_operator_may_do_everything(local_aws: LocalAws, bucket: Any) -> None:
    assert local_aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_a_write_that_a_bucket_denies_to_all_is_denied_to_the_operator(local_aws: LocalAws, bucket: Any) -> None:
    s3 = local_aws.client("s3")
    headers = {"Null": {"s3:x-amz-server-side-encryption": "false"}}
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [{**denial, "Condition": headers}]}))
    assert refused(s3.put_object, Bucket=bucket, Key="a", ServerSideEncryption="AES256") == "AccessDenied"
    s3.put_object(Bucket=bucket, Key="a")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b""


@pytest.mark.parametrize(("permitted", "status"), [(True, "SUCCEEDED"), (False, "FAILED")])
def test_a_state_machine_invokes_only_what_its_role_allows(
    local_aws: LocalAws, make_role: Any, make_function: Any, permitted: bool, status: str
) -> None:
    function = make_function("def handler(event, context): return {}")
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}"
    role = make_role(
        allow("lambda:InvokeFunction", arn if permitted else f"{arn}-other"), trusted="states.amazonaws.com"
    )
    definition = {"StartAt": "Task", "States": {"Task": {"Type": "Task", "Resource": arn, "End": True}}}
    states = local_aws.client("stepfunctions")
    machine = states.create_state_machine(name=function, roleArn=role.arn, definition=json.dumps(definition))
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    end = time.monotonic() + 30
    while (described := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < end
        time.sleep(0.02)
    assert described["status"] == status
    if not permitted:
        assert "lambda:InvokeFunction" in described["cause"]


@pytest.fixture
def theirs(local_aws: LocalAws) -> Any:
    """A client of S3 in another account, and a bucket there with one object, in/recording.wav"""
    s3, name = local_aws.client("s3", **administrator_credentials("222233334444")), f"theirs-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="in/recording.wav", Body=b"sound")
    return s3, name


def shared_with(principal: str, bucket: str) -> str:
    statement = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*") | {"Principal": {"AWS": principal}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("named", [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", "ROLE"])
def test_another_account_s_bucket_takes_the_caller_s_policy_and_the_bucket_s(
    make_role: Any, theirs: Any, named: str
) -> None:
    owner, bucket = theirs
    object_ = {"Bucket": bucket, "Key": "in/recording.wav"}
    role, without_policy = make_role(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")), make_role()
    assert refused(role.client("s3").get_object, **object_) == "AccessDenied"
    owner.put_bucket_policy(Bucket=bucket, Policy=shared_with(named.replace("ROLE", role.arn), bucket))
    assert role.client("s3").get_object(**object_)["Body"].read() == b"sound"
    assert refused(without_policy.client("s3").get_object, **object_) == "AccessDenied"
    assert refused(role.client("s3").put_object, **object_, Body=b"") == "AccessDenied"


def test_the_resource_s_account_is_the_bucket_s(make_role: Any, theirs: Any) -> None:
    owner, bucket = theirs
    owner.put_bucket_policy(Bucket=bucket, Policy=shared_with(ACCOUNT, bucket))
    for account, may in ((ACCOUNT, False), ("222233334444", True)):
        condition = {"StringEquals": {"aws:ResourceAccount": account, "s3:ResourceAccount": account}}
        s3 = make_role(allow("s3:GetObject", condition=condition)).client("s3")
        if may:
            s3.get_object(Bucket=bucket, Key="in/recording.wav")
        else:
            refused(s3.get_object, Bucket=bucket, Key="in/recording.wav")
