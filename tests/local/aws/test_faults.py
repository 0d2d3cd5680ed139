import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, UnknownServiceError
from botocore.model import OperationNotFoundError

from local.aws.faults import SeenCall, faults_of
from local.server import LocalAws

# boto3's names of the errors. A client's `except` relies on the modelled class.
ANSWERS = {
    ("s3", "get_object", "throttle"): ("ClientError", "SlowDown"),
    ("s3", "get_object", "kms_disabled"): ("ClientError", "KMS.DisabledException"),
    ("s3", "get_object", "access_denied"): ("AccessDenied", "AccessDenied"),
    ("s3", "head_object", "throttle"): ("ClientError", "503"),
    ("transcribe", "get_medical_transcription_job", "throttle"): ("LimitExceededException", "LimitExceededException"),
    ("transcribe", "get_medical_transcription_job", "internal_error"): (
        "InternalFailureException",
        "InternalFailureException",
    ),
    ("transcribe", "get_medical_transcription_job", "access_denied"): ("ClientError", "AccessDeniedException"),
    ("comprehendmedical", "list_entities_detection_v2_jobs", "throttle"): (
        "TooManyRequestsException",
        "TooManyRequestsException",
    ),
    ("cleanroomsml", "list_audience_export_jobs", "throttle"): ("ThrottlingException", "ThrottlingException"),
    ("cleanroomsml", "list_audience_export_jobs", "access_denied"): ("AccessDeniedException", "AccessDeniedException"),
    ("stepfunctions", "list_state_machines", "throttle"): ("ClientError", "ThrottlingException"),
    ("sqs", "list_queues", "internal_error"): ("ClientError", "InternalFailure"),
    ("lambda", "list_functions", "throttle"): ("TooManyRequestsException", "TooManyRequestsException"),
    ("dynamodb", "get_item", "throttle"): ("ThrottlingException", "ThrottlingException"),
    ("dynamodb", "get_item", "access_denied"): ("ClientError", "AccessDeniedException"),
    ("dynamodb", "batch_get_item", "throttle"): (
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceededException",
    ),
    ("dynamodb", "update_item", "quota"): ("RequestLimitExceeded", "RequestLimitExceeded"),
    ("dynamodb", "update_item", "internal_error"): ("InternalServerError", "InternalServerError"),
    ("dynamodb", "update_item", "conflict"): ("TransactionConflictException", "TransactionConflictException"),
    ("dynamodb", "transact_write_items", "throttle"): ("TransactionCanceledException", "TransactionCanceledException"),
    ("dynamodb", "transact_write_items", "conflict"): ("TransactionCanceledException", "TransactionCanceledException"),
}
ITEM: dict[str, Any] = {"TableName": "table", "Key": {"pk": {"S": "k"}}}
CHECK = ITEM | {"Key": {"pk": {"S": "checked"}}, "ConditionExpression": "attribute_not_exists(pk)"}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "get_object": {"Bucket": "bucket", "Key": "k"},
    "head_object": {"Bucket": "bucket", "Key": "k"},
    "get_medical_transcription_job": {"MedicalTranscriptionJobName": "j"},
    "get_item": ITEM,
    "update_item": ITEM,
    "batch_get_item": {"RequestItems": {"table": {"Keys": [ITEM["Key"]]}}},
    "transact_write_items": {"TransactItems": [{"ConditionCheck": CHECK}, {"Delete": ITEM}]},
}


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAws]:
    aws = LocalAws.start()
    try:
        yield aws
    finally:
        aws.stop()


@pytest.fixture(autouse=True)
def no_faults_left(local_aws: LocalAws) -> Iterator[None]:
    yield
    local_aws.faults.clear()
    local_aws.faults.recording = False


@pytest.fixture
def s3(local_aws: LocalAws) -> Any:
    client = local_aws.client("s3", config=Config(retries={"total_max_attempts": 1}))
    client.create_bucket(Bucket="bucket")
    return client


