import time
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.shared.analysis_items import CompactionAtWork, alone_with
from operations.deployed import Connection, Deployed
from operations.forgetting import compactions
from tests.operations.buckets import BUCKETS
from tests.operations.test_ledger import create_table

DEPLOYED = Deployed(Connection(boto3.Session(region_name="us-east-1"), None), "p", BUCKETS, "ledger", "members", "", {})


@pytest.fixture(autouse=True)
def ledger(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LEDGER_TABLE", "ledger")
    with mock_aws():
        yield create_table("ledger", pk="HASH")


def waited_for(monkeypatch: pytest.MonkeyPatch, *meanwhile: Any) -> list[int]:
    """What is reported while each of `meanwhile` happens in a pause."""
    happening, reported = iter(meanwhile), list[int]()
    monkeypatch.setattr("operations.forgetting.compactions.time.sleep", lambda _: next(happening)())
    compactions.wait_for_compactions(DEPLOYED, reported.append)
    assert next(happening, None) is None
    return reported


def test_without_a_compaction_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with alone_with("a"):
        pass
    assert waited_for(monkeypatch) == []


def test_those_at_work_are_waited_for_and_not_those_that_begin_later(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, later = alone_with("a"), alone_with("f"), alone_with("a")
    first.__enter__()
    second.__enter__()

    def next_one() -> None:
        first.__exit__(None, None, None)
        later.__enter__()

    assert waited_for(monkeypatch, next_one, lambda: second.__exit__(None, None, None)) == [0, 1, 1]
    with pytest.raises(CompactionAtWork), alone_with("a"):
        pass


def test_one_that_was_killed_is_waited_for_until_lambda_must_have_ended_it(
    ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    ledger.put_item(Item={"pk": "compaction#0", "until": int(now) + 5, "owner": "killed"})
    assert waited_for(
        monkeypatch, lambda: monkeypatch.setattr("operations.forgetting.compactions.time.time", lambda: now + 6)
    ) == [0, 1]
