"""The deployed policies hold whichever way AWS takes where its documents are silent, and the strict forms don't.

Each strict form is what a careful reader might write; the case beside it is why the template has a wider one.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import pytest

from local.aws.open_points import DEFAULT, WAYS, OpenPoints
from tests.faults.invariants import broken
from tests.faults.world import World, world

EVERY_WAY = [
    DEFAULT,
    *(
        replace(DEFAULT, **{point: way})
        for point, ways in WAYS.items()
        for way in ways
        if way != asdict(DEFAULT)[point]
    ),
    OpenPoints(**{point: ways[-1] for point, ways in WAYS.items()}),
]

Statement = dict[str, Any]


def name(points: OpenPoints) -> str:
    played = [f"{point}={way}" for point, way in asdict(points).items() if way != asdict(DEFAULT)[point]]
    return ",".join(played) or "default"


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    with world() as shared:
        yield shared


@pytest.fixture
def running(shared: World) -> Iterator[World]:
    yield shared
    shared.run.pipeline.aws.open_points = DEFAULT
    shared.forget()


def play(running: World, **ways: Any) -> None:
    running.run.pipeline.aws.open_points = replace(DEFAULT, **ways)


@pytest.mark.parametrize("points", EVERY_WAY, ids=name)
def test_recordings_become_an_audience_whichever_way_aws_takes(
    running: World, points: OpenPoints, caplog: pytest.LogCaptureFixture
) -> None:
    running.run.pipeline.aws.open_points = points
    dropped = running.drop()
    assert undelivered(caplog) == []
    executions = running.settled(dropped)
    assert [running.run.causes(execution) for execution in executions if execution["status"] != "SUCCEEDED"] == []
    assert broken(running, dropped, executions) == []


def undelivered(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What EventBridge could not deliver, to the queue and then to the dead-letter queue."""
    return [record.getMessage() for record in caplog.records if record.name == "local.aws.events"]


def failure(running: World) -> str:
    """Errors and causes of the executions that a new drop starts, mostly one; they fail."""
    executions = running.settled(running.drop())
    assert {execution["status"] for execution in executions} == {"FAILED"}
    causes = [cause for execution in executions for cause in running.run.causes(execution)]
    return " ".join(f"{error}: {cause}" for error, cause in causes)


@contextmanager
def changed(
    document: Any, put: Callable[[str], Any], sid: str | None, change: Callable[[Statement], Any]
) -> Iterator[None]:
    """A policy with the statement `sid`, or its only one, changed."""
    before = json.dumps(document)
    policy = json.loads(before)
    (statement,) = [each for each in policy["Statement"] if sid in (None, each.get("Sid"))]
    change(statement)
    put(json.dumps(policy))
    try:
        yield
    finally:
        put(before)


@contextmanager
def trust(running: World, role_name: str, condition: dict[str, Any]) -> Iterator[None]:
    """The role's trust policy under this condition."""
    iam = running.run.pipeline.aws.client("iam")
    document = iam.get_role(RoleName=role_name)["Role"]["AssumeRolePolicyDocument"]

    def put(policy: str) -> None:
        iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=policy)

    with changed(document, put, None, lambda statement: statement.update(Condition=condition)):
        yield


@contextmanager
def bucket_policy(running: World, sid: str, change: Callable[[Statement], Any]) -> Iterator[None]:
    bucket, s3 = running.run.pipeline.clinical_bucket, running.run.s3
    document = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    with changed(document, lambda policy: s3.put_bucket_policy(Bucket=bucket, Policy=policy), sid, change):
        yield


def machine(running: World) -> dict[str, Any]:
    found: dict[str, Any] = running.run.stepfunctions.describe_state_machine(
        stateMachineArn=running.run.pipeline.state_machine_arn
    )
    return found


