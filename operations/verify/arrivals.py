"""What arrives besides results: logs, metrics, traces, alarms' notifications, dead letters, answers of Athena.

Each is waited for as long as `Observed.arrival_seconds`. Sources: API references of CloudWatch Logs (FilterLogEvents),
CloudWatch (GetMetricData, SetAlarmState, DescribeAlarmHistory), X-Ray (GetTraceSummaries), SQS and Athena; Step
Functions guide, "Logging using CloudWatch Logs".
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from operations.following import pause
from operations.verify.checks import Check, Seen, holds, not_seen, refuted
from operations.verify.observed import Observed
from operations.verify.rehearsal import TEST_PATIENT

Arrived = TypeVar("Arrived")

# Events of a state machine that log their data have it under these names (Step Functions guide, log event format).
_DATA = ("input", "output", "inputDetails", "outputDetails")
_BAD_SIGNS = ('"level":"ERROR"', '"errorType"', "[ERROR]", "Task timed out")
_MOST_EVENTS = 1000


def _wait_for(observed: Observed, find: Callable[[], Arrived | None]) -> Arrived | None:
    """What `find` finds, asked again and again; None if nothing has arrived in time."""
    end = time.monotonic() + observed.arrival_seconds
    while True:
        if (found := find()) or time.monotonic() > end:
            return found
        time.sleep(pause(observed.deployed))


def _events_in(observed: Observed, group: str, phrase: str = "") -> list[dict[str, Any]]:
    """Events of a log group since the rehearsal began, those with the phrase if there is one."""
    options: dict[str, Any] = {"filterPattern": f'"{phrase}"'} if phrase else {}
    logs = observed.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int(observed.began.timestamp() * 1000),
        PaginationConfig={"MaxItems": _MOST_EVENTS},
        **options,
    )
    try:
        return [event for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def _machine_log(observed: Observed) -> Seen:
    if observed.worked is None:
        return not_seen("No execution has run.")
    group, name = f"/aws/vendedlogs/states/{observed.prefix}-pipeline", observed.worked.name
    events = _wait_for(observed, lambda: _events_in(observed, group, name))
    if not events:
        return refuted(f"{group} has no event of {name} after {observed.arrival_seconds:.0f} s")
    kinds = set()
    for event in events:
        message = json.loads(event["message"])
        kinds.add(message["type"])
        if data := sorted(set(_DATA) & set(message.get("details", {}))):
            return refuted(f"{group} holds the data of an execution: {message['type']} has {', '.join(data)}")
    return holds(f"{group} has {len(events)} events of {name}, of {len(kinds)} types, without data")


def _function_log(observed: Observed) -> Seen:
    if observed.worked is None:
        return not_seen("No execution has run.")
    if observed.failure_in("PlanBatch"):
        return not_seen("PlanBatch has failed, perhaps before it could say which execution it was called by.")
    group, name = f"/aws/lambda/{observed.prefix}-plan_batch", observed.worked.name
    events = _wait_for(observed, lambda: _events_in(observed, group, name))
    if not events:
        return refuted(f"{group} has no line of {name} after {observed.arrival_seconds:.0f} s")
    return holds(f"{group} has {len(events)} lines of {name}")


def _job_sharing(observed: Observed) -> Seen:
    group = f"/aws/lambda/{observed.prefix}-share_jobs"
    events = _wait_for(observed, lambda: _events_in(observed, group))
    if not events:
        return refuted(f"{group} has no line since {observed.began.isoformat(timespec='seconds')}")
    if bad := [event for event in events if any(sign in event["message"] for sign in _BAD_SIGNS)]:
        return refuted(f"{group} has {len(bad)} errors, the last in {bad[-1]['logStreamName']}")
    return holds(f"{group} has {len(events)} lines and no error")


def _metrics(observed: Observed) -> Seen:
    if not observed.succeeded:
        return not_seen("No batch has been finished.")
    more = _wait_for(observed, lambda: max(0, observed.finished_batches() - observed.batches_before))
    evidence = f"ClinicalMedia BatchesFinished of {observed.prefix} has grown by {more or 0:g}"
    return holds(evidence) if more else refuted(f"{evidence} after {observed.arrival_seconds:.0f} s")


def _traces(observed: Observed) -> Seen:
    if observed.worked is None:
        return not_seen("No execution has run.")
    function = f"{observed.prefix}-plan_batch"

    def summaries() -> list[dict[str, Any]]:
        pages = (
            observed.client("xray")
            .get_paginator("get_trace_summaries")
            .paginate(
                StartTime=observed.began,
                EndTime=datetime.now(UTC) + timedelta(seconds=1),
                FilterExpression=f'service("{function}")',
            )
        )
        return [summary for page in pages for summary in page["TraceSummaries"]]

    found = _wait_for(observed, summaries)
    if not found:
        return refuted(f"There is no trace of {function} after {observed.arrival_seconds:.0f} s")
    return holds(f"{len(found)} traces of {function}, the first is {found[0]['Id']}")


def _alarms(observed: Observed) -> Seen:
    """Put an alarm that is quiet into alarm, look whether its notification was taken, and put it back."""
    cloudwatch = observed.client("cloudwatch")
    listed = cloudwatch.describe_alarms(AlarmNamePrefix=f"{observed.prefix}-")["MetricAlarms"]
    if silent := [alarm["AlarmName"] for alarm in listed if not (alarm["ActionsEnabled"] and alarm["AlarmActions"])]:
        return refuted(f"{', '.join(silent)} notify nobody")
    quiet = [alarm for alarm in listed if alarm["StateValue"] != "ALARM"]
    if not quiet:
        return not_seen(f"{len(listed)} alarms, all in alarm; an alarm notifies when its state changes.")
    name, before = quiet[0]["AlarmName"], quiet[0]["StateValue"]
    since = datetime.now(UTC) - timedelta(seconds=1)
    reason = "operations verify: a test of the notification; nothing is wrong"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=reason)
    try:
        actions = _wait_for(observed, lambda: _actions(cloudwatch, name, since))
    finally:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=before, StateReason=reason)
    if not actions:
        return refuted(f"{name} was set to ALARM, and nothing in its history says that it notified.")
    summary = actions[0]["HistorySummary"]
    return holds(f"{name}: {summary}") if summary.startswith("Successfully") else refuted(f"{name}: {summary}")


def _actions(cloudwatch: Any, name: str, since: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloudwatch.describe_alarm_history(
        AlarmName=name, HistoryItemType="Action", StartDate=since, EndDate=datetime.now(UTC) + timedelta(minutes=1)
    )["AlarmHistoryItems"]
    return found


def _dead_letters(observed: Observed) -> Seen:
    """Whether both ways lead into the dead-letter queue, and whether a message can be read out of it again."""
    sqs, outputs = observed.client("sqs"), observed.deployed.outputs
    dead = sqs.get_queue_attributes(QueueUrl=outputs["IngestDeadLetterQueueUrl"], AttributeNames=["QueueArn", "Policy"])
    arn, policy = dead["Attributes"]["QueueArn"], json.loads(dead["Attributes"].get("Policy", '{"Statement": []}'))
    queue = sqs.get_queue_attributes(QueueUrl=outputs["IngestQueueUrl"], AttributeNames=["RedrivePolicy"])
    redrive_policy = json.loads(queue["Attributes"].get("RedrivePolicy", "{}"))
    if redrive_policy.get("deadLetterTargetArn") != arn:
        return refuted(
            f"the ingest queue gives messages up to {redrive_policy.get('deadLetterTargetArn')}, not to {arn}"
        )
    (target,) = observed.client("events").list_targets_by_rule(Rule=f"{observed.prefix}-recordings")["Targets"]
    if target.get("DeadLetterConfig", {}).get("Arn") != arn:
        return refuted(f"the rule gives events up to {target.get('DeadLetterConfig')}, not to {arn}")
    if not any(_admits_events(statement) for statement in policy["Statement"]):
        return refuted(f"the policy of {arn} doesn't let the rule send to it")
    sent = sqs.send_message(
        QueueUrl=outputs["IngestDeadLetterQueueUrl"], MessageBody="operations verify: a test; delete it"
    )
    read = _wait_for(observed, lambda: _read_and_delete(sqs, outputs["IngestDeadLetterQueueUrl"], sent["MessageId"]))
    if not read:
        return refuted(f"message {sent['MessageId']} was sent to {arn} and could not be read again")
    return holds(f"both ways lead to {arn}; message {sent['MessageId']} was written and read there")


def _admits_events(statement: dict[str, Any]) -> bool:
    return bool(statement["Effect"] == "Allow" and "events.amazonaws.com" in json.dumps(statement["Principal"]))


def _read_and_delete(sqs: Any, url: str, message_id: str) -> bool:
    """Whether the message is there; others are given back at once."""
    is_there = False
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", ()):
        handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
        if message["MessageId"] == message_id:
            sqs.delete_message(**handle)
            is_there = True
        else:
            sqs.change_message_visibility(**handle, VisibilityTimeout=0)
    return is_there


def _athena(observed: Observed) -> Seen:
    """Count the sample's records by a query, and look under which key the answer was written."""
    if observed.planned is None or not observed.succeeded:
        return not_seen("There are no records of the sample.")
    athena, database = observed.client("athena"), observed.deployed.outputs["DatabaseName"]
    body = observed.client("s3").get_object(
        Bucket=observed.deployed.clinical, Key=f"records/{observed.planned['object_id']}.jsonl"
    )["Body"]
    lines = sum(1 for line in body.read().splitlines() if line.strip())
    started = athena.start_query_execution(
        QueryString=f"SELECT count(*) FROM entity_records WHERE user_id = '{TEST_PATIENT}'",
        QueryExecutionContext={"Database": database},
        WorkGroup=observed.prefix,
    )
    query_id = started["QueryExecutionId"]
    execution = _wait_for(observed, lambda: _ended(athena, query_id))
    if execution is None:
        return not_seen(f"query {query_id} is still running")
    if execution["Status"]["State"] != "SUCCEEDED":
        return refuted(
            f"query {query_id}: {execution['Status'].get('StateChangeReason', execution['Status']['State'])}"
        )
    rows = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    counted = int(rows[1]["Data"][0]["VarCharValue"])
    location = execution["ResultConfiguration"]["OutputLocation"]
    head = observed.head(location.removeprefix(f"s3://{observed.deployed.clinical}/")) or {}
    evidence = f"query {query_id} counted {counted} of {lines} records; {location} is under {head.get('SSEKMSKeyId')}"
    is_so = counted == lines and head.get("SSEKMSKeyId") == observed.clinical_key
    return holds(evidence) if is_so else refuted(evidence)


