import json

import pytest

from infra.definition import BACKFILL, read_definition
from local.aws.policies import Decision, Request, evaluate
from tests.infra.conftest import Deployed
from tests.infra.test_permissions import MACHINE, MEDIA, OPERATIONS_KEY, grants

OWN = MACHINE.replace("-pipeline", "-backfill")
EXECUTION, OWN_EXECUTION = (arn.replace(":stateMachine:", ":execution:") for arn in (MACHINE, OWN))
RULE = "arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"


def test_the_definition_is_in_the_template_and_starts_the_pipeline(local: Deployed) -> None:
    machine = local.resources["Backfill/StateMachine"]["Properties"]
    assert machine["StateMachineName"] == "clinical-media-local-backfill"
    assert json.loads(machine["DefinitionString"]) == read_definition(BACKFILL)
    assert machine["DefinitionSubstitutions"] == {"PipelineArn": "Workflow/StateMachine"}


def test_it_is_logged_traced_and_encrypted_as_the_pipeline_is(local: Deployed) -> None:
    ours, pipeline = (local.resources[f"{name}/StateMachine"]["Properties"] for name in ("Backfill", "Workflow"))
    for property_name in ("EncryptionConfiguration", "TracingConfiguration"):
        assert ours[property_name] == pipeline[property_name]
    assert ours["LoggingConfiguration"] == {
        "Level": "ALL",
        "IncludeExecutionData": False,
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "Backfill/Logs.Arn"}}],
    }


def test_its_role_is_taken_by_itself_and_its_maps_only(local: Deployed) -> None:
    (trust,) = local.resources["Backfill/Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": [OWN, f"{OWN}/*"]},
    }


def test_it_may_do_exactly_this(local: Deployed) -> None:
    watched = {f"{EXECUTION}:*", f"{OWN_EXECUTION}:*", f"{OWN_EXECUTION}/*"}
    assert grants(local.statements("Backfill/Policy")) == {
        "s3:ListBucket": {MEDIA},
        "states:StartExecution": {MACHINE, OWN},
        "states:DescribeExecution": watched,
        "states:StopExecution": watched,
        "states:RedriveExecution": {f"{OWN_EXECUTION}/*"},
        "events:PutTargets": {RULE},
        "events:PutRule": {RULE},
        "events:DescribeRule": {RULE},
        "kms:Decrypt": {OPERATIONS_KEY},
        "kms:GenerateDataKey": {OPERATIONS_KEY},
        **{f"logs:{verb}LogDelivery": {"*"} for verb in ("Create", "Get", "Update", "Delete")},
        "logs:ListLogDeliveries": {"*"},
        "logs:PutResourcePolicy": {"*"},
        "logs:DescribeResourcePolicies": {"*"},
        "logs:DescribeLogGroups": {"*"},
    }


@pytest.mark.parametrize(
    ("prefix", "allowed"), [("media/", True), ("media/p-001/", True), ("", False), ("other/", False), (None, False)]
)
def test_it_lists_recordings_only(local: Deployed, prefix: str | None, allowed: bool) -> None:
    document = {"Statement": local.statements("Backfill/Policy")}
    context = {} if prefix is None else {"s3:prefix": prefix}
    assert (evaluate([document], Request("s3:ListBucket", MEDIA, context)) is Decision.ALLOW) == allowed


@pytest.mark.parametrize(
    ("action", "machine", "allowed"),
    [
        ("kms:Decrypt", MACHINE, True),
        ("kms:GenerateDataKey", MACHINE, False),
        ("kms:GenerateDataKey", OWN, True),
        ("kms:Decrypt", f"{OWN}/Batches", True),
        ("kms:Decrypt", MACHINE.replace("-local-", "-dev-"), False),
    ],
)
def test_it_uses_the_key_for_itself_and_reads_what_the_pipeline_returns(
    local: Deployed, action: str, machine: str, allowed: bool
) -> None:
    document = {"Statement": local.statements("Backfill/Policy")}
    request = Request(action, OPERATIONS_KEY, {"kms:EncryptionContext:aws:states:stateMachineArn": machine})
    assert (evaluate([document], request) is Decision.ALLOW) == allowed


def test_it_runs_for_weeks_and_within_what_a_redrive_allows(local: Deployed) -> None:
    definition = json.loads(local.resources["Backfill/StateMachine"]["Properties"]["DefinitionString"])
    assert 14 * 24 * 3600 < definition["TimeoutSeconds"] < 365 * 24 * 3600


def test_the_largest_batch_fits_into_a_state_however_its_bytes_are_counted(local: Deployed) -> None:
    definition = json.loads(local.resources["Backfill/StateMachine"]["Properties"]["DefinitionString"])
    batcher = definition["States"]["Batches"]["ItemBatcher"]
    # Two bytes in UTF-8, six if it is escaped: the character that grows most.
    item = {"uri": "s3://bucket/media/p/" + "é" * 400}
    items: list[dict[str, str]] = []
    while len(json.dumps({"Items": [*items, item]}, ensure_ascii=False).encode()) < batcher["MaxInputBytesPerBatch"]:
        items.append(item)
    result = {"Input": {"media": [item["uri"] for item in items]}, "Output": {"media": "x" * 20_000}}
    assert len(json.dumps(result)) < 256 * 1024


def test_a_usual_batch_is_full_by_its_number(local: Deployed) -> None:
    definition = json.loads(local.resources["Backfill/StateMachine"]["Properties"]["DefinitionString"])
    batcher = definition["States"]["Batches"]["ItemBatcher"]
    uri = "s3://clinical-media-prod-storagemediabucket1a2b3c4d-abcdefghijkl/media/p-0000001/2026-11-27-visit.wav"
    assert (
        len(json.dumps({"Items": [{"uri": uri}] * batcher["MaxItemsPerBatch"]}, separators=(",", ":")))
        < (batcher["MaxInputBytesPerBatch"])
    )
