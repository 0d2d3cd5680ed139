"""The checks of the ledger's table, with moto's behaviour and with faulty ones."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend

from operations.verify import ledger
from operations.verify.checks import Finding, Verdict, finding

KEY = "arn:aws:kms:us-east-1:123456789012:key/clinical"
TABLE = "ledger"


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY},
        )
        recover(client, True)
        yield client


def recover(dynamodb: Any, wanted: bool) -> None:
    dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": wanted}
    )


def found(point: str, *, clinical_key: str = KEY) -> Finding:
    (check,) = [check for check in ledger.CHECKS if check.point == point]
    observed: Any = SimpleNamespace(
        client=boto3.client,
        deployed=SimpleNamespace(ledger=TABLE),
        clinical_key=clinical_key,
    )
    return finding(check, observed)


def test_the_table_as_it_is_deployed_holds(dynamodb: Any) -> None:
    table = found("ledger")
    assert table.verdict is Verdict.HOLDS, table
    assert f"is ACTIVE, under {KEY}, point-in-time recovery is ENABLED" in table.evidence
    writes = found("ledger-writes")
    assert writes.verdict is Verdict.HOLDS, writes
    assert "a transaction with an unmet check: TransactionCanceledException [ConditionalC" in writes.evidence
    assert dynamodb.scan(TableName=TABLE)["Items"] == []


def test_another_key_and_no_recovery_are_refuted(dynamodb: Any) -> None:
    assert found("ledger", clinical_key="arn:aws:kms:us-east-1:123456789012:key/other").verdict is Verdict.REFUTED
    recover(dynamodb, False)
    assert found("ledger").verdict is Verdict.REFUTED


def test_a_write_that_heeds_no_condition_is_refuted(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    update = DynamoDBBackend.update_item

    def unconditionally(self: DynamoDBBackend, *given: Any, **named: Any) -> Any:
        return update(self, *given, **{**named, "condition_expression": None})

    monkeypatch.setattr(DynamoDBBackend, "update_item", unconditionally)
    writes = found("ledger-writes")
    assert writes.verdict is Verdict.REFUTED
    assert "a change of what isn't there: no refusal; left nothing: False" in writes.evidence
    assert dynamodb.scan(TableName=TABLE)["Items"] == []


def test_a_transaction_that_is_made_in_part_is_refuted(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    transact = DynamoDBBackend.transact_write_items

    def in_part(self: DynamoDBBackend, items: list[dict[str, Any]]) -> None:
        transact(self, [item for item in items if "ConditionCheck" not in item])
        transact(self, items)

    monkeypatch.setattr(DynamoDBBackend, "transact_write_items", in_part)
    writes = found("ledger-writes")
    assert writes.verdict is Verdict.REFUTED
    assert "[ConditionalCheckFailed, None]; changed nothing: False" in writes.evidence


def test_a_table_that_is_not_there_shows_nothing() -> None:
    with mock_aws():
        assert {found(check.point).verdict for check in ledger.CHECKS} == {Verdict.NOT_SEEN}
