import json

import pytest

from infra.definition import FILE, read_definition
from infra.environment import LONGEST_EXECUTION_DAYS, REDRIVABLE_DAYS
from infra.functions import FUNCTIONS, pascal_case
from infra.settings import ConfigurationError
from infra.state_machine import check_substitutions
from tests.infra.conftest import Deployed

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:clinical-media-local-pipeline"


def test_the_definition_is_in_the_template_where_its_checks_can_see_it(local: Deployed) -> None:
    machine = local.resources["Workflow/StateMachine"]["Properties"]
    assert machine["StateMachineName"] == "clinical-media-local-pipeline"
    assert json.loads(machine["DefinitionString"]) == read_definition()


def test_every_function_that_is_called_by_nothing_else_is_a_step(local: Deployed) -> None:
    assert local.resources["Workflow/StateMachine"]["Properties"]["DefinitionSubstitutions"] == {
        f"{pascal_case(name)}Arn": f"Functions/{pascal_case(name)}/Function.Arn"
        for name in FUNCTIONS
        if name not in ("ingest", "share_jobs", "divide_search", "search_range", "mark_records", "compact_records")
    }


def test_a_substitution_without_a_function_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^statemachine/pipeline\.asl\.yaml needs AArn, BArn; its subst"):
        check_substitutions('{"Resource": "${BArn}", "Other": "${AArn}", "Known": "${CArn}"}', ["CArn"], FILE)


def test_a_function_without_a_state_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^statemachine/pipeline\.asl\.yaml does not use BArn; its subst"):
        check_substitutions('{"Resource": "${AArn}"}', ["AArn", "BArn"], FILE)


def test_an_execution_cannot_run_for_ever_and_its_plan_lasts_until_its_last_redrive(local: Deployed) -> None:
    definition = json.loads(local.resources["Workflow/StateMachine"]["Properties"]["DefinitionString"])
    days = definition["TimeoutSeconds"] / 86_400
    assert days == LONGEST_EXECUTION_DAYS
    assert days + REDRIVABLE_DAYS < 365  # the service's limits


def test_a_turn_is_waited_for_until_the_execution_s_timeout_without_a_full_history() -> None:
    definition = read_definition()
    state = definition["States"]["WaitForTurn"]
    # Entered, scheduled, started, submitted, timed out, exited; the other states of an execution need far less.
    events = 6 * definition["TimeoutSeconds"] / state["TimeoutSeconds"]
    assert events < 25_000 - 5_000
    (catcher,) = state["Catch"]
    assert (catcher["ErrorEquals"], catcher["Next"]) == (["States.Timeout"], "WaitForTurn")


def test_everything_is_logged_except_the_data(local: Deployed) -> None:
    assert local.resources["Workflow/StateMachine"]["Properties"]["LoggingConfiguration"] == {
        "Level": "ALL",
        "IncludeExecutionData": False,
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "Workflow/Logs.Arn"}}],
    }
    group = local.resources["Workflow/Logs"]["Properties"]
    assert group["LogGroupName"] == "/aws/vendedlogs/states/clinical-media-local-pipeline"
    assert group["KmsKeyId"] == "Storage/Operations/Key.Arn"


def test_state_is_encrypted_with_the_operations_key_and_traced(local: Deployed) -> None:
    machine = local.resources["Workflow/StateMachine"]["Properties"]
    assert machine["EncryptionConfiguration"] == {
        "Type": "CUSTOMER_MANAGED_KMS_KEY",
        "KmsKeyId": "Storage/Operations/Key.Arn",
        "KmsDataKeyReusePeriodSeconds": 900,
    }
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_log_delivery_may_decrypt_logs_only(local: Deployed) -> None:
    statements = local.resources["Storage/Operations/Key"]["Properties"]["KeyPolicy"]["Statement"]
    (statement,) = [s for s in statements if s["Principal"] == {"Service": "delivery.logs.amazonaws.com"}]
    assert statement["Action"] == "kms:Decrypt"
    assert statement["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:SourceArn": "arn:aws:logs:us-east-1:123456789012:*"}
    }


def test_only_this_state_machine_and_its_maps_may_take_its_role(local: Deployed) -> None:
    role = local.resources["Workflow/Role"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": [MACHINE, f"{MACHINE}/*"]},
    }
    assert role["ManagedPolicyArns"] == ["Workflow/Policy", "Tracing"]
    assert local.resources["Workflow/StateMachine"]["Properties"]["RoleArn"] == "Workflow/Role.Arn"
