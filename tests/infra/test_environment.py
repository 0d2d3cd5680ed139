import copy
from dataclasses import replace
from typing import Any

import pytest

from infra.environment import Environment
from infra.functions import FUNCTIONS
from infra.settings import ConfigurationError


@pytest.fixture
def entry(environments: dict[str, Any]) -> dict[str, Any]:
    """A copy of the local environment's entry, which a test may change."""
    copied: dict[str, Any] = copy.deepcopy(environments["local"])
    return copied


def mistake(entry: dict[str, Any], name: str = "local") -> str:
    with pytest.raises(ConfigurationError) as raised:
        Environment.from_context(name, {"environments": {name: entry}})
    return str(raised.value)


def test_every_environment_of_the_project_is_valid(context: dict[str, Any]) -> None:
    assert list(context["environments"]) == ["dev", "staging", "prod", "local"]
    for name in context["environments"]:
        assert Environment.from_context(name, context).prefix == f"clinical-media-{name}"


def test_only_production_outlives_its_stack(context: dict[str, Any]) -> None:
    kept = [name for name in context["environments"] if Environment.from_context(name, context).retain_data]
    assert kept == ["prod"]


@pytest.mark.parametrize("name", ["prd", "", None, 3])
def test_an_unknown_environment_is_answered_with_the_known_ones(context: dict[str, Any], name: object) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Environment.from_context(name, context)
    assert str(raised.value) == (f"env is {name!r}, but must be an environment of cdk.json: dev, staging, prod, local.")


@pytest.mark.parametrize("name", ["Dev", "1st", "a_b", "a" * 21])
def test_a_name_that_aws_would_refuse_in_resource_names_is_refused_here(entry: dict[str, Any], name: str) -> None:
    assert mistake(entry, name).startswith(f"environments.{name} is not a valid name; use 1 to 20 lower-case letters")


def test_the_longest_environment_name_makes_valid_function_names(entry: dict[str, Any]) -> None:
    environment = Environment.from_context("a" * 20, {"environments": {"a" * 20: entry}})
    assert max(len(f"{environment.prefix}-{function}") for function in FUNCTIONS) <= 64


def test_a_missing_key_is_named_with_its_path(entry: dict[str, Any]) -> None:
    del entry["transcription"]["concurrent_jobs"]
    assert mistake(entry) == (
        "environments.local.transcription.concurrent_jobs is missing; it must be a whole number from 1 to 10000."
    )