@pytest.mark.parametrize(("service", "method", "kind"), list(ANSWERS))
def test_a_service_refuses_in_its_own_words(local_aws: LocalAws, service: str, method: str, kind: Any) -> None:
    client = local_aws.client(service, config=Config(retries={"total_max_attempts": 1}))
    fault = local_aws.faults.inject(service, client.meta.method_to_api_mapping[method], kind)
    with pytest.raises(ClientError) as raised:
        getattr(client, method)(**ARGUMENTS.get(method, {}))
    assert (type(raised.value).__name__, raised.value.response["Error"]["Code"]) == ANSWERS[service, method, kind]
    assert (fault.seen, fault.fired) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        ("conflict", "TransactionConflict", "Transaction is ongoing for the item"),
        ("throttle", "ThrottlingError", "Through"),
    ],
)
def test_a_cancelled_transaction_says_which_item_it_was(
    local_aws: LocalAws, kind: Any, code: str, message: str
) -> None:
    client = local_aws.client("dynamodb")
    local_aws.faults.inject("dynamodb", "TransactWriteItems", kind)
    with pytest.raises(client.exceptions.TransactionCanceledException) as raised:
        client.transact_write_items(**ARGUMENTS["transact_write_items"])
    checked, deleted = raised.value.response["CancellationReasons"]
    assert checked == {"Code": "None"}
    assert deleted["Code"] == code
    assert deleted["Message"].startswith(message)


def test_a_batch_can_come_back_half_processed(local_aws: LocalAws, make_table: Any) -> None:
    client, table = local_aws.client("dynamodb"), make_table()
    keys = [{"pk": {"S": f"{number}"}} for number in range(5)]
    for key in keys:
        client.put_item(TableName=table, Item=key | {"n": {"N": "1"}})
    fault = local_aws.faults.inject("dynamodb", "BatchGetItem", "unprocessed", times=3)
    left, processed = {table: {"Keys": keys, "ConsistentRead": True, "ProjectionExpression": "n"}}, []
    while left:
        answer = client.batch_get_item(RequestItems=left)
        processed.append(len(answer["Responses"][table]))
        left = answer["UnprocessedKeys"]
        if left:
            assert left[table]["Keys"] == keys[sum(processed) :]
            assert (left[table]["ConsistentRead"], left[table]["ProjectionExpression"]) == (True, "n")
    assert processed == [2, 1, 1, 1]
    assert fault.fired == 3


