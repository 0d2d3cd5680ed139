"""The kinds of statements for infra/permissions.py: one for each way to access a store, its key or the ledger."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra.ledger import Ledger
from infra.storage import DataStore


class Statement(NamedTuple):
    """A statement of a policy, with its purpose, which docs/security.md shows.

    `wildcard` is the reason why a resource with a wildcard is narrow enough; without it the synthesis fails
    (infra/findings.py).
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    purpose: str
    conditions: Mapping[str, object] | None = None
    wildcard: str = ""

    @property
    def policy_statement(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=self.sid, actions=self.actions, resources=self.resources, conditions=self.conditions
        )


Statements = list[Statement]

# Reasons why a wildcard is narrow enough.
EXECUTIONS = "Executions get their names at run time; the grant is narrowed to this state machine."
NO_RESOURCES = "The actions have no resource-level permissions (Service Authorization Reference)."
ALL_OBJECTS = (
    "Everything that is stored is searched: an object left out could name a patient, and the proof would be wrong."
)
OBJECTS = "Object keys are derived from content at run time; the grant is narrowed to one bucket and one prefix."

# S3 generates a data key; it decrypts earlier parts of a multipart upload and the bucket key.
ENCRYPT = ["kms:GenerateDataKey", "kms:Decrypt"]
DECRYPT = ["kms:Decrypt"]


def _via(service: str) -> Mapping[str, object]:
    """Only the service may use the key, on the caller's behalf, not the caller itself.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    return {"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.amazonaws.com"}}


_VIA_S3 = _via("s3")


def _objects(store: DataStore, prefixes: Sequence[str]) -> list[str]:
    return [store.bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]


def head(store: DataStore, *prefixes: str, purpose: str) -> Statements:
    """Objects' headers. The action also allows reading, but without the KMS key the content can't be decrypted."""
    name = f"Head{store.node.id}"
    return [Statement(name, ["s3:GetObject"], _objects(store, prefixes), f"heads: {purpose}", wildcard=OBJECTS)]


def list_versions(name: str, bucket: s3.IBucket) -> Statements:
    purpose = "all versions of all objects"
    return [Statement(f"ListVersions{name}", ["s3:ListBucketVersions"], [bucket.bucket_arn], purpose)]


def read_versions(name: str, bucket: s3.IBucket, key: kms.IKey | None, *, purpose: str) -> Statements:
    """Reading all versions of all objects; without the bucket's `key`, only the heads of what is encrypted with it.

    A request for a version needs GetObjectVersion and not GetObject.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    objects, missing = [bucket.arn_for_objects("*")], "a 404 for what is missing"
    found = [
        Statement(f"ReadVersions{name}", ["s3:GetObjectVersion"], objects, purpose, wildcard=ALL_OBJECTS),
        Statement(f"FindMissing{name}", ["s3:ListBucket"], [bucket.bucket_arn], missing),
    ]
    if key is not None:
        under = "reading under the bucket's key"
        found.append(Statement(f"DecryptVersions{name}", DECRYPT, [key.key_arn], under, _VIA_S3))
    return found


def listing(store: DataStore, purpose: str = "a 404 for what is missing") -> Statements:
    """Listing, and a 404 for a missing object instead of a 403.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (Permissions). AWS doesn't document whether S3
    evaluates `s3:prefix` when it decides between the two, hence no condition.
    """
    return [Statement(f"List{store.node.id}", ["s3:ListBucket"], [store.bucket.bucket_arn], purpose)]


def read(
    store: DataStore, *prefixes: str, purpose: str, key_conditions: Mapping[str, object] | None = _VIA_S3
) -> Statements:
    name, key = store.node.id, [store.key.key_arn]
    return [
        Statement(f"Read{name}", ["s3:GetObject"], _objects(store, prefixes), purpose, wildcard=OBJECTS),
        Statement(f"Decrypt{name}", DECRYPT, key, "reading under the bucket's key", key_conditions),
    ]


def write(
    store: DataStore, *prefixes: str, purpose: str, key_conditions: Mapping[str, object] | None = _VIA_S3
) -> Statements:
    name, key = store.node.id, [store.key.key_arn]
    return [
        Statement(f"Write{name}", ["s3:PutObject"], _objects(store, prefixes), purpose, wildcard=OBJECTS),
        Statement(f"Encrypt{name}", ENCRYPT, key, "writing under the bucket's key", key_conditions),
    ]


def items(
    ledger: Ledger, *, read: Sequence[str], update: Sequence[str] = (), check: Sequence[str] = (), purpose: str
) -> Statements:
    """Access to items of the ledger table, by their kinds: reads, updates, and condition checks in a transaction.

    A transaction needs the rights of its parts. AWS doesn't document whether DynamoDB evaluates each part's key alone
    or the keys of all parts, so `update` and `check` name the kinds of all parts, also those of the members table. The
    only right to the KMS key that reads and writes need is the decryption of the table's data key.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-cmk-trail
    """
    granted = {
        "ReadItems": ("dynamodb:BatchGetItem", read),
        "UpdateItems": ("dynamodb:UpdateItem", update),
        "CheckItems": ("dynamodb:ConditionCheckItem", check),
    }
    return [
        *_by_kinds(ledger.table.table_arn, granted, purpose),
        decrypt_ledger(ledger),
    ]


def tables(ledger: Ledger, sid: str, action: str, *, purpose: str) -> Statement:
    """An action on both tables as a whole: a request without keys can't be granted by kinds of items."""
    return Statement(sid, [action], [ledger.table.table_arn, ledger.members.table_arn], purpose)


def decrypt_ledger(ledger: Ledger) -> Statement:
    return Statement("DecryptLedger", DECRYPT, [ledger.key.key_arn], "the ledger's key", _via("dynamodb"))


def members(
    ledger: Ledger, *, read: Sequence[str] = (), write: Sequence[str] = (), delete: Sequence[str] = (), purpose: str
) -> Statements:
    """Access to items of the members table, by their kinds, as `items` grants it for the ledger table."""
    granted = {
        "ReadMembers": ("dynamodb:Query", read),
        "WriteMembers": ("dynamodb:UpdateItem", write),
        "DeleteMembers": ("dynamodb:DeleteItem", delete),
    }
    return _by_kinds(ledger.members.table_arn, granted, purpose)


def _by_kinds(table_arn: str, granted: Mapping[str, tuple[str, Sequence[str]]], purpose: str) -> Statements:
    """A statement for each action that is granted for any kind of item."""
    return [
        Statement(sid, [action], [table_arn], purpose, _of_kinds(kinds))
        for sid, (action, kinds) in granted.items()
        if kinds
    ]


def _of_kinds(kinds: Sequence[str]) -> Mapping[str, object]:
    """The condition that the request has keys, and only of these kinds; without keys `ForAllValues` alone is true.

    The Service Authorization Reference has `dynamodb:LeadingKeys` for each of the actions.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition_examples-multi-valued-context-keys.html
    """
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{kind}#*" for kind in kinds]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def pass_role(role_arn: str, service: str) -> Statement:
    condition = {"StringEquals": {"iam:PassedToService": service}}
    purpose = "the service works with its data-access role; condition: `iam:PassedToService`"
    return Statement("PassDataAccessRole", ["iam:PassRole"], [role_arn], purpose, condition)
