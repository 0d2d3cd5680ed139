"""The permissions that a DynamoDB request needs: on each of its items, and on the table's KMS key.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from local.aws import kms_keys
from local.aws.calls import Call, Permission
from local.aws.open_points import played

# The action for each kind of entry in a transaction; the transaction itself has no action.
_TRANSACTED = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
_UNTOLD = ("BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction")
"""Operations whose items are known only from a statement, which is not parsed here."""
_PARTITION = re.compile(r"\s*([#\w]+)\s*=\s*(:\w+)(\s+AND\s.*)?", re.DOTALL | re.IGNORECASE)
"""A Query's condition that begins with the partition key, as all of ours do."""


class _Access(NamedTuple):
    """An action on items of a table, which may be named by its ARN; each of `items` has at least its key."""

    action: str
    table: str
    items: Sequence[Mapping[str, Any]]


def dynamodb_permissions(call: Call) -> Iterator[Permission]:
    """The permissions of one DynamoDB request.

    Raises NotImplementedError for an operation whose items are not known here.
    """
    if call.operation in _UNTOLD:
        raise NotImplementedError(f"The local AWS doesn't know which items DynamoDB's {call.operation} accesses")
    parameters = call.parameters()
    accesses = list(_accesses(call.operation, parameters))
    for action, table, items in accesses:
        context: dict[str, str | list[str]] = {}
        if keys := _leading_keys(call, table, items):
            context["dynamodb:LeadingKeys"] = keys
        if "TransactItems" in parameters:
            context["dynamodb:EnclosingOperation"] = call.operation
        yield Permission(f"dynamodb:{action}", _arn(call, table), context)
    for table in dict.fromkeys(access.table for access in accesses):
        yield from _decryption(call, table)
    if not accesses:
        # About a table, not its items; no operation has more than one of these members.
        named = [parameters[name] for name in ("TableName", "TableArn", "ResourceArn") if name in parameters]
        yield Permission(f"dynamodb:{call.operation}", _arn(call, named[0]) if named else "*")


def _accesses(operation: str, parameters: Mapping[str, Any]) -> Iterator[_Access]:
    match operation:
        case "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem":
            yield _Access(operation, parameters["TableName"], [_keyed(parameters)])
        case "Scan":
            # For all items IAM gets no leading keys.
            yield _Access(operation, parameters["TableName"], [])
        case "Query":
            yield _Access(operation, parameters["TableName"], [_partition(parameters)])
        case "BatchGetItem":
            for table, wanted in parameters["RequestItems"].items():
                yield _Access(operation, table, wanted["Keys"])
        case "BatchWriteItem":
            for table, requests in parameters["RequestItems"].items():
                yield _Access(operation, table, [_keyed(put) for request in requests for put in request.values()])
        case "TransactWriteItems" | "TransactGetItems":
            entries = [item for entry in parameters["TransactItems"] for item in entry.items()]
            for kind, item in entries:
                shown = [it for _, it in entries if it is item or played().transaction_keys == "all"]
                yield _Access(_TRANSACTED[kind], item["TableName"], [_keyed(it) for it in shown])


def _keyed(request: Mapping[str, Any]) -> Mapping[str, Any]:
    keyed: Mapping[str, Any] = request["Key"] if "Key" in request else request["Item"]
    return keyed


def _partition(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The partition key that a Query names."""
    condition = _PARTITION.fullmatch(parameters["KeyConditionExpression"])
    if condition is None:
        raise NotImplementedError("The local AWS doesn't know which items this condition of DynamoDB's Query accesses")
    name, value = condition[1], condition[2]
    named = parameters.get("ExpressionAttributeNames", {}).get(name, name)
    return {named: parameters["ExpressionAttributeValues"][value]}


def _leading_keys(call: Call, name: str, items: Sequence[Mapping[str, Any]]) -> list[str]:
    """The values of the partition key, without their types; none if the table doesn't exist."""
    table = _table(call, name)
    return [str(value) for item in items for value in item[table.hash_key_attr].values()] if table else []


def _decryption(call: Call, name: str) -> Iterator[Permission]:
    """The right to decrypt the table's data key, which DynamoDB uses on the caller's behalf to read and write.

    DynamoDB caches the decrypted key for up to five minutes; here the right is checked each time. The AWS managed key
    needs no right of the caller, because its policy admits the whole account.
    """
    table = _table(call, name)
    encryption = (table.sse_specification if table else None) or {}
    key = kms_keys.find(encryption["KMSMasterKeyId"], call.region, call.account) if encryption.get("Enabled") else None
    managed = kms_keys.find("alias/aws/dynamodb", call.region, call.account)
    if table and key and key is not managed:
        context = {
            "kms:ViaService": f"dynamodb.{call.region}.amazonaws.com",
            "kms:EncryptionContext:aws:dynamodb:tableName": table.name,
            "kms:EncryptionContext:aws:dynamodb:subscriberId": call.account,
        }
        yield Permission("kms:Decrypt", key.arn, context)


def _table(call: Call, name: str) -> Table | None:
    return dynamodb_backends[call.account][call.region].tables.get(name.rpartition("/")[2])


def _arn(call: Call, table: str) -> str:
    return table if table.startswith("arn:") else call.arn("dynamodb", f"table/{table}")