def role_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def only_by_arn(running: World) -> Callable[[Statement], Any]:
    """The key accepted by its ARN only."""
    encryption = running.run.s3.get_bucket_encryption(Bucket=running.run.pipeline.clinical_bucket)
    (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    header = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    arn = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    condition = {"Null": {header: "false"}, "StringNotEquals": {header: arn}}
    return lambda statement: statement.update(Condition=condition)


def test_no_child_starts_if_the_trust_names_the_state_machine_only_and_children_send_their_label(
    running: World,
) -> None:
    play(running, map_children="labelled")
    described = machine(running)
    strict = {"ArnLike": {"aws:SourceArn": described["stateMachineArn"]}}
    with trust(running, role_name(described["roleArn"]), strict):
        said = failure(running)
    assert said.startswith("States.Permissions: states.amazonaws.com cannot assume")
    assert f"on behalf of {described['stateMachineArn']}/TranscribeMedia" in said


def test_no_child_starts_if_the_key_is_for_the_state_machine_only_and_children_send_their_label(
    running: World,
) -> None:
    play(running, map_children="labelled")
    described, iam = machine(running), running.run.pipeline.aws.client("iam")
    attached = iam.list_attached_role_policies(RoleName=role_name(described["roleArn"]))["AttachedPolicies"]
    for policy_arn in (item["PolicyArn"] for item in attached):
        version = iam.get_policy(PolicyArn=policy_arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=policy_arn, VersionId=version)["PolicyVersion"]["Document"]
        if "EncryptOwnData" in {statement.get("Sid") for statement in document["Statement"]}:
            break

    def put(policy: str) -> None:
        iam.create_policy_version(PolicyArn=policy_arn, PolicyDocument=policy, SetAsDefault=True)

    context = {"kms:EncryptionContext:aws:states:stateMachineArn": described["stateMachineArn"]}
    with changed(document, put, "EncryptOwnData", lambda it: it.update(Condition={"StringEquals": context})):
        said = failure(running)
    assert said.startswith("States.Permissions")
    assert f"must be allowed kms:GenerateDataKey on {described['encryptionConfiguration']['kmsKeyId']}" in said


@pytest.mark.parametrize("way", [way for way in WAYS["queue_key"] if way != "account-and-queue"])
def test_no_event_arrives_if_the_key_is_for_our_account_only_and_kms_is_not_told_the_account(
    running: World, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    play(running, queue_key=way)
    kms, sqs = running.run.pipeline.aws.client("kms"), running.run.pipeline.aws.client("sqs")
    key = machine(running)["encryptionConfiguration"]["kmsKeyId"]
    document = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    condition = {"StringEquals": {"aws:SourceAccount": "123456789012"}}

    def put(policy: str) -> None:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)

    with changed(document, put, "RecordingsToQueue", lambda statement: statement.update(Condition=condition)):
        running.run.drop("media/nobody/lost.wav", b"never read")
    to_queue, to_dead_letters = undelivered(caplog)
    assert "could not deliver" in to_queue and "dead-letters took nothing" in to_dead_letters
    (dead_letters,) = [url for url in sqs.list_queues()["QueueUrls"] if url.endswith("dead-letters")]
    counted = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["ApproximateNumberOfMessages"])
    assert counted["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_no_transcript_is_written_if_the_bucket_takes_the_key_s_arn_only_and_transcribe_sends_its_id(
    running: World,
) -> None:
    play(running, transcribe_key="id")
    with bucket_policy(running, "OnlyOurKey", only_by_arn(running)):
        assert "The transcript can't be written" in failure(running)


def test_no_entities_are_written_if_the_bucket_takes_the_key_s_arn_only_and_comprehend_medical_sends_its_id(
    running: World,
) -> None:
    play(running, comprehend_medical_key="id")
    with bucket_policy(running, "OnlyOurKey", only_by_arn(running)):
        assert "cannot write" in failure(running)


def test_no_job_starts_if_the_bucket_refuses_the_write_check_that_transcribe_makes_without_our_key(
    running: World,
) -> None:
    play(running, transcribe_write_check="aes256")
    everything = f"arn:aws:s3:::{running.run.pipeline.clinical_bucket}/*"

    def without_exception(statement: Statement) -> None:
        statement.pop("NotResource", None)
        statement["Resource"] = everything

    with bucket_policy(running, "OnlyKms", without_exception):
        assert "The specified S3 bucket can't be accessed" in failure(running)


def test_no_audience_is_made_if_the_seed_reader_s_trust_needs_a_source_and_clean_rooms_ml_sends_none(
    running: World,
) -> None:
    play(running, clean_rooms_ml_source="withheld")
    iam = running.run.pipeline.aws.client("iam")
    (seed_reader,) = [
        role["RoleName"]
        for role in iam.list_roles()["Roles"]
        if "cleanrooms-ml" in json.dumps(role["AssumeRolePolicyDocument"]) and "SeedReader" in role["RoleName"]
    ]
    with trust(running, seed_reader, {"StringEquals": {"aws:SourceAccount": "123456789012"}}):
        said = failure(running)
    assert "cleanrooms-ml.amazonaws.com cannot assume" in said
