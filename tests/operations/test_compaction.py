"""The command `compact`, and a compaction's place in forgetting."""

import json

import boto3
import pytest

from lambdas.analysis.parquet import names
from lambdas.searching.versions import list_versions
from operations.compaction import start_compaction
from operations.deployed import Connection, Deployed
from operations.errors import OperationError
from tests.operations.buckets import BUCKETS
from tests.operations.conftest import Command
from tests.statemachine.conftest import Run


def deployed_with(outputs: dict[str, str]) -> Deployed:
    connection = Connection(boto3.Session(region_name="us-east-1"), None)
    return Deployed(connection, "p", BUCKETS, "ledger", "members", "", outputs)


@pytest.mark.parametrize("rebuild", [True, False])
def test_a_compaction_is_started_with_the_input_that_its_state_machine_takes(
    run: Run, deployed: Deployed, rebuild: bool
) -> None:
    arn = start_compaction(deployed, rebuild=rebuild)
    execution = run.ended(arn)
    assert (execution["status"], json.loads(execution["input"])) == ("SUCCEEDED", {"rebuild": rebuild})
    assert ("RebuildTables" in run.states(arn)) is rebuild
    assert start_compaction(deployed, rebuild=False) != arn


def test_an_environment_from_before_there_were_compactions_says_to_deploy_it() -> None:
    with pytest.raises(OperationError, match="has no compaction; deploy it again"):
        start_compaction(deployed_with({}), rebuild=False)


def test_a_forgotten_patient_has_no_row_in_any_version_of_any_table_and_others_keep_theirs(
    run: Run, deployed: Deployed, operate: Command
) -> None:
    for user in ("p-rows", "p-keeps"):
        said = run.engines.recording(f"I am {user} and have hypertension.")
        assert run.execution_of(run.drop(f"media/{user}/visit.wav", said))["status"] == "SUCCEEDED"
        assert run.compact()["status"] == "SUCCEEDED"
    assert run.compact(rebuild=True)["status"] == "SUCCEEDED"

    def versions_with(user: str) -> set[str]:
        found = list_versions(run.s3, deployed.clinical, "analysis/")
        bodies = {
            f"{version.key} {version.version_id}": run.s3.get_object(
                Bucket=version.bucket, Key=version.key, VersionId=version.version_id
            )["Body"].read()
            for version in found
            if not version.is_marker
        }
        return {key for key, body in bodies.items() if names(body, lambda user_id, _: user_id == user)}

    def keys(versions: set[str]) -> set[str]:
        return {key.split(" ")[0] for key in versions}

    theirs, others = versions_with("p-rows"), keys(versions_with("p-keeps"))
    assert len(keys(theirs)) == len(others) == 2  # findings and utterances
    answer = operate("forget", "p-rows", "--yes")
    assert answer.code == 0, answer
    assert versions_with("p-rows") == set()
    assert keys(versions_with("p-keeps")) == others
    # Nothing is left that would bring them back.
    assert run.compact()["status"] == "SUCCEEDED"
    assert versions_with("p-rows") == set()


def test_the_command_starts_it_and_says_where_to_look(run: Run, operate: Command) -> None:
    answer = operate("compact")
    assert answer.code == 0
    (arn,) = {word for word in answer.output.split() if ":execution:clinical-media-local-analysis:" in word}
    assert run.ended(arn)["status"] == "SUCCEEDED"
