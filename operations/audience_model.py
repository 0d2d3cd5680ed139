"""Make the configured audience model that audiences are generated with, from a Glue table of interactions.

    python -m operations.audience_model --name NAME --database DATABASE --table TABLE --output s3://BUCKET/PREFIX

It is for whoever has the training data: two roles, a training data set, an audience model and a configured audience
model, none of which CloudFormation can make all of. What exists under its name is used again, so the command may be
stopped at any time and started anew; the training goes on without it. What exists and is something else is an error:
nothing that is already there is changed, except that the two roles get their policies again.

Sources: AWS Clean Rooms user guide, "Set up service roles for AWS Clean Rooms ML" (ml-roles), "Training data
requirements for Clean Rooms ML" (ml-training-data-requirements), "Create AWS Clean Rooms ML models as a training data
provider" (working-with-machine-learning-tdp); API reference and SDK model of CreateTrainingDataset,
CreateAudienceModel and CreateConfiguredAudienceModel.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, ProfileNotFound

# The managed policy AWSCleanRoomsMLFullAccess passes on roles whose names begin so, and no others.
_ROLE_PREFIX = "cleanrooms-ml-"
# With the prefix and "-training" at most the 64 characters of a role's name.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,41}")
_S3_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")

_ID_TYPES = ("string", "int", "bigint")
_TIMESTAMP_TYPES = ("bigint", "int", "timestamp")

# "up to 24 hours to train" (user guide); twice that, and somebody should look.
_TRAINING_SECONDS = 48 * 3600
_REPORT_SECONDS = 600


class AudienceModelError(Exception):
    """The model cannot be made; the text says of what, why, and what to do."""


class Aws(Protocol):
    """What is needed of `boto3.Session`."""

    def client(self, service_name: str, /) -> Any: ...


@dataclass(frozen=True)
class TrainingTable:
    """A Glue table of interactions, its columns, and the ARN of the KMS key of its files in S3 if they have one."""

    database: str
    table: str
    user_id: str = "user_id"
    item_id: str = "item_id"
    timestamp: str = "timestamp"
    key_arn: str | None = None


@dataclass(frozen=True)
class Output:
    """Where exported audiences go (`s3://` URI of a prefix), and what may be asked of the model.

    `minimum_seed` is how many ids of a seed must be in the training data, 25 to 500,000; `percentages` are the sizes,
    1 to 25 of them, of which an export may choose one.
    """

    uri: str
    key_arn: str | None = None
    minimum_seed: int = 500
    percentages: Sequence[int] = field(default=(1, 2, 5, 10, 20))


def create(
    aws: Aws,
    name: str,
    training: TrainingTable,
    output: Output,
    *,
    report: Callable[[str], None] = print,
    poll_seconds: float = 60,
) -> str:
    """Make, or find, everything called `name`, wait until the model is trained, and return the ARN to put in cdk.json.

    Raises:
        AudienceModelError: the request can't work, something else has that name, or the training failed.
        botocore.exceptions.ClientError: a call was refused.
    """
    _check(name, output)
    caller = aws.client("sts").get_caller_identity()
    client = aws.client("cleanroomsml")
    account, partition = caller["Account"], caller["Arn"].split(":")[1]
    place = _Place(partition, client.meta.region_name, account)
    _check_bucket(aws, place, output.uri)
    location = _check_table(aws, place, training)

    reader = _role(aws, place, f"{name}-training", "training-dataset", _reading(place, training, location), report)
    writer = _role(aws, place, f"{name}-output", "configured-audience-model", _writing(place, output), report)
    dataset = _training_dataset(client, name, reader, training, report)
    model = _audience_model(client, name, dataset, report, poll_seconds)
    return _configured_audience_model(client, name, model, writer, output, report)


@dataclass(frozen=True)
class _Place:
    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def bucket(self, name: str) -> str:
        return f"arn:{self.partition}:s3:::{name}"


def _check(name: str, output: Output) -> None:
    if not _NAME.fullmatch(name):
        raise AudienceModelError(
            f"The name is {name!r}; use 1 to 41 letters, digits, hyphens and underscores, which leaves room for the "
            "roles' names."
        )
    if not _S3_URI.fullmatch(output.uri):
        raise AudienceModelError(f"The output is {output.uri!r}; give s3://BUCKET/PREFIX.")
    if not 25 <= output.minimum_seed <= 500_000:
        raise AudienceModelError(f"The minimum seed is {output.minimum_seed}; it must be 25 to 500000.")
    if not 1 <= len(output.percentages) <= 25 or any(not 1 <= size <= 100 for size in output.percentages):
        raise AudienceModelError(
            f"The percentages are {list(output.percentages)}; give 1 to 25 of them, each 1 to 100."
        )


def _check_bucket(aws: Aws, place: _Place, uri: str) -> None:
    bucket, _ = _split(uri)
    try:
        region = aws.client("s3").head_bucket(Bucket=bucket).get("BucketRegion", place.region)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise AudienceModelError(
            f"The bucket {bucket} of {uri} can't be looked at ({code}); make it, or correct its name or your rights."
        ) from None
    if region != place.region:
        raise AudienceModelError(
            f"The bucket {bucket} is in {region}, but Clean Rooms ML is used in {place.region}; both must be the same."
        )


def _check_table(aws: Aws, place: _Place, training: TrainingTable) -> str:
    """The table's location in S3."""
    glue, called = aws.client("glue"), f"Glue table {training.database}.{training.table}"
    try:
        table = glue.get_table(DatabaseName=training.database, Name=training.table)["Table"]
    except glue.exceptions.EntityNotFoundException:
        raise AudienceModelError(
            f"There is no {called} in {place.region}; catalogue the training data there, by a crawler or by hand."
        ) from None
    descriptor = table.get("StorageDescriptor", {})
    columns = {
        column["Name"]: column.get("Type", "string")
        for column in [*descriptor.get("Columns", []), *table.get("PartitionKeys", [])]
    }
    for column, types in (
        (training.user_id, _ID_TYPES),
        (training.item_id, _ID_TYPES),
        (training.timestamp, _TIMESTAMP_TYPES),
    ):
        if column not in columns:
            raise AudienceModelError(
                f"{called} has no column {column!r}, only {', '.join(columns) or 'none'}; name it."
            )
        if columns[column] not in types:
            raise AudienceModelError(
                f"Column {column!r} of {called} is of type {columns[column]}, but must be {' or '.join(types)}."
            )
    location = str(descriptor.get("Location", ""))
    if not _S3_URI.fullmatch(location):
        raise AudienceModelError(f"{called} has the location {location!r}, but must be in S3.")
    _check_bucket(aws, place, location)
    return location


