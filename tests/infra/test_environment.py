import copy
from typing import Any

import pytest

from infra.environment import Environment
from infra.functions import FUNCTIONS
from infra.settings import ConfigurationError


@pytest.fixture
def entry(environments: dict[str, Any]) -> dict[str, Any]:
    """A copy of the local environment's entry, free to be spoiled."""
    copied: dict[str, Any] = copy.deepcopy(environments["local"])
    return copied


def mistake(entry: dict[str, Any], name: str = "local") -> str:
    with pytest.raises(ConfigurationError) as raised:
        Environment.from_context(name, {name: entry})
    return str(raised.value)


def test_every_environment_of_the_project_is_valid(environments: dict[str, Any]) -> None:
    assert list(environments) == ["dev", "staging", "prod", "local"]
    for name in environments:
        assert Environment.from_context(name, environments).prefix == f"clinical-media-{name}"


def test_only_production_outlives_its_stack(environments: dict[str, Any]) -> None:
    kept = [name for name in environments if Environment.from_context(name, environments).retain_data]
    assert kept == ["prod"]


@pytest.mark.parametrize("name", ["prd", "", None, 3])
def test_an_unknown_environment_is_answered_with_the_known_ones(environments: dict[str, Any], name: object) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Environment.from_context(name, environments)
    assert str(raised.value) == (f"env is {name!r}, but must be an environment of cdk.json: dev, staging, prod, local.")


@pytest.mark.parametrize("name", ["Dev", "1st", "a_b", "a" * 21])
def test_a_name_that_aws_would_refuse_in_resource_names_is_refused_here(entry: dict[str, Any], name: str) -> None:
    assert mistake(entry, name).startswith(f"environments.{name} is not a valid name; use 1 to 20 lower-case letters")


def test_the_longest_environment_name_makes_valid_function_names(entry: dict[str, Any]) -> None:
    environment = Environment.from_context("a" * 20, {"a" * 20: entry})
    assert max(len(f"{environment.prefix}-{function}") for function in FUNCTIONS) <= 64


def test_a_missing_key_is_named_with_its_path(entry: dict[str, Any]) -> None:
    del entry["transcription"]["concurrent_jobs"]
    assert mistake(entry) == (
        "environments.local.transcription.concurrent_jobs is missing; it must be a whole number from 1 to 10000."
    )


def test_an_unknown_key_of_a_cohort_is_named_with_its_path(entry: dict[str, Any]) -> None:
    entry["audience"]["cohorts"][1]["term"] = "asthma"
    assert mistake(entry).startswith(
        "environments.local.audience.cohorts[1].term is not a known key; allowed here: name"
    )


def test_what_a_redrive_needs_cannot_expire_before_the_redrive(entry: dict[str, Any]) -> None:
    entry["intermediates_expire_after_days"] = 14
    assert mistake(entry) == (
        "environments.local.intermediates_expire_after_days is 14, but must be a whole number from 22 to 36500."
    )


def test_a_retention_that_cloudwatch_logs_does_not_have_is_refused(entry: dict[str, Any]) -> None:
    entry["log_retention_days"] = 31
    assert mistake(entry).startswith("environments.local.log_retention_days is 31, but must be a whole number that is")


@pytest.mark.parametrize("terms", [[], [""], [" asthma"]])
def test_a_cohort_needs_terms_that_can_match(entry: dict[str, Any], terms: list[str]) -> None:
    entry["audience"]["cohorts"][0]["terms"] = terms
    assert mistake(entry).startswith("environments.local.audience.cohorts[0].terms")


def test_two_cohorts_of_the_same_name_would_share_a_seed(entry: dict[str, Any]) -> None:
    entry["audience"]["cohorts"][2]["name"] = "hypertension"
    assert mistake(entry) == (
        "environments.local.audience.cohorts[2].name is 'hypertension', but an earlier cohort has that name."
    )


def test_more_than_everyone_cannot_be_exported(entry: dict[str, Any]) -> None:
    entry["audience"]["cohorts"][0]["export"] = {"type": "PERCENTAGE", "value": 101}
    assert mistake(entry) == (
        "environments.local.audience.cohorts[0].export.value is 101, but must be from 1 to 100 for a PERCENTAGE."
    )
    entry["audience"]["cohorts"][0]["export"] = {"type": "ABSOLUTE", "value": 101}
    Environment.from_context("local", {"local": entry})


def test_the_audience_model_must_be_a_configured_audience_model(entry: dict[str, Any]) -> None:
    arn = "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-model/1"
    entry["parameters"]["StartAudienceGenerationJob"]["configuredAudienceModelArn"] = arn
    assert mistake(entry).startswith(
        f'environments.local.parameters.StartAudienceGenerationJob: configuredAudienceModelArn is "{arn}"'
    )


@pytest.mark.parametrize(
    ("operation", "parameter", "value"),
    [
        ("StartMedicalTranscriptionJob", "LanguageCode", "en-GB"),
        ("StartMedicalTranscriptionJob", "Settings", {"ShowSpeakerLabels": True}),
        ("StartMedicalTranscriptionJob", "OutputKey", "elsewhere/"),
        ("StartEntitiesDetectionV2Job", "LanguageCode", None),
        ("StartAudienceGenerationJob", "description", "x" * 256),
    ],
)
def test_a_parameter_that_the_service_would_refuse_is_refused_here(
    entry: dict[str, Any], operation: str, parameter: str, value: object
) -> None:
    entry["parameters"][operation][parameter] = value
    told = mistake(entry)
    assert told.startswith(f"environments.local.parameters.{operation}: ")
    assert parameter in told or "ShowSpeakerLabels" in told


SEED_AUDIENCE = {
    "sqlParameters": {"queryString": "SELECT user_id FROM claims"},
    "sqlComputeConfiguration": {"worker": {"type": "CR.1X", "number": 2}},
}


def with_sql_cohort(entry: dict[str, Any], **changes: object) -> dict[str, Any]:
    entry["audience"]["sql_cohorts"] = [{"name": "claims", "seedAudience": SEED_AUDIENCE, "export": None, **changes}]
    collaboration = "01234567-89ab-cdef-0123-456789abcdef"
    entry["parameters"]["StartAudienceGenerationJob"]["collaborationId"] = collaboration
    return entry


def test_a_seed_may_be_selected_by_a_query(entry: dict[str, Any]) -> None:
    environment = Environment.from_context("local", {"local": with_sql_cohort(entry)})
    assert environment.audience.sql_cohorts[0].seedAudience == SEED_AUDIENCE


def test_a_query_needs_the_collaboration_that_it_runs_in(entry: dict[str, Any]) -> None:
    with_sql_cohort(entry)["parameters"]["StartAudienceGenerationJob"]["collaborationId"] = None
    told = "environments.local.parameters.StartAudienceGenerationJob.collaborationId, which is not set"
    assert told in mistake(entry)


def test_a_wrong_query_is_told_with_its_cohort(entry: dict[str, Any]) -> None:
    assert mistake(with_sql_cohort(entry, seedAudience={})).startswith(
        "environments.local.audience.sql_cohorts[0].seedAudience: "
    )


def test_a_cohort_of_either_kind_has_a_name_of_its_own(entry: dict[str, Any]) -> None:
    assert "sql_cohorts[0].name is 'asthma', but an earlier cohort" in mistake(with_sql_cohort(entry, name="asthma"))
