"""Checks of the ledger's table: its encryption and backups, and the conditional writes that the functions rely on.

Sources: DynamoDB API reference, DescribeTable, DescribeContinuousBackups, UpdateItem (ADD creates a missing item, and
counts from 0) and TransactWriteItems (all or nothing, with a reason for each action).
"""

import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from operations.verify.checks import Check, Seen, code_of, holds, refuted
from operations.verify.observed import Observed

_UNMET = "ConditionalCheckFailedException"
_CANCELED = "TransactionCanceledException"


def _table(observed: Observed) -> Seen:
    dynamodb, name = observed.client("dynamodb"), observed.deployed.ledger
    table = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    key = table.get("SSEDescription", {}).get("KMSMasterKeyArn")
    evidence = f"{table['TableArn']} is {table['TableStatus']}, under {key}, point-in-time recovery is {recovery}"
    is_so = (table["TableStatus"], key, recovery) == ("ACTIVE", observed.clinical_key, "ENABLED")
    return holds(evidence) if is_so else refuted(evidence)


def _writes(observed: Observed) -> Seen:
    """Write as claims are written: with ADD, under a condition, and in a transaction."""
    probe = _Probe(observed.client("dynamodb"), observed.deployed.ledger)
    try:
        seen = {
            "a change of what isn't there": _refusal(lambda: probe.update("SET #generation = :2", "#generation = :1")),
            "left nothing": probe.generations() == [None, None],
            "ADD made it": probe.update("ADD #generation :1").get("generation") == {"N": "1"},
            "to make it again": _refusal(lambda: probe.update("SET #generation = :2", "attribute_not_exists(pk)")),
            "left it": probe.generations() == ["1", None],
            "a transaction with an unmet check": _refusal(lambda: probe.update_second("#generation = :2")),
            "changed nothing": probe.generations() == ["1", None],
            "one with a met check": _refusal(lambda: probe.update_second("#generation = :1")),
            "changed the other": probe.generations() == ["1", "1"],
        }
    finally:
        probe.remove()
    expected = [_UNMET, _UNMET, f"{_CANCELED} [ConditionalCheckFailed, None]", "no refusal"]
    evidence = f"{probe.keys[0]}: {'; '.join(f'{what}: {came}' for what, came in seen.items())}"
    is_so = all(seen.values()) and [came for came in seen.values() if isinstance(came, str)] == expected
    return holds(evidence) if is_so else refuted(evidence)


class _Probe:
    """Two items that no function reads, written as the functions write theirs."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table
        self.keys = [f"probe#{uuid.uuid4()}" for _ in range(2)]

    def update(self, update: str, condition: str = "") -> dict[str, Any]:
        """Change the first item, and return its new attributes."""
        changed: dict[str, Any] = self._dynamodb.update_item(
            **self._change(0, update, condition), ReturnValues="ALL_NEW"
        ).get("Attributes", {})
        return changed

    def update_second(self, condition: str) -> None:
        """Change the second item if the first one meets the condition."""
        check, update = self._change(0, "", condition), self._change(1, "SET #generation = :1")
        self._dynamodb.transact_write_items(TransactItems=[{"ConditionCheck": check}, {"Update": update}])

    def generations(self) -> list[str | None]:
        """The generation of each item; None if the item doesn't exist."""
        asked = {"TableName": self._table, "ConsistentRead": True}
        items = [self._dynamodb.get_item(Key={"pk": {"S": key}}, **asked).get("Item") for key in self.keys]
        return [item["generation"]["N"] if item else None for item in items]

    def remove(self) -> None:
        for key in self.keys:
            self._dynamodb.delete_item(TableName=self._table, Key={"pk": {"S": key}})

    def _change(self, number: int, update: str, condition: str = "") -> dict[str, Any]:
        expressions = {"UpdateExpression": update, "ConditionExpression": condition}
        used = update + condition
        values = {f":{value}": {"N": str(value)} for value in (1, 2) if f":{value}" in used}
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": self.keys[number]}},
            **{name: text for name, text in expressions.items() if text},
            **({"ExpressionAttributeNames": {"#generation": "generation"}} if "#" in used else {}),
            **({"ExpressionAttributeValues": values} if values else {}),
        }


def _refusal(call: Callable[[], Any]) -> str:
    """The error for an unmet condition, with a transaction's reason for each action."""
    try:
        call()
    except ClientError as error:
        code = code_of(error)
        if code not in (_UNMET, _CANCELED):
            raise
        answer: Any = error.response
        reasons = [reason.get("Code", "None") for reason in answer.get("CancellationReasons", ())]
        return f"{code} [{', '.join(reasons)}]" if reasons else code
    return "no refusal"


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "ledger",
        "The ledger is under the clinical key, and can be restored.",
        "Compare the table with the template (drift detection), and deploy again.",
        _table,
    ),
    Check(
        "ledger-writes",
        "The ledger changes an item under a condition or not at all, and several together.",
        "Send us this report, and don't start executions over the same recordings at the same time.",
        _writes,
    ),
)
