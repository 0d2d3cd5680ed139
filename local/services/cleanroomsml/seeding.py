"""Prepares the audience model, as its owner does on AWS.

Clean Rooms ML has two parties. We have a seed; the training data provider has the behaviour of many users, a model
trained on it, and a bucket for the audiences. On AWS the provider's model exists already, and
`configuredAudienceModelArn` in cdk.json names it; on a local AWS this module creates it outside of our stack, in the
account of that ARN.
"""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from moto.cleanrooms.models import Collaboration, Membership, cleanrooms_backends

from local.aws.credentials import ACCOUNT_ID, administrator_credentials, operator_credentials
from local.services.cleanroomsml.models import cleanroomsml_backends
from local.services.cleanroomsml.storage import SERVICE

AUDIENCE_SIZES = {"audienceSizeType": "PERCENTAGE", "audienceSizeBins": [1, 2, 5, 10, 20]}
MINIMUM_MATCHING_SEED = 25

_OWNER = "audience-model-owner"
_DATABASE, _TABLE = "audience_model_owner", "interactions"
_COLUMNS = (("user_id", "string", "USER_ID"), ("item_id", "string", "ITEM_ID"), ("timestamp", "bigint", "TIMESTAMP"))
_TRAINING_SECONDS = 120


class Aws(Protocol):
    """The part of `local.server.LocalAws` that is used here."""

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client with all rights, or with those of the credentials in `options`."""


class Owner:
    """The account of the model's owner on a local AWS, with all rights."""

    def __init__(self, aws: Aws, account_id: str) -> None:
        self._aws = aws
        self._credentials = (
            operator_credentials() if account_id == ACCOUNT_ID else administrator_credentials(account_id)
        )

    def client(self, service: str) -> Any:
        """A boto3 client in the owner's account."""
        return self._aws.client(service, **self._credentials)


def provide_audience_model(aws: Aws, configured_audience_model_arn: str, interactions: Path) -> str:
    """Make the configured audience model with exactly that ARN, trained on `interactions`; return its output prefix.

    `interactions` is a CSV file with the columns user_id, item_id and timestamp (`samples/make_interactions.py`). The
    model takes seeds with 25 matching users or more, offers audiences of 1, 2, 5, 10 and 20 percent, shares its metrics
    and writes audiences below the returned `s3://` URI. A model of another account may be used by its own account only,
    until `share_audience_model`. Call it once for an account; it waits for the training.
    Raises RuntimeError if the training fails.
    """
    _, _, _, region, account, resource = configured_audience_model_arn.split(":")
    owner = Owner(aws, account)
    bucket = f"{_OWNER}-{account}-{region}"
    _provide_table(owner, bucket, interactions)
    model_arn = _train(
        owner, _reader_role(owner, bucket, f"arn:aws:cleanrooms-ml:{region}:{account}:training-dataset/*")
    )
    destination = f"s3://{bucket}/audiences"
    request = {
        "name": _OWNER,
        "audienceModelArn": model_arn,
        "outputConfig": {
            "destination": {"s3Destination": {"s3Uri": destination}},
            "roleArn": _writer_role(owner, bucket, configured_audience_model_arn),
        },
        "sharedAudienceMetrics": ["ALL"],
        "minMatchingSeedSize": MINIMUM_MATCHING_SEED,
        "audienceSizeConfig": AUDIENCE_SIZES,
    }
    # The API chooses the last part of an ARN itself; the backend takes it as a parameter.
    identifier = resource.partition("/")[2]
    cleanroomsml_backends[account][region].create_configured_audience_model(request, identifier)
    return destination


def share_audience_model(aws: Aws, configured_audience_model_arn: str, account_id: str, collaboration_id: str) -> None:
    """Let another account use the model, in that collaboration only, as Clean Rooms' own policy for it would.

    Source: "IAM behaviors for AWS Clean Rooms ML" in the AWS Clean Rooms user guide.
    """
    owner = configured_audience_model_arn.partition(":configured-audience-model/")[0]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": [account_id]},
        "Action": ["cleanrooms-ml:StartAudienceGenerationJob"],
        "Resource": [configured_audience_model_arn, f"{owner}:audience-generation-job/*"],
        "Condition": {"StringEquals": {"cleanrooms-ml:CollaborationId": collaboration_id}},
    }
    Owner(aws, owner.split(":")[4]).client("cleanroomsml").put_configured_audience_model_policy(
        configuredAudienceModelArn=configured_audience_model_arn, configuredAudienceModelPolicy=_policy(statement)
    )


