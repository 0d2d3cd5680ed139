"""Alarms can be raised, reach people, and link to the runbook."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.metrics import JOBS, NAMESPACE, STAGES
from infra.settings import ConfigurationError
from tests.infra.conftest import ROOT, Deployed

RUNBOOK = ROOT / "docs" / "runbook.md"
OUR_ACCOUNT = {"aws:SourceAccount": "123456789012"}
OUR_ALARMS = {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:clinical-media-local-*"}


def alarms(deployed: Deployed) -> dict[str, dict[str, Any]]:
    """The properties of the alarms by the part of their name that is the anchor in the runbook."""
    found = deployed.of_type("AWS::CloudWatch::Alarm").values()
    return {alarm["AlarmName"].removeprefix(f"{deployed.stack.stack_name}-"): alarm for alarm in found}


def sources() -> str:
    return "\n".join(path.read_text() for path in sorted(Path(ROOT, "lambdas").glob("**/*.py")))


def shown(deployed: Deployed) -> list[Any]:
    """The metrics of the dashboard's graphs, each as its list in the dashboard's body."""
    (dashboard,) = deployed.of_type("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    return [metric for widget in widgets for metric in widget["properties"].get("metrics", ())]


def test_what_a_hospital_must_know_of_raises_an_alarm(local: Deployed) -> None:
    watched = {
        anchor: (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) for anchor, alarm in alarms(local).items()
    }
    assert watched == {
        "execution-failed": ("AWS/States", "ExecutionsFailed", "Sum"),
        "execution-timed-out": ("AWS/States", "ExecutionsTimedOut", "Sum"),
        "job-stuck": ("ClinicalMedia", "JobAgeSeconds", "Maximum"),
        "nothing-finished": ("ClinicalMedia", "BatchesFinished", "Sum"),
        "dead-letters": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
        "oldest-event": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum"),
        "events-returned": ("ClinicalMedia", "EventsReturned", "Sum"),
        "ingest-failed": ("AWS/Lambda", "Errors", "Sum"),
        "job-sharing-failed": ("AWS/Lambda", "Errors", "Sum"),
        "event-delivery-failed": ("AWS/Events", "FailedInvocations", "Sum"),
        "events-lost": ("AWS/Events", "InvocationsFailedToBeSentToDlq", "Sum"),
        "rejected-alike": ("ClinicalMedia", "RecordingsRejectedAlike", "Sum"),
        "records-unreadable": ("ClinicalMedia", "RecordsUnreadable", "Sum"),
        "compaction-failed": ("AWS/States", "ExecutionsFailed", "Sum"),
        "cost-ceiling": ("ClinicalMedia", "CostCeilingExceeded", "Sum"),
        "day-ceiling": ("ClinicalMedia", "DayCeilingReached", "Sum"),
    }


def test_every_alarm_watches_this_environment_and_no_other(local: Deployed) -> None:
    dimensions = {anchor: alarm["Dimensions"] for anchor, alarm in alarms(local).items()}
    assert {anchor: [(item["Name"], item["Value"]) for item in found] for anchor, found in dimensions.items()} == {
        "execution-failed": [("StateMachineArn", "Workflow/StateMachine")],
        "compaction-failed": [("StateMachineArn", "Compaction/StateMachine")],
        "execution-timed-out": [("StateMachineArn", "Workflow/StateMachine")],
        "job-stuck": [("environment", "clinical-media-local")],
        "nothing-finished": [("environment", "clinical-media-local")],
        "dead-letters": [("QueueName", "Ingest/DeadLetterQueue.QueueName")],
        "oldest-event": [("QueueName", "Ingest/Queue.QueueName")],
        "events-returned": [("environment", "clinical-media-local")],
        "ingest-failed": [("FunctionName", "Functions/Ingest/Function")],
        "job-sharing-failed": [("FunctionName", "Functions/ShareJobs/Function")],
        "event-delivery-failed": [("RuleName", "clinical-media-local-recordings")],
        "events-lost": [("RuleName", "clinical-media-local-recordings")],
        "rejected-alike": [("environment", "clinical-media-local")],
        "records-unreadable": [("environment", "clinical-media-local")],
        "cost-ceiling": [("environment", "clinical-media-local")],
        "day-ceiling": [("environment", "clinical-media-local")],
    }


def test_every_alarm_goes_to_the_topic_and_a_metric_without_values_raises_none(local: Deployed) -> None:
    for anchor, alarm in alarms(local).items():
        assert alarm["AlarmActions"] == ["Monitoring/Topic"], anchor
        assert alarm["TreatMissingData"] == "notBreaching", anchor


def test_an_hour_with_work_and_no_result_is_below_the_threshold_and_one_result_is_not(local: Deployed) -> None:
    alarm = alarms(local)["nothing-finished"]
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["Period"]) == ("LessThanThreshold", 1, 3600)
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == 12


def test_cloudwatch_takes_the_longest_time_that_may_be_set(deploy: Callable[..., Deployed]) -> None:
    """Periods of an hour or more may look back for seven days (API reference, PutMetricAlarm, EvaluationPeriods)."""
    limits: dict[str, Any] = {
        "alarm_emails": [],
        "runbook_url": None,
        "oldest_event_minutes": 1440,
        "stuck_after_hours": 24,
        "nothing_finished_hours": 168,
    }
    for alarm in alarms(changed(deploy, limits)).values():
        assert alarm["EvaluationPeriods"] * alarm["Period"] <= (604_800 if alarm["Period"] >= 3600 else 86_400)


def changed(deploy: Callable[..., Deployed], monitoring: dict[str, Any]) -> Deployed:
    """An uncached deployment, because settings that are objects can't be cache keys."""
    uncached: Callable[..., Deployed] = deploy.__wrapped__  # type: ignore[attr-defined]
    return uncached("local", monitoring=monitoring)


