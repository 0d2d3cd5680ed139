"""The buttons, and the answers to failures."""

import json
import logging
from typing import Any

import pytest
from werkzeug.test import Client

from local.console import view
from local.console.app import application
from tests.local.console.conftest import ORIGIN, Stage


def test_redrive_redrives(stage: Stage) -> None:
    stage.ended("drop-1", {"media": []})
    assert stage.post("/executions/drop-1/redrive").json == {"name": "drop-1"}
    assert [(item["name"], item["redriveCount"]) for item in stage.executions()] == [("drop-1", 1)]


def test_start_again_starts_another_with_the_same_input(stage: Stage) -> None:
    stage.ended("drop-1", {"media": ["s3://media/media/p-1/a.wav"]})
    name = json.loads(stage.post("/executions/drop-1/again").data)["name"]
    assert {item["name"] for item in stage.executions()} == {"drop-1", name}
    assert json.loads(stage.get(f"/executions/{name}").data)["media"] == {"files": ["p-1/a.wav"], "number": 1}


def test_what_can_not_be_redriven_is_told(stage: Stage) -> None:
    stage.ended("drop-1", {"succeeds": True})
    answer = stage.post("/executions/drop-1/redrive")
    assert answer.status_code == 400
    assert "drop-1 can't be redriven" in answer.text


def test_an_execution_that_is_not_there_is_told(stage: Stage) -> None:
    for name in ("none", "arn:aws:states:us-east-1:123456789012:execution:other:x", "%2e%2e", "a:b"):
        for answer in (
            stage.get(f"/executions/{name}"),
            stage.post(f"/executions/{name}/redrive"),
            stage.post(f"/executions/{name}/again"),
        ):
            assert answer.status_code == 400, name
            assert "no execution" in answer.text, name


def test_what_aws_refuses_is_told(stage: Stage) -> None:
    stage.aws.faults.inject("stepfunctions", "ListExecutions", "access_denied", times=10)
    answer = stage.get("/executions")
    assert answer.status_code == 502
    assert answer.text.startswith("AWS refused ListExecutions")


def test_a_local_aws_that_has_gone_is_told(stage: Stage) -> None:
    gone = stage.deployed._replace(connection=stage.deployed.connection._replace(endpoint_url="http://127.0.0.1:9"))
    answer = Client(application(gone)).get("/executions", base_url=ORIGIN["Origin"])
    assert answer.status_code == 502
    assert answer.text.startswith("Nobody answers at http://127.0.0.1:9/")


def test_what_nobody_foresaw_tells_neither_the_answer_nor_the_log_whom_it_was_about(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = "media/p-secret/visit.wav"

    def broken(deployed: Any) -> None:
        raise KeyError(key)

    monkeypatch.setattr(view, "overview", broken)
    with caplog.at_level(logging.DEBUG):
        answer = stage.get("/executions")
    assert answer.status_code == 500
    assert answer.text.startswith("Something unexpected happened (KeyError in test_app.py, line ")
    assert answer.text in caplog.text
    assert "p-secret" not in answer.text + caplog.text


def test_addresses_that_are_none_are_not_found(stage: Stage) -> None:
    for path in ("/page.html", "/../operations/errors.py", "/%2e%2e/app.py", "/executions/a/b", "/favicon.ico"):
        assert stage.get(path).status_code == 404
