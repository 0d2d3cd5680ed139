"""The two roles with which Clean Rooms ML reads the training data and writes audiences."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from operations.audience_model.request import Aws, Output, Place, TrainingTable, split

# The managed policy AWSCleanRoomsMLFullAccess allows PassRole for this prefix only.
_ROLE_PREFIX = "cleanrooms-ml-"


def reading(place: Place, training: TrainingTable, location: str) -> list[dict[str, Any]]:
    """Statements for the training (user guide, "Create a service role to read training data")."""
    bucket, prefix = split(location)
    actions = ["Database", "Databases", "Table", "Tables", "Partitions", "Partition", "UserDefinedFunctions"]
    statements = [
        _allow(
            [f"glue:Get{action}" for action in actions] + ["glue:BatchGetPartition"],
            [
                place.arn("glue", f"database/{training.database}"),
                place.arn("glue", f"table/{training.database}/{training.table}"),
                place.arn("glue", "catalog"),
                place.arn("glue", "database/default"),
            ],
        ),
        _allow(["glue:CreateDatabase"], [place.arn("glue", "database/default")]),
        *_bucket_access(place, bucket, prefix, "s3:GetObject"),
    ]
    return statements + _key_access(place, training.key_arn, ["kms:Decrypt"], bucket, prefix)


def writing(place: Place, output: Output) -> list[dict[str, Any]]:
    """Statements for an export (user guide, "Create a service role to write a lookalike segment")."""
    bucket, prefix = split(output.uri)
    actions = ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    return _bucket_access(place, bucket, prefix, "s3:PutObject") + _key_access(
        place, output.key_arn, actions, bucket, prefix
    )


def _bucket_access(place: Place, bucket: str, prefix: str, action: str) -> list[dict[str, Any]]:
    ours = {"StringEquals": {"s3:ResourceAccount": [place.account]}}
    return [
        _allow(["s3:ListBucket", "s3:GetBucketLocation"], [place.bucket(bucket)], ours),
        _allow([action], [_objects(place, bucket, prefix)], ours),
    ]


def _key_access(
    place: Place, key_arn: str | None, actions: list[str], bucket: str, prefix: str
) -> list[dict[str, Any]]:
    if key_arn is None:
        return []
    # With an S3 Bucket Key the encryption context is the bucket's ARN, which the guide's example leaves out.
    context = [place.bucket(bucket), _objects(place, bucket, prefix)]
    return [_allow(actions, [key_arn], {"ArnLike": {"kms:EncryptionContext:aws:s3:arn": context}})]


def _objects(place: Place, bucket: str, prefix: str) -> str:
    return place.bucket("/".join(filter(None, (bucket, prefix, "*"))))


def _allow(actions: list[str], resources: list[str], condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def role(
    aws: Aws,
    place: Place,
    suffix: str,
    resource: str,
    statements: list[dict[str, Any]],
    report: Callable[[str], None],
) -> str:
    """The ARN of a role that Clean Rooms ML may assume for our resources of one type.

    The conditions are the guide's, with `IfExists`: AWS doesn't document whether the service always sends both keys.
    """
    iam, name = aws.client("iam"), f"{_ROLE_PREFIX}{suffix}"
    trust = _policy(
        {
            "Sid": "AllowAssumeRole",
            "Effect": "Allow",
            "Principal": {"Service": "cleanrooms-ml.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEqualsIfExists": {"aws:SourceAccount": [place.account]},
                "ArnLikeIfExists": {"aws:SourceArn": place.arn("cleanrooms-ml", f"{resource}/*")},
            },
        }
    )
    try:
        role = iam.get_role(RoleName=name)["Role"]
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        report(f"role {name}: exists")
    except iam.exceptions.NoSuchEntityException:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        iam.get_waiter("role_exists").wait(RoleName=name)
        report(f"role {name}: created")
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=_policy(*statements))
    return str(role["Arn"])


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
