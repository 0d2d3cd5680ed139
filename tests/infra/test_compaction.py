import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.definition import ANALYSIS, read_definition
from infra.settings import ConfigurationError
from lambdas.compact_records import MOST_OBJECTS
from lambdas.shared.analysis_items import LONGEST_COMPACTION_SECONDS
from lambdas.shared.layout import RECORDS
from lambdas.shared.ledger_keys import DIGITS
from tests.infra.conftest import Deployed
from tests.infra.test_permissions import CLINICAL, MACHINE, OPERATIONS_KEY, grants

OWN = MACHINE.replace("-pipeline", "-analysis")
EXECUTION = OWN.replace(":stateMachine:", ":execution:")
SCHEDULE = "Compaction/Schedule"


def test_the_definition_is_in_the_template_with_its_functions_and_the_records(local: Deployed) -> None:
    machine = local.resources["Compaction/StateMachine"]["Properties"]
    assert machine["StateMachineName"] == "clinical-media-local-analysis"
    assert json.loads(machine["DefinitionString"]) == read_definition(ANALYSIS)
    assert machine["DefinitionSubstitutions"] == {
        "MarkRecordsArn": "Functions/MarkRecords/Function.Arn",
        "CompactRecordsArn": "Functions/CompactRecords/Function.Arn",
        "ClinicalBucket": "Storage/Clinical/Bucket",
        "RecordsPrefix": RECORDS,
    }


def test_it_may_do_exactly_this(local: Deployed) -> None:
    children = {f"{EXECUTION}:*", f"{EXECUTION}/*"}
    assert grants(local.statements("Compaction/Policy")) == {
        "lambda:InvokeFunction": {f"Functions/{name}Records/Function.Arn" for name in ("Mark", "Compact")},
        "s3:ListBucket": {CLINICAL},
        "states:StartExecution": {OWN},
        "states:DescribeExecution": children,
        "states:StopExecution": children,
        "states:RedriveExecution": children,
        "kms:Decrypt": {OPERATIONS_KEY},
        "kms:GenerateDataKey": {OPERATIONS_KEY},
        **{f"logs:{verb}LogDelivery": {"*"} for verb in ("Create", "Get", "Update", "Delete")},
        "logs:ListLogDeliveries": {"*"},
        "logs:PutResourcePolicy": {"*"},
        "logs:DescribeResourcePolicies": {"*"},
        "logs:DescribeLogGroups": {"*"},
    }


def test_it_starts_each_night_for_what_has_changed(deploy: Callable[..., Deployed]) -> None:
    prod = deploy("prod")
    rule = prod.resources[f"{SCHEDULE}/Rule"]["Properties"]
    assert (rule["Name"], rule["State"]) == ("clinical-media-prod-compaction", "ENABLED")
    assert rule["ScheduleExpression"] == "cron(0 7 * * ? *)"
    (target,) = rule["Targets"]
    assert target["Arn"] == "Compaction/StateMachine" and target["RoleArn"] == f"{SCHEDULE}/Role.Arn"
    choice, *_ = read_definition(ANALYSIS)["States"]["Rebuild?"]["Choices"]
    assert json.loads(target["Input"]) == {choice["Variable"].removeprefix("$."): not choice["BooleanEquals"]}


def test_the_rule_may_start_it_and_nothing_else_and_nobody_else_takes_its_role(deploy: Callable[..., Deployed]) -> None:
    prod = deploy("prod")
    own = OWN.replace("-local-", "-prod-")
    assert grants(prod.statements(f"{SCHEDULE}/Policy")) == {"states:StartExecution": {own}}
    (trust,) = prod.resources[f"{SCHEDULE}/Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    rule = "arn:aws:events:us-east-1:123456789012:rule/clinical-media-prod-compaction"
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnEquals": {"aws:SourceArn": rule},
    }


def test_without_a_schedule_there_is_no_rule(local: Deployed) -> None:
    assert not [path for path in local.resources if path.startswith(SCHEDULE)]


@pytest.mark.parametrize("schedule", ["cron(0 7 * * *)", "cron(70 7 * * ? *)", "rate(1 days)", "nightly", ""])
def test_a_schedule_of_another_form_is_refused(new_stack: Callable[..., Any], schedule: str) -> None:
    with pytest.raises(ConfigurationError, match=r"analysis\.compaction_schedule"):
        new_stack("dev", analysis={"query_limit_gib": 1, "compaction_schedule": schedule})


def test_a_child_s_history_is_long_enough_for_a_million_recordings() -> None:
    # Entered, scheduled, started, succeeded, exited; the Choice entered and exited.
    calls = 1_000_000 / 16 / MOST_OBJECTS
    assert 7 * calls < 25_000 / 10
    states = read_definition(ANALYSIS)["States"]
    assert states["Digits"]["Result"] == list(DIGITS)


def test_it_waits_for_another_compaction_longer_than_that_one_can_last() -> None:
    task = read_definition(ANALYSIS)["States"]["CompactDigits"]["ItemProcessor"]["States"]["CompactRecords"]
    waiting = task["Retry"][0]
    assert waiting["ErrorEquals"] == ["CompactionAtWork"]
    assert waiting["IntervalSeconds"] * waiting["MaxAttempts"] > LONGEST_COMPACTION_SECONDS
