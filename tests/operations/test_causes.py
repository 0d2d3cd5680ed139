"""The message is extracted from the cause of a failure."""

import json

import pytest

from operations.causes import plain

SENTENCE = 'Transcribe refuses "visit": Access denied.'
OF_A_FUNCTION = json.dumps(
    {
        "errorMessage": SENTENCE,
        "errorType": "JobFailed",
        "requestId": "5a8c",
        "stackTrace": ['  File "/var/task/lambdas/jobs.py", line 9, in poll\n    raise JobFailed(reason)\n'],
    }
)
STACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\n'
QUOTED = "The JSONPath '$.b' for the field 'c' could not be found in the input '{}'"


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (OF_A_FUNCTION, SENTENCE),
        (json.dumps(OF_A_FUNCTION), SENTENCE),
        (json.dumps({"Error": "JobFailed", "Cause": OF_A_FUNCTION, "Input": '{"a": 1}'}), SENTENCE),
        (json.dumps({"errorMessage": OF_A_FUNCTION, "errorType": "States.TaskFailed"}), SENTENCE),
        (f"Lambda did not return an error type. Returned payload: {OF_A_FUNCTION}", None),
        ("Access denied (Service: AmazonS3; Status Code: 403)", "Access denied (Service: AmazonS3; Status Code: 403)"),
        ("The specified tolerated failure threshold was exceeded", None),
        (json.dumps({"errorMessage": None, "errorType": "KeyError"}), "KeyError"),
        (json.dumps({"errorMessage": "", "errorType": "Runtime.ExitError", "stackTrace": []}), "Runtime.ExitError"),
        (json.dumps({"errorMessage": "first\n  second", "errorType": "E"}), "first second"),
        (
            json.dumps({"errorMessage": f"{STACK}ValueError: no"}),
            "ValueError: no",
        ),
        (f"Broken. {STACK}", "Broken. …"),
        (QUOTED.format(json.dumps({"media": ["s3://b/k"]})), QUOTED.format("…")),
        (QUOTED.format('{"media": ["s3://b/k", "s3'), QUOTED.format("…").removesuffix("'")),
        ("The file p-1/{a}.wav is empty.", "The file p-1/{a}.wav is empty."),
        ('{"unknown": {"a": 1}}', "no reason is given"),
        ('{"stackTrace": ["a.py"], "errorMess', "no reason is given"),
        ("None", "no reason is given"),
        ("", "no reason is given"),
        (None, "no reason is given"),
        ('{"a":' * 9999, "no reason is given"),
    ],
)
def test_the_sentence_is_told_without_json_and_stack_trace(cause: str | None, told: str | None) -> None:
    expected = told if told is not None else str(cause).replace(OF_A_FUNCTION, SENTENCE)
    assert plain(cause) == expected


@pytest.mark.parametrize("length", range(1, len(OF_A_FUNCTION)))
def test_a_cause_that_is_cut_off_anywhere_is_told_as_far_as_it_goes(length: int) -> None:
    told = plain(OF_A_FUNCTION[:length])
    assert SENTENCE.startswith(told.removesuffix("…")) or told == "no reason is given"
    assert "stackTrace" not in told


def test_an_escape_that_is_cut_off_is_left_out() -> None:
    whole = json.dumps({"errorMessage": "Dépassé"})
    for length in range(whole.index("D") + 1, len(whole)):
        told = plain(whole[:length])
        assert "Dépassé".startswith(told.removesuffix("…")), told