def _reading(place: _Place, training: TrainingTable, location: str) -> list[dict[str, Any]]:
    """What the training needs (user guide, "Create a service role to read training data")."""
    bucket, prefix = _split(location)
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


def _writing(place: _Place, output: Output) -> list[dict[str, Any]]:
    """What an export needs (user guide, "Create a service role to write a lookalike segment")."""
    bucket, prefix = _split(output.uri)
    actions = ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    return _bucket_access(place, bucket, prefix, "s3:PutObject") + _key_access(
        place, output.key_arn, actions, bucket, prefix
    )


def _bucket_access(place: _Place, bucket: str, prefix: str, action: str) -> list[dict[str, Any]]:
    ours = {"StringEquals": {"s3:ResourceAccount": [place.account]}}
    return [
        _allow(["s3:ListBucket", "s3:GetBucketLocation"], [place.bucket(bucket)], ours),
        _allow([action], [_objects(place, bucket, prefix)], ours),
    ]


def _key_access(
    place: _Place, key_arn: str | None, actions: list[str], bucket: str, prefix: str
) -> list[dict[str, Any]]:
    if key_arn is None:
        return []
    # With an S3 Bucket Key the context is the bucket itself, which the guide's example leaves out.
    context = [place.bucket(bucket), _objects(place, bucket, prefix)]
    return [_allow(actions, [key_arn], {"ArnLike": {"kms:EncryptionContext:aws:s3:arn": context}})]


def _objects(place: _Place, bucket: str, prefix: str) -> str:
    return place.bucket("/".join(filter(None, (bucket, prefix, "*"))))


