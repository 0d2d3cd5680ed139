"""What the functions were seen to do, beside what their roles let them do: nothing is missing, and nothing unused."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.functions import FUNCTIONS
from lambdas.searching.files import request
from lambdas.searching.traces import Traces
from lambdas.shared.layout import search_request_key
from local.aws import iam
from tests.faults.world import World, world
from tests.infra.test_permissions import FUNCTION_GRANTS
from tests.statemachine.conftest import Run
from tests.statemachine.test_pipeline_runs import ANOTHER_WAY

# Granted, and used where no call can be seen.
UNSEEN: dict[str, set[str]] = {
    # The queue's messages are received by Lambda itself, with the function's rights.
    "ingest": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"},
    # Transcribe's guide lists them for the output's key; the local one leaves the encryption to S3.
    "start_transcription": {
        "kms:Encrypt",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    },
    # Records that are forgotten between their listing and their reading are a 404 with it alone.
    "index_records": {"s3:ListBucket"},
}
# S3 user guide, "Reducing the cost of SSE-KMS": S3 decides when to use a bucket key, and decrypts it then.
BY_S3 = {"kms:Decrypt"}


@pytest.fixture(scope="module")
def used() -> Iterator[Mapping[str, set[str]]]:
    """Function -> actions, over runs that meet every branch: new, repeated, tagged, taken over, refused and failed."""
    with world() as running:
        run_every_branch(running)
        functions = running.run.pipeline.aws.client("lambda")
        roles = {item["FunctionName"]: item["Role"] for item in functions.list_functions()["Functions"]}
        yield {name: set(iam.actions_used[roles[f"clinical-media-local-{name}"]]) for name in FUNCTIONS}


def run_every_branch(world: World) -> None:
    run, faults = world.run, world.run.pipeline.aws.faults
    dropped = world.drop()
    world.settled(dropped)
    tagged: dict[str, Any] = {
        "StartMedicalTranscriptionJob": {
            **ANOTHER_WAY["StartMedicalTranscriptionJob"],
            "Tags": [{"Key": "study", "Value": "7"}],
        },
        "StartAudienceGenerationJob": {"tags": {"study": "7"}, "includeSeedInOutput": True},
    }
    # A start whose answer was lost finds its job, which is still running; the execution fails and is taken over.
    run.engines.seconds_per_job = 0.5
    faults.inject("transcribe", "StartMedicalTranscriptionJob", "drop_after", function="start_transcription")
    faults.inject("s3", "PutObject", "access_denied", function="prepare_documents", times=10_000)
    assert run.start(media=list(dropped.texts), parameters=tagged)["status"] == "FAILED"
    run.engines.seconds_per_job = 0.0
    faults.clear()
    run.summary(run.start(media=list(dropped.texts), parameters=tagged))
    broken = run.drop(f"media/{dropped.users[0]}/broken.wav", b"no sound at all, whatever its name says")
    run.summary(run.execution_of(broken))
    # A job that was started is asked for by its id by whoever takes its documents over.
    asked = "DescribeEntitiesDetectionV2Job"
    faults.inject("comprehendmedical", asked, "access_denied", function="poll_entity_detection", times=10_000)
    left = run.drop(f"media/{dropped.users[0]}/left.wav", run.engines.recording("He has a cough."))
    assert run.execution_of(left)["status"] == "FAILED"
    faults.clear()
    run.summary(run.start(media=[left]))
    # Membership ends by records without the finding, by a version without consent, and when the index is made anew.
    events, rule = run.pipeline.aws.client("events"), "clinical-media-local-recordings"
    events.disable_rule(Name=rule)
    for said, consents in (("hypertension", True), ("a cold", True), ("hypertension", True), ("hypertension", False)):
        sound = run.engines.recording(f"He has {said}.")
        changed = run.drop(f"media/{dropped.users[0]}/changed.wav", sound, consent=consents)
        run.summary(run.start(media=[changed]))
    events.enable_rule(Name=rule)
    # A rebuild fails, another execution takes it over, and meets records that it can't read.
    run.s3.put_object(Bucket=run.pipeline.clinical_bucket, Key="records/unreadable.jsonl", Body=b"?")
    faults.inject("s3", "GetObject", "access_denied", function="index_records", times=10_000)
    left_over = world.drop()
    assert {execution["status"] for execution in world.settled(left_over)} == {"FAILED"}
    faults.clear()
    run.summary(run.start(media=list(left_over.texts)))
    # More than a first share, and until the jobs are shared out.
    run.engines.seconds_per_job = 0.8
    several = [
        run.drop(f"media/{dropped.users[0]}/{n}.wav", run.engines.recording("He has a fever.")) for n in range(4)
    ]
    run.summary(run.start(media=several, reprocess=True))
    # The second one reads the files of the first.
    for rebuild in (False, True):
        assert run.compact(rebuild)["status"] == "SUCCEEDED"
    search_every_byte(run)


def search_every_byte(run: Run) -> None:
    wanted = json.dumps(request(Traces(["nobody"]), "every byte"))
    run.s3.put_object(Bucket=run.pipeline.clinical_bucket, Key=search_request_key("all"), Body=wanted.encode())
    started = run.stepfunctions.start_execution(stateMachineArn=run.pipeline.search_arn, name="all", input="{}")
    execution = run.ended(started["executionArn"])
    assert execution["status"] == "SUCCEEDED", run.causes(execution)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_does_all_that_it_may_do_and_may_do_all_that_it_does(
    used: Mapping[str, set[str]], function: str
) -> None:
    may = set(FUNCTION_GRANTS[function])
    assert used[function] <= may
    assert may - used[function] <= UNSEEN.get(function, set()) | BY_S3
