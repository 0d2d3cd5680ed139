"""Rows of docs/reruns.md that no other test shows: something fails, a button is pressed, and nothing is lost."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lambdas.shared.spending_items import spending_key, today
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import failures
from tests.statemachine.conftest import Run
from tests.statemachine.test_pipeline_runs import ANOTHER_WAY, dropped, patient, transcription_jobs

FOREVER = 10_000


@pytest.fixture(autouse=True)
def repaired(run: Run) -> Iterator[None]:
    yield
    run.pipeline.aws.faults.clear()


def drop(run: Run, text: str) -> str:
    """The URI of a recording whose event is on its way."""
    return run.drop(f"media/{patient()}/a.wav", run.engines.recording(text))


def redriven(run: Run, execution: dict[str, Any]) -> dict[str, Any]:
    run.stepfunctions.redrive_execution(executionArn=execution["executionArn"])
    return run.ended(execution["executionArn"])


@contextmanager
def variable(run: Run, function: str, name: str, value: str) -> Iterator[None]:
    """The function with another value of an environment variable, as a deployment would give it."""
    client = run.pipeline.aws.client("lambda")
    full = f"clinical-media-local-{function}"
    variables = client.get_function_configuration(FunctionName=full)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=full, Environment={"Variables": {**variables, name: value}})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=full, Environment={"Variables": variables})


def work(run: Run) -> Counter[str]:
    """What has been paid for: how many transcription jobs, and how often each text was looked at."""
    return Counter({"transcription jobs": len(transcription_jobs(run))}) + Counter(run.engines.documents)


@contextmanager
def revoked(run: Run, role: str, action: str) -> Iterator[None]:
    """The deployed role without one of its permissions."""
    iam = run.pipeline.aws.client("iam")
    (name,) = [item["RoleName"] for item in iam.list_roles()["Roles"] if role in item["RoleName"]]
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": action, "Resource": "*"}}
    iam.put_role_policy(RoleName=name, PolicyName="revoked", PolicyDocument=json.dumps(policy))
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="revoked")


# Role, permission, and the state that is red without it.
MISSING = [
    ("FunctionsStartTranscription", "transcribe:StartMedicalTranscriptionJob", "TranscribeMedia"),
    ("DataAccessRolesEntityDetection", "s3:GetObject", "PollEntityDetection"),
    ("DataAccessRolesSeedReader", "s3:GetObject", "PollAudienceGeneration"),
]


def test_permissions_that_are_given_back_one_after_the_other_take_a_redrive_each(run: Run) -> None:
    text, done = "She has a fever and hypertension.", work(run)
    # People whom the model's owner knows and no other test takes: no audience of them is there already.
    run.remember([f"u-{number:06}" for number in range(1, 31)])
    with ExitStack() as cleanup:
        cleanup.callback(run.remember, [])
        permissions = [cleanup.enter_context(ExitStack()) for _ in MISSING]
        for permission, (role, action, _) in zip(permissions, MISSING, strict=True):
            permission.enter_context(revoked(run, role, action))
        uri = drop(run, text)
        execution = run.execution_of(uri)
        for permission, (_, action, state) in zip(permissions, MISSING, strict=True):
            assert (execution["status"], run.states(execution["executionArn"])[-1]) == ("FAILED", state)
            assert any("AccessDenied" in cause or "cannot read" in cause for _, cause in run.causes(execution)), action
            permission.close()
            execution = redriven(run, execution)
    summary = run.summary(execution)
    assert (summary["recordings"]["transcribed"], execution["redriveCount"]) == (1, len(MISSING))
    assert work(run) - done == {"transcription jobs": 1, text: 1}
    (audience,) = summary["audiences"]
    bucket, key = audience["seed_uri"].removeprefix("s3://").split("/", 1)
    seed = run.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert uri.split("/")[4] not in seed  # did not consent


def test_an_outage_that_outlasts_the_retries_is_redriven_when_it_is_over(run: Run) -> None:
    text, done = "He has a fever after lunch.", work(run)
    outage = run.pipeline.aws.faults.inject("s3", "GetObject", "internal_error", function="select_seeds", times=FOREVER)
    with variable(run, "select_seeds", "AWS_MAX_ATTEMPTS", "1"):  # the SDK's own retries take their time
        failed = run.execution_of(drop(run, text))
    assert (failed["status"], run.states(failed["executionArn"])[-1]) == ("FAILED", "SelectSeeds")
    assert outage.fired >= 7  # the attempt, and six retries
    run.pipeline.aws.faults.clear()
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1
    assert work(run) - done == {"transcription jobs": 1, text: 1}


@contextmanager
def disabled(run: Run, data_class: str) -> Iterator[None]:
    """The key of one class of data, disabled."""
    kms = run.pipeline.aws.client("kms")
    key = kms.describe_key(KeyId=f"alias/clinical-media-local-{data_class}")["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=key)
    try:
        yield
    finally:
        kms.enable_key(KeyId=key)


@pytest.mark.parametrize(("data_class", "state"), [("media", "TranscribeMedia"), ("clinical", "PlanBatch")])
def test_a_disabled_key_stops_the_first_step_that_needs_it_and_a_redrive_continues_when_it_is_enabled(
    run: Run, data_class: str, state: str
) -> None:
    text, done = f"She has a fever and a {data_class} key.", work(run)
    # The key is disabled when the execution has begun and PlanBatch looks at the recording.
    looks = run.pipeline.aws.faults.inject("s3", "HeadObject", "delay", function="plan_batch", seconds=2)
    uri = drop(run, text)
    run.until(lambda: looks.fired > 0)
    with disabled(run, data_class):
        failed = run.execution_of(uri)
    assert (failed["status"], run.states(failed["executionArn"])[-1]) == ("FAILED", state)
    assert any("KMS.DisabledException" in said for _, said in run.causes(failed))
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1
    assert work(run) - done == {"transcription jobs": 1, text: 1}


def test_while_the_operations_key_is_disabled_nothing_is_started_or_read(run: Run) -> None:
    states, kms_error = run.stepfunctions, run.stepfunctions.exceptions.KmsInvalidStateException
    ended = run.execution_of(drop(run, "She has a fever on Sundays."))["executionArn"]
    with disabled(run, "operations"):
        with pytest.raises(kms_error):
            states.start_execution(stateMachineArn=run.pipeline.state_machine_arn)
        with pytest.raises(kms_error):
            states.describe_execution(executionArn=ended)
        status = states.describe_execution(executionArn=ended, includedData="METADATA_ONLY")["status"]
    assert status == "SUCCEEDED"
    assert run.ended(ended)["status"] == "SUCCEEDED"


def test_a_function_that_dies_each_time_is_redriven_when_it_no_longer_does(run: Run) -> None:
    text, done = "He has a fever before lunch.", work(run)
    run.pipeline.aws.faults.inject("s3", "GetObject", "kill", function="select_seeds", times=FOREVER)
    failed = run.execution_of(drop(run, text))
    assert (failed["error"], run.states(failed["executionArn"])[-1]) == ("Runtime.ExitError", "SelectSeeds")
    run.pipeline.aws.faults.clear()
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1
    assert work(run) - done == {"transcription jobs": 1, text: 1}


def test_a_redrive_from_the_command_line_repeats_the_failed_job_of_a_batch_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["He has a fever in May.", "He has a fever in June.", "He has a fever in July."]
    uris = dropped(run, *texts)
    left = [failures.JobFailure("Access denied: no read permission.")]

    def fails_once(*arguments: Any) -> Any:
        if left:
            raise left.pop()
        return decode(*arguments)

    decode = failures.decode_checked
    monkeypatch.setattr("local.services.transcribe.jobs.decode_checked", fails_once)
    done = work(run)
    failed = run.start(media=uris, parameters=ANOTHER_WAY)
    assert failed["error"] == "States.ExceedToleratedFailureThreshold"
    assert ("JobFailed", True) in [(error, "Access denied" in cause) for error, cause in run.causes(failed)]
    # The real AWS CLI, as an operator would.
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    aws = str(Path(sys.executable).parent / "aws")
    command = [aws, "stepfunctions", "redrive-execution", "--execution-arn", failed["executionArn"]]
    subprocess.run(command, check=True, env=environment, timeout=60, stdout=subprocess.DEVNULL)
    again = run.ended(failed["executionArn"])
    assert run.summary(again)["recordings"]["transcribed"] == 3
    # One each, and the failed one's next attempt.
    assert work(run) - done == {"transcription jobs": 3 + 1, **dict.fromkeys(texts, 1)}


def test_an_execution_that_was_stopped_by_hand_goes_on_where_it_was(run: Run) -> None:
    text, done = "He has a fever on Monday.", work(run)
    run.engines.seconds_per_job = 0.5
    uri = drop(run, text)
    run.until(lambda: "transcription jobs" in work(run) - done)
    (arn,) = [item["executionArn"] for item in run.executions() if uri in item["input"]]
    run.stepfunctions.stop_execution(executionArn=arn)
    stopped = run.ended(arn)
    assert stopped["status"] == "ABORTED"
    assert run.summary(redriven(run, stopped))["recordings"]["transcribed"] == 1
    assert work(run) - done == {"transcription jobs": 1, text: 1}


def test_an_execution_that_timed_out_goes_on_where_it_was(run: Run) -> None:
    text, done = "He has a fever in the hall.", work(run)
    machine = {"stateMachineArn": run.pipeline.state_machine_arn}
    definition = run.stepfunctions.describe_state_machine(**machine)["definition"]
    short = json.dumps(json.loads(definition) | {"TimeoutSeconds": 1})
    run.engines.seconds_per_job = 1.2
    run.stepfunctions.update_state_machine(**machine, definition=short)
    try:
        execution = run.execution_of(drop(run, text))
    finally:
        run.stepfunctions.update_state_machine(**machine, definition=definition)
    assert execution["status"] == "TIMED_OUT"
    for _ in range(20):  # each redrive has a second of its own; what the last one left in flight may fail it
        if execution["status"] != "SUCCEEDED":
            execution = redriven(run, execution)
    assert run.summary(execution)["recordings"]["transcribed"] == 1
    assert work(run) - done == {"transcription jobs": 1, text: 1}


@contextmanager
def collected_one_by_one(run: Run) -> Iterator[None]:
    """The state machine with a child of CollectBatch for each recording, one after the other."""
    machine = {"stateMachineArn": run.pipeline.state_machine_arn}
    definition = run.stepfunctions.describe_state_machine(**machine)["definition"]
    changed = json.loads(definition)
    changed["States"]["CollectBatch"]["ItemBatcher"]["MaxItemsPerBatch"] = 1
    changed["States"]["CollectBatch"]["MaxConcurrency"] = 1
    run.stepfunctions.update_state_machine(**machine, definition=json.dumps(changed))
    try:
        yield
    finally:
        run.stepfunctions.update_state_machine(**machine, definition=definition)


def test_a_redrive_collects_only_what_has_failed_and_counts_everything_once(run: Run) -> None:
    uris = dropped(run, "He has a fever on the roof.", "She has a fever on the roof.")
    run.pipeline.aws.faults.inject(
        "s3", "PutObject", "access_denied", function="collect_entities", contains="/collected-", after=1, times=FOREVER
    )
    with collected_one_by_one(run):
        failed = run.start(media=uris, reprocess=True)
    assert (failed["status"], run.states(failed["executionArn"])[-1]) == ("FAILED", "CollectBatch")
    assert any("AccessDenied" in cause for _, cause in run.causes(failed))
    run.pipeline.aws.faults.clear()
    summary = run.summary(redriven(run, failed))
    children = run.children(failed, of="CollectBatch")
    assert sorted((child["status"], child["redriveCount"]) for child in children) == [
        ("SUCCEEDED", 0),
        ("SUCCEEDED", 1),
    ]
    assert (summary["entities"]["records"], summary["entities"]["documents"]) == (2, 2)


def test_an_entity_detection_job_that_somebody_stopped_is_started_again_by_a_redrive(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = work(run)
    client = run.pipeline.aws.client("comprehendmedical")
    detect: Callable[[str], Any] = entity_jobs.engine
    stopped: list[str] = []

    def stopped_meanwhile(text: str) -> Any:
        if not stopped:
            (job,) = client.list_entities_detection_v2_jobs(Filter={"JobStatus": "IN_PROGRESS"})[
                "ComprehendMedicalAsyncJobPropertiesList"
            ]
            stopped.append(client.stop_entities_detection_v2_job(JobId=job["JobId"])["JobId"])
        return detect(text)

    monkeypatch.setattr(entity_jobs, "engine", stopped_meanwhile)
    with variable(run, "prepare_documents", "MAXIMUM_DOCUMENT_BYTES", "30"):  # the second is then not begun
        uri = drop(run, "He has a fever on Tuesday. She has asthma.")
        failed = run.execution_of(uri)
    assert (failed["status"], failed["error"]) == ("FAILED", "JobFailed")
    assert stopped[0] in failed["cause"]
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1
    assert (work(run) - done)["transcription jobs"] == 1
    assert [record["text"] for record in run.records(uri.split("/")[4])] == ["fever", "asthma"]


def test_what_was_not_processed_is_looked_at_alone_by_a_new_execution(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "He has a fever and rests and rests and rests and rests and rests and rests."
    with variable(run, "prepare_documents", "MAXIMUM_DOCUMENT_BYTES", "80"):
        with monkeypatch.context() as patch:
            patch.setattr("local.services.comprehendmedical.jobs.MAXIMUM_DOCUMENT_BYTES", 50)
            uri = drop(run, f"{long} She has asthma.")
            partial = run.summary(run.execution_of(uri))
        assert partial["entities"]["documents_unprocessed"] == 1
        assert "Start again with this recording" in partial["rejected"][0]["reason"]
        done = work(run)
        again = run.summary(run.start(media=[uri]))
    assert (again["recordings"]["transcribed"], again["documents"]["count"], again["documents"]["new"]) == (1, 2, 1)
    assert work(run) - done == {long + " ": 1}
    assert [record["text"] for record in run.records(uri.split("/")[4])] == ["fever", "asthma"]


def test_a_redrive_goes_on_with_a_reprocess_that_failed(run: Run) -> None:
    uri = drop(run, "He has a fever on Thursday.")
    run.summary(run.execution_of(uri))
    done = work(run)
    run.engines.entity_errors = [RuntimeError("out of order")] * 2
    failed = run.start(media=[uri], reprocess=True)
    assert failed["error"] == "JobFailed"
    run.engines.entity_errors = []
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1
    assert (work(run) - done)["transcription jobs"] == 1


def test_above_the_cost_ceiling_nothing_is_spent_and_a_redrive_goes_on_once_it_is_raised(run: Run) -> None:
    text, done = "He has a fever on Wednesday.", work(run)
    with variable(run, "plan_batch", "BATCH_CEILING_USD", "0.02"):
        failed = run.execution_of(drop(run, text))
        assert (failed["error"], run.states(failed["executionArn"])) == ("CostCeilingExceeded", ["PlanBatch"])
        assert redriven(run, failed)["error"] == "CostCeilingExceeded"
    assert work(run) - done == {}
    summary = run.summary(redriven(run, failed))
    assert summary["recordings"]["transcribed"] == 1
    assert work(run) - done == {"transcription jobs": 1, text: 1}
    # Fifteen seconds and one unit; the file is of a second, and could be of a minute.
    assert summary["cost_usd"]["estimate"] == {
        "transcribe_medical": 0.0187,
        "comprehend_medical": 0.01,
        "total": 0.0287,
    }
    assert summary["cost_usd"]["total"] < summary["cost_usd"]["bound"]["total"]


def test_above_the_real_cost_ceiling_a_redrive_goes_on_once_it_is_raised(run: Run) -> None:
    text, done = "He has a fever on Sunday.", work(run)
    with variable(run, "start_entity_detection", "BATCH_CEILING_USD", "0.02"):
        failed = run.execution_of(drop(run, text))
    assert failed["error"] == "CostCeilingExceeded"
    assert work(run) - done == {"transcription jobs": 1}
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1
    assert work(run) - done == {"transcription jobs": 1, text: 1}


def test_a_batch_is_cut_to_its_ceiling_and_another_execution_does_the_rest(run: Run) -> None:
    uris = dropped(run, "She has a fever on Monday.", "She has asthma on Monday.")
    done = work(run)
    with ExitStack() as settings:
        for name, value in {"BATCH_CEILING_USD": "0.03", "ABOVE_BATCH_CEILING": "cut"}.items():
            settings.enter_context(variable(run, "plan_batch", name, value))
        cut = run.summary(run.start(media=uris, parameters=ANOTHER_WAY))
    assert (cut["recordings"]["transcribed"], [item["uri"] for item in cut["rejected"]]) == (1, uris[1:])
    assert (
        "costs.batch_ceiling_usd is 0.03, and earlier uploads took it. Nothing was spent"
        in cut["rejected"][0]["reason"]
    )
    assert (work(run) - done)["transcription jobs"] == 1
    rest = run.summary(run.start(media=uris, parameters=ANOTHER_WAY))["recordings"]
    assert (rest["reused"], rest["transcribed"]) == (1, 1)


def spent_today(run: Run) -> int:
    """The cents of the ledger's item of the day."""
    dynamodb, key = run.pipeline.aws.client("dynamodb"), {"pk": {"S": spending_key(today())}}
    (table,) = (name for name in dynamodb.list_tables()["TableNames"] if "LedgerTable" in name)
    item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
    return sum(int(value["N"]) for name, value in item.get("Item", {}).items() if name not in ("pk", "sequence"))


