import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from local.pipeline import Pipeline
from operations.__main__ import app
from operations.verify import preflight
from operations.verify.rehearsal import TEST_PATIENT
from operations.verify.verification import POINTS, announcement, cost_usd
from tests.docs.pages import json_keys
from tests.operations.verify.conftest import PATIENCE_SECONDS, SAID

# The local AWS has no TLS, and no audience was generated yet.
NOT_SEEN = {"plain-http", "audience"}
KEYS = json_keys("`verify`")


Invoke = Callable[..., Result]


@pytest.fixture
def invoke(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.chdir(tmp_path)
    given = ["--env", "local", "--endpoint-url", pipeline.aws.endpoint]
    return lambda *arguments, **options: CliRunner().invoke(app, ["verify", *given, *arguments], **options)


def test_everything_holds_on_the_local_aws_and_the_patient_is_forgotten(invoke: Invoke, pipeline: Pipeline) -> None:
    answer = invoke("--yes", "--json", "--patience", str(PATIENCE_SECONDS))
    document = json.loads(answer.stdout)
    assert {point["point"] for point in document["points"] if point["verdict"] != "holds"} == NOT_SEEN, answer.stdout
    assert answer.exit_code == 0
    assert list(document) == KEYS
    assert [point["point"] for point in document["points"]] == list(POINTS)
    s3 = pipeline.aws.client("s3")
    listed = s3.list_object_versions(Bucket=pipeline.media_bucket)
    assert TEST_PATIENT not in json.dumps(listed, default=str)
    assert "hypertension" in SAID
    assert "hypertension" not in answer.stdout + Path("out/verify-local.md").read_text()


def test_before_deploying_only_the_account_is_looked_at(invoke: Invoke, pipeline: Pipeline) -> None:
    executions = pipeline.aws.client("stepfunctions").list_executions(stateMachineArn=pipeline.state_machine_arn)
    answer = invoke("--preflight")
    assert answer.exit_code == 0
    assert f"verify: {len(preflight.CHECKS)} holds, 0 refuted, 0 not seen" in answer.stdout
    after = pipeline.aws.client("stepfunctions").list_executions(stateMachineArn=pipeline.state_machine_arn)
    assert after["executions"] == executions["executions"]
    report = Path("out/verify-local.md").read_text()
    assert report.count("\n| ") == 1 + len(preflight.CHECKS)  # the table's head
    assert not re.search(r"\d{12}", report)


def test_it_says_what_it_will_do_and_asks(invoke: Invoke, pipeline: Pipeline) -> None:
    answer = invoke(input="n\n")
    assert answer.exit_code == 1
    assert announcement("clinical-media-local") in answer.stdout
    assert pipeline.aws.client("s3").list_objects_v2(Bucket=pipeline.media_bucket).get("KeyCount") == 0
    assert 0 < cost_usd() < 0.1


def test_for_scripts_nothing_is_asked(invoke: Invoke) -> None:
    answer = invoke("--json")
    assert answer.exit_code == 1
    assert "give --yes or --preflight" in answer.stderr


def test_a_point_that_is_left_out_is_not_looked_at(invoke: Invoke, pipeline: Pipeline) -> None:
    pipeline.aws.account.effective_policies = None
    try:
        assert invoke("--preflight").exit_code == 1
        answer = invoke("--preflight", "--without", "ai-opt-out")
    finally:
        pipeline.aws.account.__init__()  # type: ignore[misc]
    assert answer.exit_code == 0
    assert "Left out" in answer.stdout


def test_a_point_that_there_is_not_is_refused_with_those_there_are(invoke: Invoke) -> None:
    answer = invoke("--preflight", "--without", "nothing")
    assert answer.exit_code == 1
    assert answer.stderr == f"There is no point nothing; the points are {', '.join(POINTS)}.\n"


def test_a_report_that_cannot_be_written_is_told(invoke: Invoke) -> None:
    answer = invoke("--preflight", "--report", os.devnull + "/report.md")
    assert answer.exit_code == 1
    assert "can't be written" in answer.stderr
