import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape
from moto.awslambda.models import LambdaBackend
from moto.kms.models import KmsBackend
from moto.s3.models import S3Backend
from moto.sns.models import SNSBackend

from local.aws.unanswered import MISSING_IN_S3
from local.server import LocalAws

# The services that the application, its operators and their clients call.
SERVICES = (
    "athena", "cleanroomsml", "cloudformation", "cloudwatch", "comprehendmedical", "dynamodb", "events", "glue",
    "health", "iam", "kms", "lambda", "logs", "organizations", "s3", "service-quotas", "sns", "sqs", "ssm",
    "stepfunctions", "sts", "transcribe", "xray",
)  # fmt: skip
# The SDK repeats no call, checks no parameters, and needs no host of its own for live tails and tests of states.
CONFIG = Config(
    retries={"total_max_attempts": 1}, parameter_validation=False, inject_host_prefix=False, read_timeout=20
)
# moto fetches the template's URL, which this call has not.
WITHOUT_END = {("cloudformation", "ValidateTemplate")}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """A local AWS with all of its services."""
    running = LocalAws.start()
    try:
        yield running
    finally:
        running.stop()


def least(shape: Shape, name: str = "") -> Any:
    """A value of the shape with the required members only, naming nothing that exists."""
    match shape:
        case StructureShape():
            return {member: least(shape.members[member], member) for member in shape.required_members}
        case ListShape():
            return [least(shape.member, name)]
        case MapShape():
            return {least(shape.key): least(shape.value)}
        case StringShape() if shape.enum:
            return shape.enum[0]
        case StringShape():
            absent = "arn:aws:x:us-east-1:123456789012:thing/absent" if "arn" in name.lower() else "absent"
            return absent.ljust(shape.metadata.get("min", 0), "a")
    other: dict[str, Any] = {"float": 1.0, "double": 1.0, "boolean": False, "timestamp": 1_700_000_000, "blob": b"x"}
    return other.get(shape.type_name, max(shape.metadata.get("min", 1), 1))


def parameters(operation: OperationModel) -> Any:
    return least(operation.input_shape) if operation.input_shape else {}


def refusal(client: Any, operation: str, **given: Any) -> tuple[int, str, str]:
    """HTTP status, code and message of a refused call."""
    with pytest.raises(ClientError) as refused:
        getattr(client, xform_name(operation))(**given)
    error = refused.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"].get("Message", "")


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_answered_in_the_protocol_s_own_shape(aws: LocalAws, service: str) -> None:
    client, answers = aws.client(service, config=CONFIG), {}
    client.meta.events.register("before-parse", lambda response_dict, **_: answers.update(response_dict))
    missing = 0
    for name in client.meta.service_model.operation_names:
        if (service, name) in WITHOUT_END:
            continue
        operation = client.meta.service_model.operation_model(name)
        try:
            # botocore raises its own exception for an answer that it can't parse.
            getattr(client, xform_name(name))(**parameters(operation))
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            if code == "NotImplemented":
                missing += 1
                assert message == f"{name} of {service} is not implemented by the local AWS"
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
            else:
                # Only HEAD's answers have no body.
                assert not code.isdigit() or operation.http["method"] == "HEAD" or not answers["body"], name
        assert b"<html" not in answers["body"].lower() and b"<!doctype" not in answers["body"].lower(), name
    # None of the services is complete.
    assert missing


def test_what_s3_lacks_is_refused_and_changes_neither_the_bucket_nor_the_object(aws: LocalAws) -> None:
    s3, bucket = aws.client("s3", config=CONFIG), f"bucket-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="key", Body=b"content")
    known = s3.meta.service_model.operation_names
    assert set(known) >= MISSING_IN_S3
    for name in sorted(MISSING_IN_S3):
        given = parameters(s3.meta.service_model.operation_model(name))
        given |= {member: value for member, value in {"Bucket": bucket, "Key": "key"}.items() if member in given}
        expected = f"{name} of s3 is not implemented by the local AWS"
        assert refusal(s3, name, **given) == (501, "NotImplemented", expected)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"content"


# By service: its protocol's error, and a function of moto that one of its operations calls.
FAILING: dict[str, tuple[str, Any, str, str, dict[str, Any]]] = {
    "s3": ("InternalError", S3Backend, "list_buckets", "ListBuckets", {}),
    "sns": ("InternalError", SNSBackend, "list_topics", "ListTopics", {}),
    "kms": ("KMSInternalException", KmsBackend, "list_keys", "ListKeys", {}),
    "lambda": ("ServiceException", LambdaBackend, "list_functions", "ListFunctions", {}),
}


@pytest.mark.parametrize("service", FAILING)
def test_an_unhandled_exception_is_the_service_s_internal_error_and_a_line_in_the_log(
    aws: LocalAws, service: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    code, backend, function, operation, given = FAILING[service]

    def fail(*_: Any, **__: Any) -> None:
        raise LookupError("spoken by a patient")

    monkeypatch.setattr(backend, function, fail)
    with caplog.at_level(logging.ERROR):
        status, answered, message = refusal(aws.client(service, config=CONFIG), operation, **given)
    assert (status, answered) == (500, code)
    assert message == f"{operation} of {service} failed in the local AWS; its log names the exception"
    (line,) = caplog.messages
    assert line.startswith(f"{operation} of {service} failed: LookupError in {__file__}:")
    assert "patient" not in caplog.text


def test_an_object_whose_key_has_two_lines_is_never_there(aws: LocalAws) -> None:
    s3 = aws.client("s3", config=CONFIG)
    s3.create_bucket(Bucket="lines")
    assert refusal(s3, "GetObject", Bucket="lines", Key="a\nb")[:2] == (404, "NoSuchKey")
    assert refusal(s3, "HeadObject", Bucket="lines", Key="a\nb")[:2] == (404, "404")
    assert refusal(s3, "PutObject", Bucket="lines", Key="a\nb", Body=b"")[:2] == (501, "NotImplemented")


def test_a_service_that_is_not_here_is_refused_by_name(aws: LocalAws) -> None:
    trusted = aws.client("trustedadvisor", config=CONFIG)
    assert refusal(trusted, "ListChecks") == (
        501,
        "NotImplemented",
        "ListChecks of trustedadvisor is not implemented by the local AWS",
    )


def test_an_unsigned_request_gets_no_page_either(aws: LocalAws) -> None:
    answer = requests.get(f"{aws.endpoint}/bucket/key?X-Amz-Credential=a/20261127/us-east-1/nowhere/x", timeout=10)
    assert b"<html" not in answer.content.lower()
    answer = requests.post(aws.endpoint, data={"Action": "AssumeRoleWithSAML", "Version": "2011-06-15"}, timeout=10)
    assert (answer.status_code, "<Code>AccessDenied</Code>" in answer.text) == (403, True)