def test_a_batch_waits_for_the_money_of_a_day_and_goes_on_when_the_ceiling_is_raised(run: Run) -> None:
    first, second = dropped(run, "He has a fever on Sunday morning.", "He has a fever on Sunday evening.")
    spent, done = spent_today(run), work(run)
    with variable(run, "plan_batch", "DAY_CEILING_USD", f"{(spent + 5) / 100:.2f}"):
        summary = run.summary(run.start(media=[first], parameters=ANOTHER_WAY))
        # The real cost of a few words is the estimate of a few bytes.
        assert spent_today(run) == spent + 3 == spent + math.ceil(100 * summary["cost_usd"]["total"])
        waiting = run.begin(media=[second], parameters=ANOTHER_WAY)
        failed = "LambdaFunctionFailed"
        run.until(lambda: sum(event["type"] == failed for event in run.events(waiting)) >= 3)
        (error, *others) = {
            event["lambdaFunctionFailedEventDetails"]["error"]
            for event in run.events(waiting)
            if event["type"] == failed
        }
        assert (error, others, run.states(waiting)) == ("DayCeilingReached", [], ["PlanBatch"])
        assert (work(run) - done)["transcription jobs"] == 1
    assert run.summary(run.ended(waiting))["recordings"]["transcribed"] == 1
    assert (work(run) - done)["transcription jobs"] == 2
    assert spent_today(run) == spent + 6