def _allow(actions: list[str], resources: list[str], condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def _role(
    aws: Aws,
    place: _Place,
    suffix: str,
    resource: str,
    statements: list[dict[str, Any]],
    report: Callable[[str], None],
) -> str:
    """The ARN of a role that Clean Rooms ML may assume for our resources of one type.

    The conditions are the guide's, `IfExists` included: whether the service sends both keys in every call is not said.
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


def _training_dataset(
    client: Any, name: str, role_arn: str, training: TrainingTable, report: Callable[[str], None]
) -> str:
    columns = ((training.user_id, "USER_ID"), (training.item_id, "ITEM_ID"), (training.timestamp, "TIMESTAMP"))
    wanted = {
        "roleArn": role_arn,
        "trainingData": [
            {
                "type": "INTERACTIONS",
                "inputConfig": {
                    "schema": [{"columnName": column, "columnTypes": [kind]} for column, kind in columns],
                    "dataSource": {"glueDataSource": {"databaseName": training.database, "tableName": training.table}},
                },
            }
        ],
    }
    arn = _find(client, "list_training_datasets", "trainingDatasets", "trainingDatasetArn", name)
    if arn is None:
        arn = client.create_training_dataset(name=name, **wanted)["trainingDatasetArn"]
        report(f"training data set {name}: created")
    else:
        _check_same(f"training data set {name}", wanted, client.get_training_dataset(trainingDatasetArn=arn))
        report(f"training data set {name}: exists")
    return arn


def _audience_model(
    client: Any, name: str, dataset_arn: str, report: Callable[[str], None], poll_seconds: float
) -> str:
    """The ARN of the model, once it is trained."""
    wanted = {"trainingDatasetArn": dataset_arn}
    arn = _find(client, "list_audience_models", "audienceModels", "audienceModelArn", name)
    if arn is None:
        arn = client.create_audience_model(name=name, **wanted)["audienceModelArn"]
        report(f"audience model {name}: training started, which takes up to 24 hours; this command may be stopped")
    started, reported, last = time.monotonic(), 0.0, None
    while True:
        model = client.get_audience_model(audienceModelArn=arn)
        _check_same(f"audience model {name}", wanted, model)
        status, waited = model["status"], time.monotonic() - started
        if status != last or waited - reported >= _REPORT_SECONDS:
            report(f"audience model {name}: {status}" + (f" after {waited / 60:.0f} minutes" if last else ""))
            reported = waited
        last = status
        if status == "ACTIVE":
            return arn
        if status not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            reason = model.get("statusDetails", {}).get("message", "no reason given")
            raise AudienceModelError(
                f"The audience model {name} is {status}: {reason}. Repair that, delete the model "
                f"(aws cleanroomsml delete-audience-model --audience-model-arn {arn}) and start this command again."
            )
        if waited > _TRAINING_SECONDS:
            raise AudienceModelError(
                f"The audience model {name} is {status} after {_TRAINING_SECONDS // 3600} hours; ask AWS about {arn}, "
                "or start this command again to wait on."
            )
        time.sleep(poll_seconds)


def _configured_audience_model(
    client: Any, name: str, model_arn: str, role_arn: str, output: Output, report: Callable[[str], None]
) -> str:
    wanted = {
        "audienceModelArn": model_arn,
        "outputConfig": {"destination": {"s3Destination": {"s3Uri": output.uri}}, "roleArn": role_arn},
        "minMatchingSeedSize": output.minimum_seed,
        "audienceSizeConfig": {"audienceSizeType": "PERCENTAGE", "audienceSizeBins": list(output.percentages)},
        "sharedAudienceMetrics": ["ALL"],
    }
    arn = _find(
        client, "list_configured_audience_models", "configuredAudienceModels", "configuredAudienceModelArn", name
    )
    if arn is None:
        created = client.create_configured_audience_model(name=name, **wanted)
        arn = str(created["configuredAudienceModelArn"])
        report(f"configured audience model {name}: created")
    else:
        found = client.get_configured_audience_model(configuredAudienceModelArn=arn)
        _check_same(f"configured audience model {name}", wanted, found)
        report(f"configured audience model {name}: exists")
    return arn


def _find(client: Any, operation: str, member: str, arn_member: str, name: str) -> str | None:
    """The ARN of what is called `name`; the lists can't be filtered."""
    for page in client.get_paginator(operation).paginate():
        for resource in page[member]:
            if resource["name"] == name:
                return str(resource[arn_member])
    return None


def _check_same(called: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    for member, value in wanted.items():
        if not _has(found.get(member), value):
            raise AudienceModelError(
                f"The {called} exists with another {member} ({json.dumps(found.get(member))}, not "
                f"{json.dumps(value)}); choose another --name, or delete it."
            )


def _has(found: Any, wanted: Any) -> bool:
    """Whether `found` is `wanted`, apart from members that weren't asked for (a service may fill them in)."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_has(found.get(member), wanted[member]) for member in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_has, found, wanted))
    return bool(found == wanted)


def _split(uri: str) -> tuple[str, str]:
    match = _S3_URI.fullmatch(uri)
    assert match, "checked before"
    return match[1], (match[2] or "").rstrip("/")


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operations.audience_model",
        description="Make the configured audience model for parameters.StartAudienceGenerationJob of cdk.json, with "
        "your own AWS credentials and Region. Start it again to go on where it was.",
    )
    table, output = TrainingTable("", ""), Output("")
    parser.add_argument("--name", required=True, help="of everything that is made; found again by it")
    parser.add_argument("--database", required=True, help="Glue database of the training data")
    parser.add_argument("--table", required=True, help="Glue table of interactions, 100,000 users and a million rows")
    for member in ("user_id", "item_id", "timestamp"):
        parser.add_argument(
            f"--{member.replace('_', '-')}-column", default=getattr(table, member), help="default: %(default)s"
        )
    parser.add_argument("--training-key", metavar="ARN", help="KMS key of the table's files, if they have one")
    parser.add_argument("--output", required=True, metavar="S3_URI", help="prefix for exported audiences")
    parser.add_argument("--output-key", metavar="ARN", help="KMS key of the output bucket, if it has one")
    parser.add_argument(
        "--minimum-seed",
        type=int,
        default=output.minimum_seed,
        help="ids of a seed that must be in the training data, 25 or more (default: %(default)s)",
    )
    parser.add_argument(
        "--percentages",
        type=int,
        nargs="+",
        default=list(output.percentages),
        metavar="PERCENT",
        help="audience sizes that an export may choose (default: %(default)s)",
    )
    return parser


def main(arguments: Sequence[str] | None = None, poll_seconds: float = 60) -> int:
    """Exit status 0: the model is there, and its ARN printed; 1: it isn't, and why is on stderr."""
    chosen = _parser().parse_args(arguments)
    training = TrainingTable(
        chosen.database,
        chosen.table,
        chosen.user_id_column,
        chosen.item_id_column,
        chosen.timestamp_column,
        chosen.training_key,
    )
    output = Output(chosen.output, chosen.output_key, chosen.minimum_seed, chosen.percentages)
    try:
        session: Any = boto3.Session()
        arn = create(session, chosen.name, training, output, poll_seconds=poll_seconds)
    except AudienceModelError as error:
        print(error, file=sys.stderr)
        return 1
    except ClientError as error:
        print(_explained(error), file=sys.stderr)
        return 1
    except (NoCredentialsError, NoRegionError, ProfileNotFound) as error:
        print(f"{str(error).rstrip('.')}. Set AWS credentials and a Region (aws configure).", file=sys.stderr)
        return 1
    except BotoCoreError as error:
        print(f"{str(error).rstrip('.')}. Start the same command again; it goes on where it was.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; a training that was started goes on. The same command continues.", file=sys.stderr)
        return 130
    print(
        f'\n{arn}\n\nIn cdk.json, below parameters.StartAudienceGenerationJob:\n"configuredAudienceModelArn": "{arn}"'
    )
    return 0


def _explained(error: ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    told = f"{error.operation_name}: {code}: {message.rstrip('.')}."
    if code.startswith("ExpiredToken"):
        return f"{told} Get new credentials and start the same command again; it goes on where it was."
    if code.startswith("AccessDenied"):
        return f"{told} docs/deploy.md names the rights that this takes."
    return f"{told} Start the same command again when that is repaired; what exists is used again."


if __name__ == "__main__":
    sys.exit(main())
