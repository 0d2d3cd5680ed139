"""The services' limits for values of cdk.json: the last allowed value and the first refused one."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from infra.environment import Environment
from infra.settings import ConfigurationError
from infra.stack import PipelineStack


@pytest.fixture
def entry(environments: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = copy.deepcopy(environments["local"])
    return copied


def read(entry: dict[str, Any]) -> Environment:
    return Environment.from_context("local", {"environments": {"local": entry}})


@pytest.mark.parametrize("size", [25, 500_000])
def test_a_seed_may_have_as_many_people_as_the_service_takes(entry: dict[str, Any], size: int) -> None:
    entry["audience"]["cohorts"]["hypertension"]["minimum_seed_size"] = size
    assert read(entry).audience.cohorts[0].minimum_seed_size == size


@pytest.mark.parametrize("size", [24, 500_001])
def test_a_seed_may_not_have_fewer_or_more_people_than_the_service_takes(entry: dict[str, Any], size: int) -> None:
    entry["audience"]["cohorts"]["hypertension"]["minimum_seed_size"] = size
    with pytest.raises(ConfigurationError, match=f"minimum_seed_size is {size}, but must be .* from 25 to 500000"):
        read(entry)


def test_a_document_may_be_as_long_as_the_service_takes_and_no_longer(entry: dict[str, Any]) -> None:
    entry["entity_detection"]["maximum_document_bytes"] = 40_000
    assert read(entry).entity_detection.maximum_document_bytes == 40_000
    entry["entity_detection"]["maximum_document_bytes"] = 40_001
    with pytest.raises(ConfigurationError, match=r"maximum_document_bytes is 40001, but must be .* to 40000"):
        read(entry)


@pytest.mark.parametrize(("setting", "value"), [("batch_size", 5_001), ("maximum_document_bytes", 24_999)])
def test_a_batch_that_a_step_might_not_finish_is_refused(entry: dict[str, Any], setting: str, value: int) -> None:
    (entry if setting in entry else entry["entity_detection"])[setting] = value
    with pytest.raises(ConfigurationError, match=f"{setting} is {value}, but must be a whole number from"):
        read(entry)


def test_an_export_may_be_as_large_as_the_service_takes_and_no_larger(entry: dict[str, Any]) -> None:
    for value in (1, 20_000_000):
        entry["audience"]["cohorts"]["hypertension"]["export"] = {"type": "ABSOLUTE", "value": value}
        read(entry)
    for value in (0, 20_000_001):
        entry["audience"]["cohorts"]["hypertension"]["export"] = {"type": "ABSOLUTE", "value": value}
        with pytest.raises(ConfigurationError, match=rf"export\.value is {value}, but must be .* from 1 to 20000000"):
            read(entry)


def test_a_query_that_lambda_cannot_take_is_reported_with_its_size(
    entry: dict[str, Any], new_stack: Callable[..., PipelineStack]
) -> None:
    seed_audience = {"sqlParameters": {"queryString": "q" * 4096}}
    entry["audience"]["sql_cohorts"] = {"claims": {"seedAudience": seed_audience, "export": None}}
    asked = entry["parameters"]["StartAudienceGenerationJob"]
    asked["collaborationId"] = "01234567-89ab-cdef-0123-456789abcdef"
    told = r"environments\.local\.audience\.sql_cohorts, .* takes \d+ of the \d+ bytes of .* Lambda allows 4096"
    with pytest.raises(ConfigurationError, match=told):
        new_stack("local", audience=entry["audience"], parameters=entry["parameters"])
