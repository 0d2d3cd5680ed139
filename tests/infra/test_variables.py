import copy
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from infra.environment import Environment
from infra.functions import FUNCTIONS, pascal_case
from infra.settings import ConfigurationError
from infra.stack import PipelineStack
from tests.infra.conftest import Deployed, synthesized

COMMON = {
    "RESOURCE_PREFIX": "clinical-media-local",
    "POWERTOOLS_SERVICE_NAME": "clinical-media-local",
    "POWERTOOLS_METRICS_NAMESPACE": "ClinicalMedia",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "AWS_RETRY_MODE": "standard",
    "AWS_MAX_ATTEMPTS": "5",
}
CLINICAL = {"CLINICAL_BUCKET": "Storage/Clinical/Bucket"}
CLINICAL_KEY = {"CLINICAL_KEY_ARN": "Storage/Clinical/Key.Arn"}
TABLE, MEMBERS = {"LEDGER_TABLE": "Ledger/Table"}, {"MEMBERS_TABLE": "Ledger/Members"}
LIFETIME = {"RESULTS_EXPIRE_AFTER_DAYS": ""}
SQL_COHORTS = {"SQL_COHORTS": "[]"}
SEARCHED = (
    CLINICAL
    | CLINICAL_KEY
    | TABLE
    | MEMBERS
    | {
        "MEDIA_BUCKET": "Storage/Media/Bucket",
        "AUDIENCE_BUCKET": "Storage/Audience/Bucket",
        "AUDIENCE_KEY_ARN": "Storage/Audience/Key.Arn",
        "OPERATIONS_BUCKET": "Storage/Operations/Bucket",
        "OPERATIONS_KEY_ARN": "Storage/Operations/Key.Arn",
        "ACCESS_LOGS_BUCKET": "Storage/AccessLogs",
    }
)
OWN: dict[str, dict[str, str]] = {
    "ingest": {
        "MEDIA_BUCKET": "Storage/Media/Bucket",
        "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:clinical-media-local-pipeline",
    },
    "start_transcription": CLINICAL | CLINICAL_KEY | {"MEDIA_KEY_ARN": "Storage/Media/Key.Arn"},
    "poll_transcription": CLINICAL,
    "prepare_documents": CLINICAL | CLINICAL_KEY | TABLE | {"MAXIMUM_DOCUMENT_BYTES": "40000"},
    "start_entity_detection": CLINICAL
    | CLINICAL_KEY
    | TABLE
    | {"ENTITY_DETECTION_ROLE_ARN": "DataAccessRoles/EntityDetection/Role.Arn", "BATCH_CEILING_USD": "750.00"},
    "poll_entity_detection": CLINICAL | TABLE,
    "collect_entities": CLINICAL | CLINICAL_KEY | TABLE | MEMBERS | LIFETIME,
    "index_records": CLINICAL | CLINICAL_KEY | TABLE | MEMBERS | LIFETIME,
    "finish_rebuild": TABLE,
    "start_audience_generation": SQL_COHORTS | {"SEED_READER_ROLE_ARN": "DataAccessRoles/SeedReader/Role.Arn"},
    "poll_audience_generation": CLINICAL,
    "start_audience_export": {},
    "poll_audience_export": CLINICAL,
    "share_jobs": {
        "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:clinical-media-local-pipeline",
        "CONCURRENT_JOBS": "8",
    }
    | TABLE,
    "wait_for_turn": TABLE | {"CONCURRENT_JOBS": "8"},
    "summarize_batch": CLINICAL | CLINICAL_KEY,
    "divide_search": SEARCHED,
    "search_range": SEARCHED,
    "mark_records": MEMBERS | LIFETIME,
    "compact_records": CLINICAL | CLINICAL_KEY | TABLE | MEMBERS | LIFETIME,
}


def variables_of(deployed: Deployed, function: str) -> dict[str, str]:
    properties = deployed.resources[f"Functions/{pascal_case(function)}/Function"]["Properties"]
    found: dict[str, str] = properties["Environment"]["Variables"]
    return found


def test_every_function_is_looked_at() -> None:
    assert OWN.keys() | {"plan_batch", "prepare_cohorts", "select_seeds"} == FUNCTIONS.keys()


