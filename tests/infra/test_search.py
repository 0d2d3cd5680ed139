import json

import pytest

from infra.definition import FILE, SEARCH, read_definition
from lambdas.searching.dividing import MOST_RANGES, MOST_SEGMENTS
from local.aws.policies import Decision, Request, evaluate
from tests.infra.conftest import Deployed
from tests.infra.test_permissions import MACHINE, OPERATIONS_KEY, grants

OWN = MACHINE.replace("-pipeline", "-search")
EXECUTION = OWN.replace(":stateMachine:", ":execution:")


def test_the_definition_is_in_the_template_with_its_two_functions(local: Deployed) -> None:
    machine = local.resources["Search/StateMachine"]["Properties"]
    assert machine["StateMachineName"] == "clinical-media-local-search"
    assert json.loads(machine["DefinitionString"]) == read_definition(SEARCH)
    assert machine["DefinitionSubstitutions"] == {
        "DivideSearchArn": "Functions/DivideSearch/Function.Arn",
        "SearchRangeArn": "Functions/SearchRange/Function.Arn",
    }


def test_it_is_logged_traced_and_encrypted_as_the_pipeline_is(local: Deployed) -> None:
    ours, pipeline = (local.resources[f"{name}/StateMachine"]["Properties"] for name in ("Search", "Workflow"))
    for property_name in ("EncryptionConfiguration", "TracingConfiguration"):
        assert ours[property_name] == pipeline[property_name]
    assert ours["LoggingConfiguration"] == {
        "Level": "ALL",
        "IncludeExecutionData": False,
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "Search/Logs.Arn"}}],
    }


def test_its_role_is_taken_by_itself_and_its_map_only(local: Deployed) -> None:
    (trust,) = local.resources["Search/Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": [OWN, f"{OWN}/*"]},
    }


def test_it_may_do_exactly_this(local: Deployed) -> None:
    children = {f"{EXECUTION}:*", f"{EXECUTION}/*"}
    assert grants(local.statements("Search/Policy")) == {
        "lambda:InvokeFunction": {"Functions/DivideSearch/Function.Arn", "Functions/SearchRange/Function.Arn"},
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


@pytest.mark.parametrize(
    ("machine", "allowed"), [(OWN, True), (f"{OWN}/SearchRanges", True), (MACHINE, False), (f"{OWN}er", False)]
)
def test_it_uses_the_key_for_itself_alone(local: Deployed, machine: str, allowed: bool) -> None:
    document = {"Statement": local.statements("Search/Policy")}
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        request = Request(action, OPERATIONS_KEY, {"kms:EncryptionContext:aws:states:stateMachineArn": machine})
        assert (evaluate([document], request) is Decision.ALLOW) == allowed


def test_the_numbers_of_all_ranges_fit_into_a_state() -> None:
    state = {"search_id": "x" * 80, "numbers": [*range(MOST_RANGES + 2 * MOST_SEGMENTS)]}
    assert len(state["numbers"]) <= 1_000
    assert len(json.dumps(state)) < 256 * 1024 / 10


def test_its_tasks_are_retried_as_those_of_the_pipeline_are() -> None:
    def usual(retry: list[dict[str, object]]) -> list[dict[str, object]]:
        return [entry for entry in retry if entry["ErrorEquals"] == ["States.TaskFailed"]]

    definition = read_definition(SEARCH)["States"]
    tasks = [definition["DivideSearch"], definition["SearchRanges"]["ItemProcessor"]["States"]["SearchRange"]]
    pipeline = read_definition(FILE)["States"]["PlanBatch"]["Retry"]
    permanent = {error for entry in pipeline if entry["MaxAttempts"] == 0 for error in entry["ErrorEquals"]}
    for task in tasks:
        assert usual(task["Retry"]) == usual(pipeline)
        assert set(task["Retry"][0]["ErrorEquals"]) <= permanent
        assert task["Retry"][0]["MaxAttempts"] == 0
