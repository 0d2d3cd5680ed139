import re
from typing import Any

import pytest

from lambdas.rules.clean_rooms_ml import (
    OPERATION,
    SEED_SET_BY_PIPELINE,
    SERVICE,
    SET_BY_PIPELINE,
    request_problems,
    seed_audience_problems,
    settings_problems,
)
from lambdas.rules.sdk_model import input_shape

SHAPE = input_shape(SERVICE, OPERATION)
SETTABLE = {"configuredAudienceModelArn", "includeSeedInOutput", "collaborationId", "description", "tags"}
SEED_SETTABLE = {"sqlParameters", "sqlComputeConfiguration"}
TEMPLATE = "arn:aws:cleanrooms:us-east-1:123456789012:membership/m-1/analysistemplate/t-1"
WORKERS = {"worker": {"type": "CR.1X", "number": 2, "properties": {"spark": {"spark.sql.shuffle.partitions": "8"}}}}
ASKED: dict[str, Any] = {
    "configuredAudienceModelArn": "arn:aws:cleanrooms-ml:us-east-1:123456789012:configured-audience-model/m",
    "includeSeedInOutput": False,
    "collaborationId": "0123abcd-0123-abcd-0123-0123456789ab",
    "description": "cohort diabetes\r\n",
    "tags": {"Department": ""},
}
SQL = {"sqlParameters": {"queryString": "SELECT user_id FROM people"}, "sqlComputeConfiguration": WORKERS}
REQUEST: dict[str, Any] = {
    **ASKED,
    "name": "clinical-media-dev-0123abcd-1",
    "seedAudience": {
        "roleArn": "arn:aws:iam::123456789012:role/seed-reader",
        "dataSource": {"s3Uri": "s3://audience/seeds/diabetes/0123abcd.jsonl"},
    },
}


def seeded(**seed: Any) -> dict[str, Any]:
    return {"seedAudience": {"roleArn": "arn:aws:iam::123456789012:role/seed-reader", **seed}}


def test_a_typical_request_has_no_problems() -> None:
    assert settings_problems(ASKED, SHAPE) == []
    assert settings_problems({}, SHAPE) == []
    assert seed_audience_problems(SQL, SHAPE) == []
    assert request_problems(REQUEST, SHAPE) == []
    assert request_problems({**REQUEST, **seeded(**SQL)}, SHAPE) == []


def test_every_member_of_the_request_is_the_pipelines_or_a_persons_to_set() -> None:
    assert set(SHAPE.members) == SETTABLE | SET_BY_PIPELINE
    assert not SETTABLE & SET_BY_PIPELINE


def test_every_member_of_a_seed_is_the_pipelines_or_a_persons_to_set() -> None:
    seed = SHAPE.members["seedAudience"]
    assert set(seed.members) == SEED_SETTABLE | SEED_SET_BY_PIPELINE  # type: ignore[attr-defined]
    assert not SEED_SETTABLE & SEED_SET_BY_PIPELINE


@pytest.mark.parametrize("name", sorted(SET_BY_PIPELINE))
def test_what_the_pipeline_sets_is_refused(name: str) -> None:
    problems = settings_problems({**ASKED, name: REQUEST[name]}, SHAPE)
    assert problems == [f"{name} is set by the pipeline itself; leave it out of StartAudienceGenerationJob."]


@pytest.mark.parametrize("name", sorted(SEED_SET_BY_PIPELINE))
def test_what_the_pipeline_sets_of_a_seed_is_refused(name: str) -> None:
    problems = seed_audience_problems({**SQL, name: REQUEST["seedAudience"][name]}, SHAPE)
    assert problems == [f"{name} is set by the pipeline itself; leave it out of seedAudience."]