def test_an_unknown_key_of_a_cohort_is_named_with_its_path(entry: dict[str, Any]) -> None:
    entry["audience"]["cohorts"]["diabetes"]["term"] = "asthma"
    assert mistake(entry).startswith(
        "environments.local.audience.cohorts.diabetes.term is not a known key; allowed here: category"
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
    entry["audience"]["cohorts"]["hypertension"]["terms"] = terms
    assert mistake(entry).startswith("environments.local.audience.cohorts.hypertension.terms")


def test_more_than_everyone_cannot_be_exported(entry: dict[str, Any]) -> None:
    entry["audience"]["cohorts"]["hypertension"]["export"] = {"type": "PERCENTAGE", "value": 101}
    assert mistake(entry) == (
        "environments.local.audience.cohorts.hypertension.export.value is 101, "
        "but must be from 1 to 100 for a PERCENTAGE."
    )
    entry["audience"]["cohorts"]["hypertension"]["export"] = {"type": "ABSOLUTE", "value": 101}
    Environment.from_context("local", {"environments": {"local": entry}})


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


def with_sql_cohort(entry: dict[str, Any], name: str = "claims", **changes: object) -> dict[str, Any]:
    entry["audience"]["sql_cohorts"] = {name: {"seedAudience": SEED_AUDIENCE, "export": None, **changes}}
    collaboration = "01234567-89ab-cdef-0123-456789abcdef"
    entry["parameters"]["StartAudienceGenerationJob"]["collaborationId"] = collaboration
    return entry


def test_a_seed_may_be_selected_by_a_query(entry: dict[str, Any]) -> None:
    environment = Environment.from_context("local", {"environments": {"local": with_sql_cohort(entry)}})
    assert environment.audience.sql_cohorts[0].seedAudience == SEED_AUDIENCE


def test_a_query_needs_the_collaboration_that_it_runs_in(entry: dict[str, Any]) -> None:
    with_sql_cohort(entry)["parameters"]["StartAudienceGenerationJob"]["collaborationId"] = None
    told = "environments.local.parameters.StartAudienceGenerationJob.collaborationId, which is not set"
    assert told in mistake(entry)


def test_a_wrong_query_is_told_with_its_cohort(entry: dict[str, Any]) -> None:
    assert mistake(with_sql_cohort(entry, seedAudience={})).startswith(
        "environments.local.audience.sql_cohorts.claims.seedAudience: "
    )


def test_two_cohorts_of_the_same_name_would_share_a_seed(entry: dict[str, Any]) -> None:
    assert mistake(with_sql_cohort(entry, "asthma")) == (
        "environments.local.audience.sql_cohorts.asthma has the name of an earlier cohort."
    )


def merged(context: dict[str, Any], entry: dict[str, Any], **defaults: object) -> Environment:
    """An environment of this entry, over the defaults of the project with these keys changed."""
    changed = {**context["defaults"], **defaults}
    return Environment.from_context("qa", {"environments": {"qa": entry}, "defaults": changed})


def wrong(context: dict[str, Any], entry: dict[str, Any], **defaults: object) -> str:
    with pytest.raises(ConfigurationError) as raised:
        merged(context, entry, **defaults)
    return str(raised.value)


KEPT = {"retain_data": True}


def test_an_environment_has_the_defaults_that_it_does_not_change(context: dict[str, Any]) -> None:
    plain = merged(context, KEPT)
    changed = merged(context, KEPT | {"costs": {"batch_ceiling_usd": 7}})
    assert changed == replace(plain, costs=replace(plain.costs, batch_ceiling_usd=7.0))


def test_whether_data_is_retained_is_for_each_environment_to_say(context: dict[str, Any]) -> None:
    assert wrong(context, {}) == "environments.qa.retain_data is missing; it must be true or false."


def test_null_replaces_a_default_and_a_list_replaces_a_list(context: dict[str, Any]) -> None:
    assert context["defaults"]["recordings_expire_after_days"] == 365
    assert merged(context, KEPT | {"recordings_expire_after_days": None}).recordings_expire_after_days is None
    monitoring = {**context["defaults"]["monitoring"], "alarm_emails": ["a@example.org", "b@example.org"]}
    entry = KEPT | {"monitoring": {"alarm_emails": ["c@example.org"]}}
    assert merged(context, entry, monitoring=monitoring).monitoring.alarm_emails == ("c@example.org",)


def test_a_cohort_is_written_once_for_all_environments(context: dict[str, Any]) -> None:
    audience = copy.deepcopy(context["defaults"]["audience"])
    audience["cohorts"]["copd"] = {"terms": ["copd"]}
    entry = KEPT | {"audience": {"cohorts": {"*": {"minimum_seed_size": 25}, "hypertension": None}}}
    (copd,) = merged(context, entry, audience=audience).audience.cohorts
    assert (copd.name, copd.terms, copd.minimum_seed_size, copd.minimum_score) == ("copd", ("copd",), 25, 0.8)


def test_a_wrong_default_is_told_with_the_place_where_it_is_written(context: dict[str, Any]) -> None:
    assert wrong(context, KEPT, batch_size=0) == (
        "environments.qa.batch_size (from defaults.batch_size) is 0, but must be a whole number from 1 to 5000."
    )
    assert wrong(context, KEPT, batch=1).startswith(
        "environments.qa.batch (from defaults.batch) is not a known key; allowed here: retain_data, "
    )
    monitoring = {**context["defaults"]["monitoring"], "alarm_emails": ["a@example.org", "b"]}
    assert wrong(context, KEPT, monitoring=monitoring).startswith(
        'environments.qa.monitoring.alarm_emails[1] (from defaults.monitoring.alarm_emails[1]) is "b", but'
    )


def test_a_parameter_that_the_service_would_refuse_is_told_with_the_place_where_it_is_written(
    context: dict[str, Any],
) -> None:
    operation = "StartMedicalTranscriptionJob"
    defaults = copy.deepcopy(context["defaults"]["parameters"])
    defaults[operation]["LanguageCode"] = "en-GB"
    entry = KEPT | {"parameters": {operation: {"Type": "SONG", "Settings": {"MaxAlternatives": 2}}}}
    of_default, of_entry, of_pair = wrong(context, entry, parameters=defaults).splitlines()
    assert of_default.startswith(
        f"environments.qa.parameters.{operation} (from defaults.parameters.{operation}.LanguageCode): LanguageCode is"
    )
    assert of_entry.startswith(f"environments.qa.parameters.{operation}: Type is")
    assert of_pair.startswith(f"environments.qa.parameters.{operation}: Settings.MaxAlternatives is 2, but")


def test_a_rule_between_several_settings_tells_where_the_wrong_one_is_written(context: dict[str, Any]) -> None:
    audience = copy.deepcopy(context["defaults"]["audience"])
    audience["cohorts"]["*"]["export"] = {"type": "PERCENTAGE", "value": 101}
    assert wrong(context, KEPT, audience=audience) == (
        "environments.qa.audience.cohorts.hypertension.export.value (from defaults.audience.cohorts.*.export.value) "
        "is 101, but must be from 1 to 100 for a PERCENTAGE."
    )
    audience["cohorts"]["*"]["export"] = None
    audience["sql_cohorts"] = {"claims": {"seedAudience": {"sqlParameters": {}}, "export": None}}
    assert wrong(context, KEPT, audience=audience).startswith(
        "environments.qa.audience.sql_cohorts.claims.seedAudience "
        "(from defaults.audience.sql_cohorts.claims.seedAudience.sqlParameters): sqlParameters has neither"
    )
