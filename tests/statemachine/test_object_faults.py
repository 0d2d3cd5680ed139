"""What is wrong with one recording is that recording's own: the others come out, and a repair takes no new upload."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.transcribe.exceptions import BadRequestException

from lambdas.shared.object_faults import CUSTOMER_KEY, NO_ACCESS
from local.aws.s3_archives import archive
from local.services.transcribe import models, validation
from tests.statemachine.conftest import Run
from tests.statemachine.test_pipeline_runs import ANOTHER_WAY, patient

REFUSED = "The media file is damaged."


class Batch:
    """Two good recordings, and one with each fault that an object may have; `uris` has them by their names.

    The executions that their uploads started have ended.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.user = run, patient()
        self.bucket = run.pipeline.media_bucket
        self.key_arn: str = run.pipeline.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        storage: dict[str, dict[str, str]] = {
            "good": {},
            "well": {},
            "archived": {"StorageClass": "DEEP_ARCHIVE"},
            "cold": {},
            "other-key": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.key_arn},
            "customer-key": {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
            "denied": {},
            "refused": {},
        }
        self.uris = {name: f"s3://{self.bucket}/{self.object_key(name)}" for name in storage}
        for name, more in storage.items():
            body = run.engines.recording(f"He has a fever {name}.")
            with run.before_the_policy(self.bucket):
                run.s3.put_object(Bucket=self.bucket, Key=self.object_key(name), Body=body, **more)
        for uri in self.uris.values():
            run.summary(run.execution_of(uri))
        archive(self.bucket, self.object_key("cold"), "ARCHIVE_ACCESS")

    def object_key(self, name: str) -> str:
        return f"media/{self.user}/{name}.wav"

    def start(self) -> dict[str, Any]:
        """The summary of an execution by hand, with parameters that those of the uploads did not have."""
        return self.run.summary(self.run.start(media=list(self.uris.values()), parameters=ANOTHER_WAY))

    def rejected(self, summary: dict[str, Any]) -> dict[str, str]:
        names = {uri: name for name, uri in self.uris.items()}
        return {names[item["uri"]]: item["reason"] for item in summary["rejected"]}

    @contextmanager
    def one_is_denied(self) -> Iterator[None]:
        """The bucket's policy denies an object, as a scanner's does until it has found the object clean."""
        policy = self.run.s3.get_bucket_policy(Bucket=self.bucket)["Policy"]
        resource = f"arn:aws:s3:::{self.bucket}/{self.object_key('denied')}"
        denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
        document = json.loads(policy)
        stricter = {**document, "Statement": [*document["Statement"], denial]}
        self.run.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(stricter))
        try:
            yield
        finally:
            self.run.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy)

    @contextmanager
    def other_key_allowed(self) -> Iterator[None]:
        iam = self.run.pipeline.aws.client("iam")
        names = [role["RoleName"] for role in iam.list_roles()["Roles"]]
        (name,) = [name for name in names if "FunctionsStartTranscription" in name]
        policy = {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": self.key_arn},
        }
        iam.put_role_policy(RoleName=name, PolicyName="other-key", PolicyDocument=json.dumps(policy))
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=name, PolicyName="other-key")


def refuse(patch: pytest.MonkeyPatch, uri: str) -> None:
    """Have the service refuse to start a job for one recording."""

    def refusing(request: dict[str, Any]) -> None:
        validation.check_start(request)
        if request["Media"]["MediaFileUri"] == uri:
            raise BadRequestException(REFUSED)

    patch.setattr(models, "check_start", refusing)


def test_each_faulty_recording_is_rejected_alone_and_taken_up_after_its_repair(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Batch(run)
    with monkeypatch.context() as patch, batch.one_is_denied():
        refuse(patch, batch.uris["refused"])
        summary = batch.start()
    reasons = batch.rejected(summary)
    counts = {"received": 8, "transcribed": 2, "reused": 0, "elsewhere": 0, "rejected": 6}
    assert summary["recordings"] == counts, reasons
    assert "archived (DEEP_ARCHIVE)" in reasons["archived"]
    assert "archived (ARCHIVE_ACCESS)" in reasons["cold"]
    assert batch.key_arn in reasons["other-key"]
    assert reasons["customer-key"] == CUSTOMER_KEY
    assert reasons["denied"] == NO_ACCESS
    assert reasons["refused"] == f"Transcribe Medical: {REFUSED}"

    days = {"Days": 3, "GlacierJobParameters": {"Tier": "Standard"}}
    run.s3.restore_object(Bucket=batch.bucket, Key=batch.object_key("archived"), RestoreRequest=days)
    run.s3.restore_object(Bucket=batch.bucket, Key=batch.object_key("cold"), RestoreRequest={})
    with batch.other_key_allowed():
        again = batch.start()
    assert again["recordings"] == {**counts, "transcribed": 5, "reused": 2, "rejected": 1}
    assert batch.rejected(again) == {"customer-key": CUSTOMER_KEY}
    found = {row["media_uri"] for row in run.records(batch.user) if row["text"] == "fever"}
    assert found == {uri for name, uri in batch.uris.items() if name != "customer-key"}


def test_a_finished_recording_that_is_archived_later_is_reused(run: Run) -> None:
    user = patient()
    uri = run.drop(f"media/{user}/a.wav", run.engines.recording("He has a fever for good."))
    run.summary(run.execution_of(uri))
    archive(run.pipeline.media_bucket, f"media/{user}/a.wav", "GLACIER")
    assert run.summary(run.start(media=[uri]))["recordings"]["reused"] == 1


def test_a_right_to_read_that_is_missing_for_all_fails_the_execution_and_a_redrive_goes_on(run: Run) -> None:
    batch = Batch(run)
    arns = [f"arn:aws:s3:::{batch.bucket}/*"]
    iam = run.pipeline.aws.client("iam")
    (name,) = [role["RoleName"] for role in iam.list_roles()["Roles"] if "FunctionsPlanBatch" in role["RoleName"]]
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:GetObject", "Resource": arns}}
    iam.put_role_policy(RoleName=name, PolicyName="revoked", PolicyDocument=json.dumps(policy))
    try:
        failed = run.start(media=[batch.uris["good"], batch.uris["well"]], parameters=ANOTHER_WAY)
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="revoked")
    assert (failed["status"], run.states(failed["executionArn"])[-1]) == ("FAILED", "PlanBatch")
    run.stepfunctions.redrive_execution(executionArn=failed["executionArn"])
    assert run.summary(run.ended(failed["executionArn"]))["recordings"]["transcribed"] == 2