@pytest.mark.parametrize("function", OWN)
def test_a_function_is_told_what_it_works_with_and_nothing_else(local: Deployed, function: str) -> None:
    assert variables_of(local, function) == COMMON | OWN[function]


def test_seeds_are_selected_by_the_cohorts_of_the_environment(local: Deployed, environments: dict[str, Any]) -> None:
    cohorts = Environment.from_context("local", {"environments": environments}).audience.cohorts
    for function in ("prepare_cohorts", "select_seeds"):
        found = json.loads(variables_of(local, function)["COHORTS"])
        assert found == json.loads(json.dumps([asdict(cohort) for cohort in cohorts]))
    variables = {function: variables_of(local, function) for function in ("prepare_cohorts", "select_seeds")}
    of_cohorts = {"COHORTS": variables["select_seeds"]["COHORTS"]}
    assert variables["prepare_cohorts"] == COMMON | TABLE | LIFETIME | of_cohorts
    assert variables["select_seeds"] == COMMON | TABLE | MEMBERS | LIFETIME | SQL_COHORTS | of_cohorts | {
        "AUDIENCE_BUCKET": "Storage/Audience/Bucket",
        "AUDIENCE_KEY_ARN": "Storage/Audience/Key.Arn",
    }


def test_batches_are_planned_with_the_parameters_of_the_environment(
    local: Deployed, environments: dict[str, Any]
) -> None:
    variables = variables_of(local, "plan_batch")
    assert json.loads(variables.pop("PARAMETERS")) == environments["local"]["parameters"]
    ceilings = {"BATCH_CEILING_USD": "750.00", "DAY_CEILING_USD": "2500.00", "ABOVE_BATCH_CEILING": "stop"}
    assert (
        variables
        == COMMON | CLINICAL | TABLE | MEMBERS | LIFETIME | {"MEDIA_BUCKET": "Storage/Media/Bucket"} | ceilings
    )


def test_an_environment_without_a_ceiling_for_a_day_says_so(new_stack: Callable[..., PipelineStack]) -> None:
    costs = {"batch_ceiling_usd": 1.5, "day_ceiling_usd": None, "above_batch_ceiling": "cut"}
    variables = variables_of(synthesized(new_stack("local", costs=costs)), "plan_batch")
    assert (variables["BATCH_CEILING_USD"], variables["DAY_CEILING_USD"]) == ("1.50", "")
    assert variables["ABOVE_BATCH_CEILING"] == "cut"


def test_parameters_that_lambda_cannot_take_are_reported_with_their_size(
    environments: dict[str, Any], new_stack: Callable[..., PipelineStack]
) -> None:
    parameters = copy.deepcopy(environments["local"]["parameters"])
    parameters["StartMedicalTranscriptionJob"]["Tags"] = [{"Key": f"{n:0128}", "Value": ""} for n in range(30)]
    with pytest.raises(
        ConfigurationError, match=r"environments\.local\.parameters, .* takes \d+ of the \d+ bytes of plan"
    ):
        new_stack("local", parameters=parameters)


@pytest.fixture
def with_terms(environments: dict[str, Any], new_stack: Callable[..., PipelineStack]) -> Callable[..., PipelineStack]:
    def with_terms(*terms: str) -> PipelineStack:
        audience = copy.deepcopy(environments["local"]["audience"])
        audience["cohorts"]["hypertension"]["terms"] = list(terms)
        return new_stack("local", audience=audience)

    return with_terms


def test_cohorts_that_lambda_cannot_take_are_reported_with_their_size(
    with_terms: Callable[..., PipelineStack],
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        with_terms("x" * 4096)
    message = str(raised.value)
    sizes = re.match(
        r"environments\.local\.audience\.cohorts, defaults included, takes (\d+) of the (\d+) bytes", message
    )
    assert sizes is not None, message
    assert 4096 < int(sizes[1]) < int(sizes[2])
    assert message.endswith("of prepare_cohorts's environment variables, but Lambda allows 4096 in all; shorten it.")


def test_cohorts_are_measured_in_bytes(with_terms: Callable[..., PipelineStack]) -> None:
    with_terms("x" * 1500)
    with pytest.raises(ConfigurationError):
        with_terms("é" * 1500)
