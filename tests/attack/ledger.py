"""What is tried on the ledger's items, and on another table of the account."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from local.aws.credentials import ACCOUNT_ID
from local.aws.policies import Decision, Document, Request, evaluate
from tests.attack.matrix import Verdict
from tests.attack.probe import Probe, probe
from tests.attack.stage import DOOMED, HELD, KINDS, NEW, Role, Stage, item

AREA = "tables"
# What reads or writes items that a condition or a statement tells. Nobody has any of them.
UNTOLD = ("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")
THERE = {"ConditionExpression": "attribute_exists(pk)"}
_dynamodb = partial(probe, AREA, service="dynamodb")


def items(stage: Stage) -> Iterator[Probe]:
    """Each action on each kind of item, by itself, in a batch and in a transaction of which it is all."""
    for name, table in stage.tables.items():
        for kind in KINDS:
            target = f"{name}/{kind}"
            held: dict[str, Any] = {"TableName": table, "Key": item(name, kind, HELD)}
            doomed: dict[str, Any] = {"TableName": table, "Key": item(name, kind, DOOMED)}
            new: dict[str, Any] = {"TableName": table, "Item": item(name, kind, NEW)}
            changed = held | {"UpdateExpression": "REMOVE attack"}
            yield _dynamodb(f"get_item {target}", operation="get_item", **held)
            yield _dynamodb(f"get_item {target}", operation="transact_get_items", TransactItems=[{"Get": held}])
            query: dict[str, Any] = {
                "KeyConditionExpression": "pk = :key",
                "ExpressionAttributeValues": {":key": held["Key"]["pk"]},
            }
            yield _dynamodb(f"query {target}", operation="query", TableName=table, **query)
            one = {table: {"Keys": [held["Key"]]}}
            yield _dynamodb(f"batch_get_item {target}", operation="batch_get_item", RequestItems=one)
            yield in_transaction(f"check_item {target}", {"ConditionCheck": held | THERE})
            yield _dynamodb(f"update_item {target}", operation="update_item", **changed)
            yield _dynamodb(f"update_item {target}", operation="update_item", ReturnValues="ALL_NEW", **changed)
            yield in_transaction(f"update_item {target}", {"Update": changed})
            yield _dynamodb(f"put_item {target}", operation="put_item", **new)
            yield in_transaction(f"put_item {target}", {"Put": new})
            put = {table: [{"PutRequest": {"Item": new["Item"]}}]}
            yield _dynamodb(f"batch_write_item {target}", operation="batch_write_item", RequestItems=put)
            yield _dynamodb(f"delete_item {target}", operation="delete_item", **doomed, destroys=True)
            yield in_transaction(f"delete_item {target}", {"Delete": doomed}, destroys=True)


def in_transaction(right: str, *parts: dict[str, Any], destroys: bool = False) -> Probe:
    return _dynamodb(right, operation="transact_write_items", TransactItems=list(parts), destroys=destroys)


def several_kinds(stage: Stage) -> Iterator[Probe]:
    """In one request: who may not have one of them gets none."""
    table = stage.tables["ledger"]
    held: dict[str, dict[str, Any]] = {kind: {"TableName": table, "Key": item("ledger", kind, HELD)} for kind in KINDS}
    every = {table: {"Keys": [of_kind["Key"] for of_kind in held.values()]}}
    yield _dynamodb("batch_get_item ledger/every", operation="batch_get_item", RequestItems=every)
    check = {"ConditionCheck": held["execution"] | THERE}
    for kind in ("claim", "job"):
        yield in_transaction(
            f"take ledger/{kind}", check, {"Update": held[kind] | {"UpdateExpression": "REMOVE attack"}}
        )


def tables(stage: Stage) -> Iterator[Probe]:
    for name, table in stage.tables.items():
        dynamodb = partial(_dynamodb, TableName=table)
        yield dynamodb(f"scan {name}", operation="scan")
        yield dynamodb(f"describe_table {name}", operation="describe_table")
        # All that is in it, to be restored into a table of another name.
        yield dynamodb(f"back_up {name}", operation="create_backup", BackupName="attack")
        yield dynamodb(f"unprotect {name}", operation="update_table", DeletionProtectionEnabled=False, destroys=True)
        yield dynamodb(
            f"stop_recovery {name}", operation="update_continuous_backups", destroys=True,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
        )  # fmt: skip
        yield dynamodb(f"delete_table {name}", operation="delete_table", destroys=True)
    yield _dynamodb("list_tables account", operation="list_tables")


def attack_queries(stage: Stage) -> Iterator[Verdict]:
    """By conditions and statements. The local AWS can't tell which items these are about: the policies are asked."""
    for role in stage.roles.values():
        policies = list(_policies_of(stage, role))
        for name, table in stage.tables.items():
            for kind in KINDS:
                keys = {"dynamodb:LeadingKeys": [item(name, kind, HELD)["pk"]["S"]]}
                for action in UNTOLD:
                    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT_ID}:table/{table}"
                    decision = evaluate(policies, Request(f"dynamodb:{action}", arn, keys, account=ACCOUNT_ID))
                    right = f"{action} {name}/{kind}"
                    if decision is Decision.ALLOW:
                        problem = f"{role.name}: {right} is allowed, though nobody has that right"
                        yield Verdict(role.name, AREA, right, "wrong", problem)
                    else:
                        yield Verdict(role.name, AREA, right, "refused")


def _policies_of(stage: Stage, role: Role) -> Iterator[Document]:
    iam, name = stage.world.run.pipeline.aws.client("iam"), role.arn.rpartition("/")[2]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        yield iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"]
