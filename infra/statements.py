"""What infra/permissions.py is made of: a form of statement for each way to reach a store, its key or the ledger."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from infra.ledger import Ledger
from infra.storage import DataStore


class Statement(NamedTuple):
    """A statement of a policy. `purpose` says what it is for: docs/security.md shows that.

    `wildcard` says why a resource with a wildcard is narrow enough; without it the synthesis stops (infra/findings.py).
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

# Why a wildcard in a resource is narrow enough.
EXECUTIONS = "Executions get their names at run time; the grant is narrowed to this state machine."
NO_RESOURCES = "The actions have no resource-level permissions (Service Authorization Reference)."
OBJECTS = "Object keys are derived from content at run time; the grant is narrowed to one bucket and one prefix."

# S3 encrypts with a data key; it decrypts the previous parts of a multipart upload and the bucket key.
ENCRYPT = ["kms:GenerateDataKey", "kms:Decrypt"]
DECRYPT = ["kms:Decrypt"]


def _via(service: str) -> Mapping[str, object]:
    """The service uses the key on the caller's behalf; the caller itself may not.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    return {"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.amazonaws.com"}}


_VIA_S3 = _via("s3")


def _objects(store: DataStore, prefixes: Sequence[str]) -> list[str]:
    return [store.bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]


def head(store: DataStore, *prefixes: str, purpose: str) -> Statements:
    """Objects' headers, by the action that also reads them; without the key their content stays shut."""
    name = f"Head{store.node.id}"
    return [Statement(name, ["s3:GetObject"], _objects(store, prefixes), f"heads: {purpose}", wildcard=OBJECTS)]


def listing(store: DataStore, purpose: str = "a 404 for what is missing") -> Statements:
    """Listing, and a 404 for a missing object instead of a 403.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (Permissions). Whether S3 takes the requested
    key as `s3:prefix` when it decides between the two is not documented, hence no condition.
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
    """Items of the ledger, by their kinds: to be read, to be changed, and to be checked in a transaction.

    A transaction takes the rights of its parts. Whether DynamoDB looks at the key of each part by itself, or for each
    part at the keys of all, isn't documented: `update` and `check` have to name the kinds of all parts. Of the key, a
    caller's reads and writes take the decryption of the table's own key and nothing else.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-cmk-trail
    """
    granted = {
        "ReadItems": (["dynamodb:BatchGetItem"], read),
        "UpdateItems": (["dynamodb:UpdateItem"], update),
        "CheckItems": (["dynamodb:ConditionCheckItem"], check),
    }
    return [
        *(
            Statement(sid, actions, [ledger.table.table_arn], purpose, _of_kinds(kinds))
            for sid, (actions, kinds) in granted.items()
            if kinds
        ),
        Statement("DecryptLedger", DECRYPT, [ledger.key.key_arn], "the ledger's key", _via("dynamodb")),
    ]


def _of_kinds(kinds: Sequence[str]) -> Mapping[str, object]:
    """All keys of the request are of these kinds, and it has some: without any, `ForAllValues` would be met.

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