@pytest.mark.parametrize(
    "change",
    [
        {"includeSeedInOutput": True},
        {"collaborationId": None},
        {"description": ""},
        {"description": "d" * 255},
        {"description": "\U0001f600"},
        {"tags": {}},
        {"tags": {str(n): "aws:value" for n in range(50)}},
        {"tags": {"k" * 128: "v" * 256, "Team": "", "team": "", "aws": "", "laws:": ""}},
    ],
)
def test_what_is_just_inside_a_rule_is_taken(change: dict[str, Any]) -> None:
    assert settings_problems({**ASKED, **change}, SHAPE) == []
    assert request_problems({**REQUEST, **change}, SHAPE) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"configuredAudienceModelArn": "arn:aws:cleanrooms-ml:us-east-1:1:x"},
            "configuredAudienceModelArn is .* match",
        ),
        ({"includeSeedInOutput": "true"}, 'includeSeedInOutput is "true"; .* takes true or false.'),
        ({"collaborationId": "0123ABCD-0123-abcd-0123-0123456789ab"}, "collaborationId is .* that matches"),
        ({"description": "d" * 256}, "description is .* with 256 characters; .* takes 0 to 255."),
        ({"description": "\x00"}, "description is .* that matches"),
        ({"tags": {str(n): "" for n in range(51)}}, "tags has 51 tags; StartAudienceGenerationJob takes up to 50."),
        ({"tags": {"a": "", "Aws:b": ""}}, r'tags \(key 2\) is "Aws:b"; keys that begin with aws: are reserved'),
        ({"tags": {"k" * 129: ""}}, r"tags \(key 1\) is .* with 129 characters"),
        ({"tags": {"k": "v" * 257}}, r"tags \(value 1\) is .* with 257 characters"),
        ({"tags": [{"Key": "k"}]}, "tags is a list; .* takes an object."),
        ({"collaboration": "c"}, "collaboration is no parameter of StartAudienceGenerationJob; known here: "),
    ],
)
def test_what_is_just_outside_a_rule_is_told(change: dict[str, Any], sentence: str) -> None:
    for problems in (settings_problems({**ASKED, **change}, SHAPE), request_problems({**REQUEST, **change}, SHAPE)):
        assert len(problems) == 1, problems
        assert re.match(sentence, problems[0]), problems


@pytest.mark.parametrize(
    "seed",
    [
        {"sqlParameters": {"analysisTemplateArn": TEMPLATE, "parameters": {"p" * 100: "v" * 1000}}},
        {"sqlParameters": {"queryString": "q" * 500_000}},
        {**SQL, "sqlComputeConfiguration": {"worker": {"type": "CR.4X", "number": 1024}}},
        {**SQL, "sqlComputeConfiguration": {"worker": {"properties": {"spark": {str(n): "" for n in range(50)}}}}},
        {**SQL, "sqlComputeConfiguration": None, "dataSource": None, "roleArn": None},
    ],
)
def test_a_query_just_inside_the_rules_is_taken(seed: dict[str, Any]) -> None:
    assert seed_audience_problems(seed, SHAPE) == []
    assert request_problems({**REQUEST, **seeded(**{**seed, **seeded()["seedAudience"]})}, SHAPE) == []


@pytest.mark.parametrize(
    ("seed", "sentence"),
    [
        ({"sqlParameters": {}}, "sqlParameters has neither of queryString and analysisTemplateArn; "),
        (
            {"sqlParameters": {"queryString": "secret", "analysisTemplateArn": TEMPLATE}},
            "sqlParameters has both of queryString and analysisTemplateArn; .* takes exactly one of them.",
        ),
        ({"sqlParameters": {"queryString": "secret" * 83_334}}, "sqlParameters.queryString has 500004 characters"),
        ({"sqlParameters": {"queryString": ["secret"]}}, "sqlParameters.queryString is a list; .* takes a text."),
        (
            {"sqlParameters": {"analysisTemplateArn": "secret"}},
            r"sqlParameters.analysisTemplateArn is a text \(not shown",
        ),
        (
            {"sqlParameters": {"queryString": "q", "parameters": {"secret!": "v"}}},
            r"sqlParameters.parameters \(key 1\) is a text \(not shown\); ",
        ),
        ({"sqlParameters": "secret"}, r"sqlParameters is a text \(not shown\); .* takes an object."),
        ({**SQL, "sqlComputeConfiguration": {}}, "sqlComputeConfiguration has 0 members; .* exactly one of worker."),
        (
            {**SQL, "sqlComputeConfiguration": {"worker": {"type": "CR.2X"}}},
            'sqlComputeConfiguration.worker.type is "CR.2X"; .* takes "CR.1X", "CR.4X"',
        ),
        (
            {**SQL, "sqlComputeConfiguration": {"worker": {"number": 1}}},
            "sqlComputeConfiguration.worker.number is 1; .* takes 2 to 1024.",
        ),
        (
            {**SQL, "sqlComputeConfiguration": {"worker": {"number": 1025}}},
            "sqlComputeConfiguration.worker.number is 1025; .* takes 2 to 1024.",
        ),
        (
            {**SQL, "sqlComputeConfiguration": {"worker": {"properties": {"spark": {str(n): "" for n in range(51)}}}}},
            "sqlComputeConfiguration.worker.properties.spark has 51 pairs; .* takes 0 to 50.",
        ),
    ],
)
def test_a_query_just_outside_a_rule_is_told_without_the_query(seed: dict[str, Any], sentence: str) -> None:
    (problem,) = seed_audience_problems(seed, SHAPE)
    assert re.match(sentence, problem), problem
    (of_request,) = request_problems({**REQUEST, **seeded(**seed)}, SHAPE)
    assert of_request == f"seedAudience.{problem}"
    assert "secret" not in problem