def test_a_batch_that_costs_more_than_a_whole_day_does_not_wait(run: Run) -> None:
    (uri,) = dropped(run, "He has a fever at noon.")
    with variable(run, "plan_batch", "DAY_CEILING_USD", "0.02"):
        failed = run.start(media=[uri], parameters=ANOTHER_WAY)
    assert failed["error"] == "CostCeilingExceeded"
    assert "costs.day_ceiling_usd is 0.02" in failed["cause"]
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1


def test_a_wrong_input_stays_wrong_when_it_is_redriven(run: Run) -> None:
    failed = run.start(medai=[])
    assert failed["error"] == "InvalidInput"
    assert redriven(run, failed)["error"] == "InvalidInput"


def test_a_failed_batch_raises_its_alarm(run: Run) -> None:
    cloudwatch = run.pipeline.aws.client("cloudwatch")
    name = "clinical-media-local-execution-failed"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="Earlier failures are known")
    assert run.start(media="nothing")["status"] == "FAILED"

    def states() -> list[str]:
        return [alarm["StateValue"] for alarm in cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]]

    run.until(lambda: states() == ["ALARM"])
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    assert history[0]["HistorySummary"].startswith("Successfully executed action arn:aws:sns:")


def test_a_transcript_that_has_expired_takes_a_reprocess(run: Run) -> None:
    run.engines.entity_errors = [RuntimeError("out of order")]
    uri = drop(run, "He has a fever on Thursday.")
    failed = run.execution_of(uri)
    plan = json.loads(run.clinical(f"batches/{failed['name']}/plan.json"))
    key = f"transcripts/{plan['recordings'][0]['transcript_id']}.json"
    run.s3.delete_object(Bucket=run.pipeline.clinical_bucket, Key=key)
    (rejected,) = run.summary(run.start(media=[uri]))["rejected"]
    assert f"{key} is not there" in rejected["reason"]
    assert '"reprocess": true' in rejected["reason"]
    assert run.summary(run.start(media=[uri], reprocess=True))["recordings"]["transcribed"] == 1


