import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.key_states import problem
from local.server import LocalAws


@pytest.fixture
def key(local_aws: LocalAws) -> str:
    """The ARN of a new key."""
    arn: str = local_aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    return arn


@pytest.fixture
def bucket(local_aws: LocalAws, key: str) -> str:
    """A bucket that encrypts under the key, with the object `here`."""
    s3, name = local_aws.client("s3"), f"bucket-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    s3.put_object(Bucket=name, Key="here", Body=b"content")
    return name


def refusal(call: Any, *args: Any, **given: Any) -> tuple[int, str, str]:
    """HTTP status, code and message of the refusal."""
    with pytest.raises(ClientError) as refused:
        call(*args, **given)
    error = refused.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


def test_a_key_is_usable_by_each_of_its_names_until_it_is_disabled_or_deleted(local_aws: LocalAws, key: str) -> None:
    kms = local_aws.client("kms")
    names = [key, key.rpartition("/")[2], "alias/states"]
    kms.create_alias(AliasName="alias/states", TargetKeyId=key)
    assert [problem(name) for name in names] == [None] * 3
    kms.disable_key(KeyId=key)
    assert {found.state for name in names if (found := problem(name))} == {"DISABLED"}
    kms.enable_key(KeyId=key)
    assert [problem(name) for name in names] == [None] * 3
    kms.schedule_key_deletion(KeyId=key)
    assert {found.code for name in names if (found := problem(name))} == {"KMSInvalidStateException"}
    assert problem("alias/aws/s3") is None
    assert problem("alias/none") == ("NotFoundException", "Key 'alias/none' does not exist", "UNAVAILABLE")


def test_kms_itself_neither_encrypts_nor_decrypts_with_a_disabled_key(local_aws: LocalAws, key: str) -> None:
    kms = local_aws.client("kms")
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    for call, given in (
        (kms.encrypt, {"KeyId": key, "Plaintext": b"text"}),
        (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (kms.decrypt, {"CiphertextBlob": ciphertext}),
        (kms.re_encrypt, {"CiphertextBlob": ciphertext, "DestinationKeyId": key}),
    ):
        assert refusal(call, **given) == (400, "DisabledException", f"{key} is disabled.")
    kms.schedule_key_deletion(KeyId=key)
    assert refusal(kms.decrypt, CiphertextBlob=ciphertext)[:2] == (400, "KMSInvalidStateException")
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"text"


@pytest.mark.parametrize("caller", ["operator", "role"])
def test_s3_neither_reads_nor_writes_under_a_disabled_key(
    local_aws: LocalAws, make_role: Any, key: str, bucket: str, caller: str
) -> None:
    everything = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
    s3 = local_aws.client("s3") if caller == "operator" else make_role(everything).client("s3")
    local_aws.client("kms").disable_key(KeyId=key)
    refused = (400, "KMS.DisabledException", f"{key} is disabled.")
    assert refusal(s3.get_object, Bucket=bucket, Key="here") == refused
    assert refusal(s3.put_object, Bucket=bucket, Key="new", Body=b"") == refused
    assert refusal(s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/here") == refused
    assert refusal(s3.create_multipart_upload, Bucket=bucket, Key="parts") == refused
    # What needs no key.
    assert s3.head_object(Bucket=bucket, Key="here")["ContentLength"] == 7
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["here"]
    local_aws.client("kms").enable_key(KeyId=key)
    assert s3.get_object(Bucket=bucket, Key="here")["Body"].read() == b"content"


def test_s3_names_a_key_that_will_be_deleted_and_one_that_is_not_there(
    local_aws: LocalAws, key: str, bucket: str
) -> None:
    s3, absent = local_aws.client("s3"), f"{key[:-4]}0000"
    local_aws.client("kms").schedule_key_deletion(KeyId=key)
    assert refusal(s3.get_object, Bucket=bucket, Key="here")[:2] == (400, "KMS.KMSInvalidStateException")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": absent}
    assert refusal(s3.put_object, Bucket=bucket, Key="new", **encryption)[:2] == (400, "KMS.NotFoundException")


def test_a_caller_without_rights_is_refused_for_that(
    local_aws: LocalAws, make_role: Any, key: str, bucket: str
) -> None:
    local_aws.client("kms").disable_key(KeyId=key)
    s3 = make_role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}).client("s3")
    assert refusal(s3.get_object, Bucket=bucket, Key="here")[:2] == (403, "AccessDenied")


def test_a_queue_neither_takes_nor_gives_messages_under_a_disabled_key(local_aws: LocalAws, key: str) -> None:
    sqs = local_aws.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="before")
    local_aws.client("kms").disable_key(KeyId=key)
    refused = (400, "KMS.DisabledException", f"{key} is disabled.")
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody="x") == refused
    assert refusal(sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "x"}]) == refused
    assert refusal(sqs.receive_message, QueueUrl=url) == refused
    local_aws.client("kms").enable_key(KeyId=key)
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["before"]


def test_no_log_group_is_made_under_a_disabled_key(local_aws: LocalAws, key: str) -> None:
    logs = local_aws.client("logs")
    local_aws.client("kms").disable_key(KeyId=key)
    expected = (400, "InvalidParameterException", f"{key} is disabled.")
    assert refusal(logs.create_log_group, logGroupName="encrypted", kmsKeyId=key) == expected
    assert logs.describe_log_groups(logGroupNamePrefix="encrypted")["logGroups"] == []


def test_step_functions_shows_only_what_a_disabled_key_does_not_encrypt(
    local_aws: LocalAws, make_role: Any, key: str
) -> None:
    states = local_aws.client("stepfunctions")
    use_key = {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": key}
    definition = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}})
    machine = states.create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:8]}",
        definition=definition,
        roleArn=make_role(use_key, trusted="states.amazonaws.com").arn,
        encryptionConfiguration={"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key},
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    local_aws.client("kms").disable_key(KeyId=key)
    for call, given in (
        (states.start_execution, {"stateMachineArn": machine}),
        (states.describe_state_machine, {"stateMachineArn": machine}),
        (states.describe_execution, {"executionArn": execution}),
        (states.describe_state_machine_for_execution, {"executionArn": execution}),
        (states.get_execution_history, {"executionArn": execution}),
        (states.stop_execution, {"executionArn": execution, "cause": "no longer needed"}),
    ):
        assert refusal(call, **given) == (400, "KmsInvalidStateException", f"{key} is disabled.")
    only = {"includedData": "METADATA_ONLY"}
    assert "definition" not in states.describe_state_machine(stateMachineArn=machine, **only)
    assert "definition" not in states.describe_state_machine_for_execution(executionArn=execution, **only)
    described = states.describe_execution(executionArn=execution, **only)
    assert (described["status"], described["inputDetails"]) == ("RUNNING", {"included": False})
    assert "input" not in described
    states.stop_execution(executionArn=execution)
    local_aws.client("kms").enable_key(KeyId=key)
    assert states.describe_state_machine(stateMachineArn=machine)["definition"] == definition
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