def provide_collaboration(collaboration_id: str, region: str, account_ids: Iterable[str]) -> None:
    """Make the collaboration with exactly that id, of which all the accounts (one or more) are active members.

    Only the backends can do it: the API chooses the id, and moto's invites no other account.
    """
    members = list(account_ids)
    creator = members[0]
    collaboration = Collaboration(creator, region, "audiences", "audiences", creator, [], "DISABLED", [], None, None)
    collaboration.id = collaboration_id
    collaboration.arn = f"{collaboration.arn.partition('/')[0]}/{collaboration_id}"
    cleanrooms_backends[creator][region].collaborations[collaboration_id] = collaboration
    for account_id in members:
        membership = Membership(account_id, region, collaboration, "DISABLED", None, None)
        cleanrooms_backends[account_id][region].memberships[membership.id] = membership


def _provide_table(owner: Owner, bucket: str, interactions: Path) -> None:
    s3, glue = owner.client("s3"), owner.client("glue")
    s3.create_bucket(Bucket=bucket)
    s3.upload_file(str(interactions), bucket, f"{_TABLE}/{interactions.name}")
    glue.create_database(DatabaseInput={"Name": _DATABASE})
    columns = [{"Name": name, "Type": glue_type} for name, glue_type, _ in _COLUMNS]
    descriptor = {"Location": f"s3://{bucket}/{_TABLE}/", "Columns": columns}
    glue.create_table(DatabaseName=_DATABASE, TableInput={"Name": _TABLE, "StorageDescriptor": descriptor})


def _train(owner: Owner, role_arn: str) -> str:
    client = owner.client("cleanroomsml")
    schema = [{"columnName": name, "columnTypes": [column_type]} for name, _, column_type in _COLUMNS]
    source = {"glueDataSource": {"databaseName": _DATABASE, "tableName": _TABLE}}
    dataset_arn = client.create_training_dataset(
        name=_OWNER,
        roleArn=role_arn,
        trainingData=[{"type": "INTERACTIONS", "inputConfig": {"schema": schema, "dataSource": source}}],
    )["trainingDatasetArn"]
    model_arn: str = client.create_audience_model(name=_OWNER, trainingDatasetArn=dataset_arn)["audienceModelArn"]
    deadline = time.monotonic() + _TRAINING_SECONDS
    while (model := client.get_audience_model(audienceModelArn=model_arn))["status"] != "ACTIVE":
        if model["status"] == "CREATE_FAILED" or time.monotonic() > deadline:
            reason = model.get("statusDetails", {}).get("message", f"not done in {_TRAINING_SECONDS} s")
            raise RuntimeError(f"The audience model {model_arn} could not be trained: {reason}")
        time.sleep(0.05)
    return model_arn


def _reader_role(owner: Owner, bucket: str, source_arn: str) -> str:
    return _role(
        owner,
        f"{_OWNER}-reader",
        source_arn,
        {"Effect": "Allow", "Action": "glue:GetTable", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/{_TABLE}/*"},
    )


def _writer_role(owner: Owner, bucket: str, source_arn: str) -> str:
    return _role(
        owner,
        f"{_OWNER}-writer",
        source_arn,
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/audiences/*"},
    )


def _role(owner: Owner, name: str, source_arn: str, *statements: dict[str, str]) -> str:
    """A role that only Clean Rooms ML may assume, and on behalf of `source_arn` only if it names a resource.

    The condition is the guide's: https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
    """
    iam = owner.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEqualsIfExists": {"aws:SourceAccount": source_arn.split(":")[4]},
            "ArnLikeIfExists": {"aws:SourceArn": source_arn},
        },
    }
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=_policy(*statements))
    return arn


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