def test_a_cohort_of_sql_needs_its_query() -> None:
    assert seed_audience_problems({}, SHAPE) == ["sqlParameters is missing; a cohort of SQL needs its query."]
    assert len(seed_audience_problems({"sqlComputeConfiguration": WORKERS}, SHAPE)) == 2
    assert seed_audience_problems("SELECT", SHAPE) == [
        "seedAudience is a text; StartAudienceGenerationJob takes an object."
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "n" * 63},
        {"name": "."},
        seeded(dataSource={"s3Uri": "s3://" + "k" * 1280}),
        {"seedAudience": {**REQUEST["seedAudience"], "roleArn": "arn:aws-us-gov:iam::123456789012:role/r"}},
    ],
)
def test_a_complete_request_just_inside_the_rules_is_taken(change: dict[str, Any]) -> None:
    assert request_problems({**REQUEST, **change}, SHAPE) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "n" * 64}, "name is .* with 64 characters; .* takes 1 to 63."),
        ({"name": " \t"}, r'name is " \\t"; .* that matches'),
        ({"name": None}, "name is missing; StartAudienceGenerationJob needs it."),
        ({"configuredAudienceModelArn": None}, "configuredAudienceModelArn is missing"),
        ({"seedAudience": None}, "seedAudience is missing"),
        ({"seedAudience": "s3://b/k"}, 'seedAudience is "s3://b/k"; .* takes an object.'),
        (seeded(), "seedAudience has neither of dataSource and sqlParameters; .* takes exactly one of them."),
        (seeded(**SQL, dataSource={"s3Uri": "s3://b/k"}), "seedAudience has both of dataSource and sqlParameters; "),
        (
            seeded(dataSource={"s3Uri": "s3://b/k"}, sqlComputeConfiguration=WORKERS),
            "seedAudience.sqlComputeConfiguration is given without sqlParameters; .* for a query only.",
        ),
        (seeded(dataSource={"s3Uri": "https://b/k"}), "seedAudience.dataSource.s3Uri is .* that matches"),
        (
            seeded(dataSource={"s3Uri": "s3://" + "k" * 1281}),
            "seedAudience.dataSource.s3Uri is .* with 1286 characters",
        ),
        (seeded(dataSource={}), "seedAudience.dataSource.s3Uri is missing"),
        (seeded(dataSource={"s3Uri": "s3://b/k"}, roleArn=None), "seedAudience.roleArn is missing"),
        (
            seeded(dataSource={"s3Uri": "s3://b/k"}, roleArn="a-role-without-an-arn"),
            "seedAudience.roleArn is .* matches",
        ),
        (
            {**seeded(**SQL), "collaborationId": None},
            "collaborationId is missing; .* needs it for seedAudience.sqlPara",
        ),
    ],
)
def test_a_complete_request_just_outside_a_rule_is_told(change: dict[str, Any], sentence: str) -> None:
    (problem,) = request_problems({**REQUEST, **change}, SHAPE)
    assert re.match(sentence, problem), problem


@pytest.mark.parametrize("parameters", [None, [], "Job", {"tags": 1, "seedAudience": []}])
def test_what_has_the_wrong_shape_is_told_instead_of_failing(parameters: Any) -> None:
    assert settings_problems(parameters, SHAPE)
    assert request_problems(parameters, SHAPE)