def test_a_batch_that_is_refused_is_refused_whole(local_aws: LocalAws) -> None:
    local_aws.faults.inject("dynamodb", "BatchGetItem", "unprocessed")
    client = local_aws.client("dynamodb")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.batch_get_item(RequestItems={"missing": {"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]}})


def test_a_write_is_refused_or_loses_its_answer_after_it_was_done(local_aws: LocalAws, make_table: Any) -> None:
    client, table = local_aws.client("dynamodb", config=Config(retries={"total_max_attempts": 1})), make_table()
    update = ITEM | {
        "TableName": table,
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    kinds: list[Any] = ["conflict", "throttle", "internal_error", "drop", "error_after", "drop_after"]
    for kind in kinds:
        local_aws.faults.inject("dynamodb", "UpdateItem", kind, contains=table)
        with pytest.raises((ClientError, ConnectionClosedError)):
            client.update_item(**update)
    assert client.get_item(**ITEM | {"TableName": table})["Item"]["n"] == {"N": "2"}


@pytest.mark.parametrize(
    ("kind", "error", "done"),
    [
        ("drop", ConnectionClosedError, False),
        ("drop_after", ConnectionClosedError, True),
        ("internal_error", ClientError, False),
        ("error_after", ClientError, True),
    ],
)
def test_an_answer_can_be_lost_before_or_after_the_work_was_done(
    local_aws: LocalAws, s3: Any, kind: Any, error: type[Exception], done: bool
) -> None:
    key = uuid.uuid4().hex
    local_aws.faults.inject("s3", "PutObject", kind)
    with pytest.raises(error):
        s3.put_object(Bucket="bucket", Key=key, Body=b"x")
    assert ("Contents" in s3.list_objects_v2(Bucket="bucket", Prefix=key)) is done


def test_a_slow_answer_is_right_and_late(local_aws: LocalAws, s3: Any) -> None:
    local_aws.faults.inject("s3", "PutObject", "delay", seconds=0.2)
    begun = time.monotonic()
    s3.put_object(Bucket="bucket", Key="slow", Body=b"x")
    assert time.monotonic() - begun >= 0.2
    assert s3.get_object(Bucket="bucket", Key="slow")["Body"].read() == b"x"


def test_a_fault_can_wait_for_its_turn_and_be_about_some_calls_only(local_aws: LocalAws, s3: Any) -> None:
    fault = local_aws.faults.inject("s3", "PutObject", "throttle", contains="/spoiled", after=1, times=2)
    fails = []
    for key in ("fine", "spoiled", "spoiled", "spoiled", "spoiled"):
        try:
            s3.put_object(Bucket="bucket", Key=key, Body=b"x")
            fails.append(False)
        except ClientError:
            fails.append(True)
    assert fails == [False, False, True, True, False]
    assert (fault.seen, fault.fired) == (3, 2)


@pytest.mark.parametrize(("operation", "asked"), [("GetObject", {"Key": "v"}), ("ListObjectVersions", {})])
def test_a_call_about_versions_meets_the_fault_of_its_operation(
    local_aws: LocalAws, s3: Any, operation: str, asked: dict[str, str]
) -> None:
    bucket = f"versions-{operation.lower()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="v", Body=b"")["VersionId"]
    call, more = (s3.get_object, {"VersionId": version}) if asked else (s3.list_object_versions, {})
    fault = local_aws.faults.inject("s3", operation, "access_denied")
    with pytest.raises(ClientError, match="AccessDenied"):
        call(Bucket=bucket, **asked, **more)
    assert fault.fired == 1
    call(Bucket=bucket, **asked, **more)


@pytest.mark.parametrize("kind", ["kill", "kill_after"])
def test_a_function_can_die_in_a_call_and_the_next_invocation_gets_a_new_process(
    local_aws: LocalAws, make_function: Any, invoke: Any, kind: Any
) -> None:
    bucket = f"bucket-{uuid.uuid4().hex[:8]}"
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=bucket)
    put = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    name = make_function(
        """
        import boto3
        def handler(event, context):
            boto3.client("s3").put_object(Bucket=event, Key="k", Body=b"x")
            return "done"
        """,
        [put],
        Timeout=30,
    )
    local_aws.faults.recording = True
    local_aws.faults.inject("s3", "PutObject", kind, function=name)
    payload, error, _ = invoke(name, bucket)
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert ("Contents" in s3.list_objects_v2(Bucket=bucket)) is (kind == "kill_after")
    assert invoke(name, bucket)[0] == "done"
    assert local_aws.faults.calls.count(SeenCall("s3", "PutObject", name)) == 2


@pytest.mark.parametrize(
    ("service", "operation", "kind", "error"),
    [
        ("s3", "PutObjekt", "drop", OperationNotFoundError),
        ("s4", "PutObject", "drop", UnknownServiceError),
        ("s3", "GetObject", "drop_after", ValueError),
        ("comprehendmedical", "DescribeEntitiesDetectionV2Job", "kms_disabled", ValueError),
        ("dynamodb", "GetItem", "conflict", ValueError),
        ("dynamodb", "GetItem", "unprocessed", ValueError),
    ],
)
def test_a_fault_that_no_call_can_meet_is_refused(
    local_aws: LocalAws, service: str, operation: str, kind: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        local_aws.faults.inject(service, operation, kind)


def test_a_call_s_faults_are_those_that_it_can_have() -> None:
    assert faults_of("s3", "HeadObject") == (
        "throttle", "internal_error", "access_denied", "drop", "delay", "kill", "kill_after",
    )  # fmt: skip
    assert faults_of("transcribe", "StartMedicalTranscriptionJob") == (
        "throttle", "quota", "internal_error", "access_denied", "kms_disabled", "drop", "delay", "kill",
        "error_after", "drop_after", "kill_after",
    )  # fmt: skip
    assert faults_of("dynamodb", "BatchGetItem") == (
        "throttle", "internal_error", "access_denied", "unprocessed", "drop", "delay", "kill", "kill_after",
    )  # fmt: skip
    assert faults_of("dynamodb", "TransactWriteItems") == (
        "throttle", "quota", "internal_error", "access_denied", "conflict", "drop", "delay", "kill",
        "error_after", "drop_after", "kill_after",
    )  # fmt: skip


def test_a_service_whose_errors_are_xml_refuses_in_xml(local_aws: LocalAws) -> None:
    local_aws.faults.inject("sts", "GetCallerIdentity", "access_denied")
    with pytest.raises(ClientError) as refused:
        local_aws.client("sts").get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