def test_the_environment_decides_when_a_wait_is_an_alarm_and_who_is_told(deploy: Callable[..., Deployed]) -> None:
    limits = {
        "alarm_emails": ["on-call@example.org", "team@example.org"],
        "runbook_url": "https://wiki.example.org/runbook",
        "oldest_event_minutes": 45,
        "stuck_after_hours": 3,
        "nothing_finished_hours": 5,
    }
    deployed = changed(deploy, limits)
    found = alarms(deployed)
    assert found["oldest-event"]["Threshold"] == 45 * 60
    assert found["job-stuck"]["Threshold"] == 3 * 3600
    assert found["nothing-finished"]["EvaluationPeriods"] == 5
    for anchor, alarm in found.items():
        assert alarm["AlarmDescription"].endswith(f" https://wiki.example.org/runbook#{anchor}")
    told = deployed.of_type("AWS::SNS::Subscription").values()
    assert {(item["Protocol"], item["Endpoint"], item["TopicArn"]) for item in told} == {
        ("email", "on-call@example.org", "Monitoring/Topic"),
        ("email", "team@example.org", "Monitoring/Topic"),
    }


def test_an_address_that_is_none_is_named(environments: dict[str, Any]) -> None:
    from infra.environment import Environment

    entry = environments["local"] | {"monitoring": environments["local"]["monitoring"] | {"alarm_emails": ["nobody"]}}
    with pytest.raises(ConfigurationError, match=r'monitoring\.alarm_emails\[0\] is "nobody", but must be a text of'):
        Environment.from_context("local", {"environments": {"local": entry}})


def test_the_topic_is_encrypted_and_only_this_environments_alarms_may_publish(local: Deployed) -> None:
    (topic,) = local.of_type("AWS::SNS::Topic").values()
    assert topic["KmsMasterKeyId"] == "Storage/Operations/Key.Arn"
    (policy,) = local.of_type("AWS::SNS::TopicPolicy").values()
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    (allowed_one,) = allowed
    assert allowed_one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed_one["Action"] == "sns:Publish"
    assert allowed_one["Condition"] == {"StringEquals": OUR_ACCOUNT, "ArnLike": OUR_ALARMS}
    denied = [one["Condition"] for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_cloudwatch_may_use_the_key_for_this_environments_alarms_and_where_kms_hears_of_no_alarm(
    local: Deployed,
) -> None:
    """Without it an encrypted topic drops every alarm without an error."""
    statements = local.resources["Storage/Operations/Key"]["Properties"]["KeyPolicy"]["Statement"]
    (ours,) = [one for one in statements if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert set(ours["Action"]) == {"kms:GenerateDataKey", "kms:Decrypt"}
    assert ours["Condition"] == {"StringEqualsIfExists": OUR_ACCOUNT, "ArnLikeIfExists": OUR_ALARMS}
    named = [alarm["AlarmName"] for alarm in alarms(local).values()]
    assert named and all(name.startswith("clinical-media-local-") for name in named)


def test_every_alarm_names_its_section_of_the_runbook_and_every_section_an_alarm(local: Deployed) -> None:
    headings = re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for anchor, alarm in alarms(local).items():
        assert alarm["AlarmDescription"].endswith(f" docs/runbook.md#{anchor}")
        assert anchor in anchors
    section = RUNBOOK.read_text().split("\n# ")[0]
    of_alarms = {anchor for anchor in anchors if f"`{anchor}`" in section}
    assert of_alarms == set(alarms(local))


def test_the_functions_write_what_the_alarms_and_the_dashboard_read(local: Deployed) -> None:
    written = set(re.findall(r'add_metric\((?:name=)?"([A-Za-z]+)"', sources()))
    written |= {f"Recordings{name}" for name in ("Received", "Transcribed", "Reused", "Elsewhere", "Rejected")}
    asked = {alarm["MetricName"] for alarm in alarms(local).values() if alarm["Namespace"] == NAMESPACE}
    asked |= {metric[1] for metric in shown(local) if metric[0] == NAMESPACE}
    assert asked == written


def test_the_stages_are_those_that_the_functions_count_by(local: Deployed) -> None:
    assert {name.lower() for name in re.findall(r"@observed\(stages.([A-Z_]+)", sources())} == set(STAGES)
    watched = re.findall(r"@observed\(stages.([A-Z_]+).name\)\n@watching", sources())
    assert {name.lower() for name in watched} == set(JOBS)
    stages = {
        metric[position + 1]
        for metric in shown(local)
        for position, part in enumerate(metric)
        if part == "stage" and metric[0] == NAMESPACE
    }
    assert stages == set(STAGES)


def test_the_dashboard_shows_every_alarm(local: Deployed) -> None:
    (dashboard,) = local.of_type("AWS::CloudWatch::Dashboard").values()
    (status,) = [w for w in json.loads(dashboard["DashboardBody"])["widgets"] if w["type"] == "alarm"]
    assert set(status["properties"]["alarms"]) == {f"{path}.Arn" for path in local.of_type("AWS::CloudWatch::Alarm")}


def test_executions_are_traced_from_the_state_machines_on(local: Deployed) -> None:
    machines = local.of_type("AWS::StepFunctions::StateMachine").values()
    assert machines and all(machine["TracingConfiguration"] == {"Enabled": True} for machine in machines)
    functions = local.of_type("AWS::Lambda::Function").values()
    assert functions and all(function["TracingConfig"] == {"Mode": "Active"} for function in functions)