def test_a_suppression_list_that_is_not_certain_is_repaired_and_redriven(run: Run) -> None:
    text, done = "She has hypertension on Friday.", work(run)
    users = [f"p-{number:03}" for number in range(1, 31)]  # whom the model's owner knows
    run.remember(users)
    bucket, key = run.pipeline.audience_bucket, "suppression/user_ids.txt"
    run.s3.put_object(Bucket=bucket, Key=key, Body=b"p-001\r\np-002,2026-01-01\r\nP-003\r\n")
    try:
        failed = run.execution_of(drop(run, text))
        assert (failed["status"], failed["error"]) == ("FAILED", "InvalidSuppressionList")
        assert failed["cause"].count("Line ") == 1
        assert f"s3://{bucket}/{key} can't be read for certain. Line 2 has" in failed["cause"]
        assert run.states(failed["executionArn"])[-1] == "SelectSeeds"
        attempts = [event for event in run.events(failed["executionArn"]) if event["type"] == "LambdaFunctionFailed"]
        assert len(attempts) == 1
        run.s3.put_object(Bucket=bucket, Key=key, Body="\ufeffp-001\r\n\ufeff\u201cp-002\u201d;\r\nP-003\r\n".encode())
        summary = run.summary(redriven(run, failed))
    finally:
        run.s3.delete_object(Bucket=bucket, Key=key)
    assert summary["suppression"] == {"listed": 3, "matching": 2, "unmatched_lines": [3], "similar_lines": [3]}
    (cohort,) = [item for item in summary["audiences"] if item["cohort"] == "hypertension"]
    seed = run.s3.get_object(Bucket=bucket, Key=cohort["seed_uri"].removeprefix(f"s3://{bucket}/"))["Body"].read()
    assert b'"p-003"' in seed
    assert not any(f'"{user}"'.encode() in seed for user in ("p-001", "p-002"))
    assert work(run) - done == {"transcription jobs": 1, text: 1}


