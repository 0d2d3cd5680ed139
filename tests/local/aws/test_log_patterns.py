import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.log_json_patterns import InvalidPattern
from local.aws.log_patterns import compiled
from local.server import LocalAws

LINE = json.dumps(
    {
        "level": "INFO",
        "message": "a job has started",
        "count": 3,
        "ok": True,
        "none": None,
        "job": {"name": "transcription-7", "tags": ["a", "b"]},
    }
)


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.level = "INFO" }',
        "{ $.level = INFO }",
        '{ $.level != "ERROR" }',
        '{ $.job.name = "transcription-*" }',
        '{ $.job.tags[1] = "b" }',
        '{ $["level"] = "INFO" }',
        "{ $.count = 3 }",
        "{ $.count > 2.5 && $.count <= 3 }",
        '{ ($.level = "ERROR") || ($.count >= 3) }',
        '{ $.level = "ERROR" || $.level = "INFO" && $.count < 4 }',
        "{ $.ok IS TRUE }",
        "{ $.none IS NULL }",
        "{ $.absent NOT EXISTS }",
        "{ $.message = %st.rted$% }",
        "",
        "INFO",
        "job started",
        '"a job has"',
        "?ERROR ?INFO",
        "INFO -ERROR",
        "%transcription-[0-9]%",
        "INFO ?ERROR",
    ],
)
def test_a_line_matches_the_pattern(pattern: str) -> None:
    assert compiled(pattern)(LINE)


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.level = "ERROR" }',
        '{ $.level = "INF" }',
        '{ $.absent != "ERROR" }',
        '{ $.count = "3" }',
        "{ $.count > 3 }",
        "{ $.level > 3 }",
        '{ ($.level = "ERROR" || $.level = "INFO") && $.count < 3 }',
        "{ $.ok IS FALSE }",
        "{ $.level NOT EXISTS }",
        '{ $.job.tags[2] = "b" }',
        "ERROR",
        '"job a"',
        "?ERROR ?WARNING",
        "INFO -started",
        "-INFO",
        "info",
    ],
)
def test_a_line_does_not_match_the_pattern(pattern: str) -> None:
    assert not compiled(pattern)(LINE)


def test_a_line_that_is_not_json_matches_no_pattern_for_json() -> None:
    assert not compiled('{ $.level != "ERROR" }')("START RequestId: 1")


@pytest.mark.parametrize(
    "pattern",
    [
        "[ip, user]",
        "{ $.level = }",
        "{ level = 1 }",
        "{ $.a > b }",
        "{ $.a = 1",
        "{ ($.a = 1 }",
        "{ $.a IS LATE }",
        "%(%",
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        compiled(pattern)


def test_events_are_filtered_by_their_pattern(local_aws: LocalAws) -> None:
    logs: Any = local_aws.client("logs")
    logs.create_log_group(logGroupName="filtered")
    logs.create_log_stream(logGroupName="filtered", logStreamName="stream")
    now = int(time.time() * 1000)
    lines = [json.dumps({"level": level}) for level in ("INFO", "ERROR")]
    events = [{"timestamp": now, "message": line} for line in lines]
    logs.put_log_events(logGroupName="filtered", logStreamName="stream", logEvents=events)
    found = logs.filter_log_events(logGroupName="filtered", filterPattern='{ $.level = "ERROR" }')["events"]
    assert [event["message"] for event in found] == lines[1:]
    with pytest.raises(ClientError, match="Invalid filter pattern: patterns for space-delimited lines") as refused:
        logs.filter_log_events(logGroupName="filtered", filterPattern="[a, b]")
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