def _ended(athena: Any, query_id: str) -> dict[str, Any] | None:
    execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    return None if execution["Status"]["State"] in ("QUEUED", "RUNNING") else execution


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "machine-log",
        "The state machine's log is delivered, and holds no data of executions.",
        "Compare the machine's logging configuration and the key's policy with the template; send us this report.",
        _machine_log,
    ),
    Check(
        "function-log",
        "The functions' logs are written.",
        "Compare the log groups, and the key's policy for CloudWatch Logs, with the template.",
        _function_log,
    ),
    Check(
        "job-sharing",
        "The transcription jobs are shared out once a minute without an error.",
        "Look at the log of share_jobs (docs/runbook.md, job-sharing-failed) and send us this report.",
        _job_sharing,
    ),
    Check(
        "metrics",
        "The functions' metrics arrive in CloudWatch.",
        "Look into the functions' logs for lines with CloudWatchMetrics; without metrics no alarm is raised.",
        _metrics,
    ),
    Check(
        "traces",
        "The functions' traces arrive in X-Ray.",
        "Compare the roles' policy for X-Ray with the template; nothing but the traces depends on it.",
        _traces,
    ),
    Check(
        "alarms",
        "An alarm's notification is taken by the encrypted topic.",
        "Send us this report: until then alarms reach nobody. Look at the policies of the topic and of its key.",
        _alarms,
    ),
    Check(
        "dead-letters",
        "Events that can't be delivered or worked on end in the dead-letter queue, where they can be read.",
        "Compare the queues' policies and the rule's target with the template, and deploy again.",
        _dead_letters,
    ),
    Check(
        "athena",
        "Athena reads the records, and writes its answers under the clinical key.",
        "Compare the workgroup with the template; your own role needs the rights of docs/analysis.md.",
        _athena,
    ),
)