def attribute(run: Run, queue: str, name: str) -> str:
    sqs = run.pipeline.aws.client("sqs")
    value: str = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name]
    return value


@contextmanager
def dead_after(run: Run, receives: int) -> Iterator[tuple[str, str]]:
    """The queue, whose messages give up after `receives`, and its dead-letter queue; ingest can start nothing."""
    sqs = run.pipeline.aws.client("sqs")
    queue = sqs.get_queue_url(QueueName="clinical-media-local-ingest")["QueueUrl"]
    dead = sqs.get_queue_url(QueueName="clinical-media-local-ingest-dead-letters")["QueueUrl"]
    names = ["Policy", "RedrivePolicy"]  # moto forgets a policy that isn't set again
    policies = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    redrive_policy = json.loads(policies["RedrivePolicy"]) | {"maxReceiveCount": receives}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={**policies, "RedrivePolicy": json.dumps(redrive_policy)})
    try:
        with revoked(run, "FunctionsIngest", "states:StartExecution"):
            yield queue, dead
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=policies)


def test_events_that_ended_in_the_dead_letter_queue_start_their_execution_when_they_are_moved_back(run: Run) -> None:
    sqs = run.pipeline.aws.client("sqs")
    with dead_after(run, 2) as (queue, dead):
        uri = drop(run, "He has a fever in the lift.")
        run.until(lambda: attribute(run, dead, "ApproximateNumberOfMessages") == "1")
    (message,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])  # what a redrive of the queue does
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
    assert run.summary(run.execution_of(uri))["recordings"]["transcribed"] == 1


def test_a_file_that_is_uploaded_again_is_transcribed_again_and_its_records_replaced(run: Run) -> None:
    uri = drop(run, "He has a fever on Friday.")
    run.summary(run.execution_of(uri))
    key = uri.split("/", 3)[3]
    body = run.s3.get_object(Bucket=run.pipeline.media_bucket, Key=key)["Body"].read()
    jobs, before = len(transcription_jobs(run)), run.records(uri.split("/")[4])
    executions = len(run.executions())
    run.drop(key, body)
    run.until(lambda: len(run.executions()) > executions)
    for execution in run.executions():
        run.summary(run.ended(execution["executionArn"])) if uri in execution["input"] else None
    after = run.records(uri.split("/")[4])
    assert len(transcription_jobs(run)) == jobs + 1
    assert [row["text"] for row in after] == [row["text"] for row in before] == ["fever"]
    assert after[0]["media_id"] != before[0]["media_id"]
