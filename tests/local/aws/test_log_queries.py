import datetime
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.log_query_filters import MalformedQuery, condition
from local.server import LocalAws

# Logs takes no older lines than of two weeks.
BEGIN = int(time.time()) - 60
LINES = [
    {"level": "INFO", "seconds": 9, "job": {"name": "a", "tags": ["x", "y"]}},
    {"level": "ERROR", "seconds": 10, "message": "it failed | at once"},
    "START RequestId: 1",
]
FIELDS = {"level": "INFO", "seconds": "9", "job.name": "transcription-7", "ok": "true"}


@pytest.fixture(scope="module")
def logs(local_aws: LocalAws) -> Iterator[Any]:
    client = local_aws.client("logs")
    client.create_log_group(logGroupName="queried")
    client.create_log_stream(logGroupName="queried", logStreamName="stream")
    messages = [line if isinstance(line, str) else json.dumps(line) for line in LINES]
    events = [{"timestamp": (BEGIN + second) * 1000, "message": line} for second, line in enumerate(messages)]
    client.put_log_events(logGroupName="queried", logStreamName="stream", logEvents=events)
    yield client


def query(logs: Any, text: str, begin: int = BEGIN, end: int = BEGIN + 60) -> list[dict[str, str]]:
    """The results without their pointers."""
    started = logs.start_query(logGroupName="queried", startTime=begin, endTime=end, queryString=text)
    answer = logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    rows = [{field["field"]: field["value"] for field in row} for row in answer["results"]]
    assert all(row.pop("@ptr") for row in rows)
    return rows


def test_fields_are_those_of_the_lines_and_their_own(logs: Any) -> None:
    assert query(logs, "fields level, job.name, job.tags.1 | sort @timestamp asc") == [
        {"level": "INFO", "job.name": "a", "job.tags.1": "y"},
        {"level": "ERROR"},
        {},
    ]
    last = datetime.datetime.fromtimestamp(BEGIN + 2, datetime.UTC)
    assert query(logs, "fields @timestamp, @logStream, @log | limit 1") == [
        {"@timestamp": f"{last:%Y-%m-%d %H:%M:%S}.000", "@logStream": "stream", "@log": "123456789012:queried"}
    ]


def test_without_fields_the_latest_lines_come_first(logs: Any) -> None:
    found = query(logs, "limit 2")
    assert [row["@message"] for row in found] == [LINES[2], json.dumps(LINES[1])]
    assert found[0].keys() == {"@timestamp", "@message"}


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ('fields level | filter level = "ERROR"', ["ERROR"]),
        ("fields level | filter ispresent(level) | sort seconds desc", ["ERROR", "INFO"]),
        ("fields level | filter seconds > 1 | sort seconds asc", ["INFO", "ERROR"]),
        ("fields level | filter message like 'failed | at'", ["ERROR"]),
        ("fields level | filter @message like /fail.d \\| at/", ["ERROR"]),
        ('# a comment\nfields level\n| filter level in ["INFO", "DEBUG"]', ["INFO"]),
        ("fields seconds | display level | filter ispresent(level) | limit 1", ["ERROR"]),
    ],
)
def test_lines_are_filtered_and_sorted(logs: Any, text: str, levels: list[str]) -> None:
    assert query(logs, text) == [{"level": level} for level in levels]


def test_only_lines_of_the_time_are_found(logs: Any) -> None:
    assert query(logs, "fields level", begin=BEGIN + 1, end=BEGIN + 1) == [{"level": "ERROR"}]


@pytest.mark.parametrize(
    "text", ["stats count(*) by level", "fields upper(level)", "limit many", "sort level up", "filter level ="]
)
def test_what_is_not_evaluated_is_refused(logs: Any, text: str) -> None:
    with pytest.raises(ClientError) as refused:
        query(logs, text)
    assert refused.value.response["Error"]["Code"] == "MalformedQueryException"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('level = "INFO"', True),
        ("level != 'INFO'", False),
        ("absent != 'INFO'", True),
        ("seconds = 9.0", True),
        ("seconds >= 10 or ok = true", True),
        ("seconds < 10 and not level = 'INFO'", False),
        ("(seconds < 1 or seconds > 8) and `job.name` like /^trans/", True),
        ("level not like 'INF'", False),
        ("level =~ /^I/", True),
        ("level not in ['DEBUG', 'ERROR']", True),
        ("level > 3", False),
    ],
)
def test_a_condition_holds_or_not(text: str, expected: bool) -> None:
    assert condition(text)(FIELDS) is expected


@pytest.mark.parametrize(
    "text", ["", "level", "(level = 1", "level = 1 2", "level > 'a'", "ispresent(level", "a in 1", ";"]
)
def test_a_wrong_condition_is_refused(text: str) -> None:
    with pytest.raises(MalformedQuery):
        condition(text)
