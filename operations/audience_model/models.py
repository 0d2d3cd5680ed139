"""Finds by name, or makes, the training data set, the audience model and the configured audience model."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from operations.audience_model.request import (
    Aws,
    Output,
    Place,
    TrainingTable,
    check_bucket,
    check_table,
    check_wanted,
)
from operations.audience_model.roles import reading, role, writing
from operations.errors import OperationError

# Twice the "up to 24 hours to train" of the user guide.
_TRAINING_SECONDS = 48 * 3600
_REPORT_SECONDS = 600


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
        OperationError: the request is invalid, another resource has that name, or the training failed.
        botocore.exceptions.ClientError: a call was refused.
    """
    check_wanted(name, output)
    caller = aws.client("sts").get_caller_identity()
    client = aws.client("cleanroomsml")
    account, partition = caller["Account"], caller["Arn"].split(":")[1]
    place = Place(partition, client.meta.region_name, account)
    check_bucket(aws, place, output.uri)
    location = check_table(aws, place, training)

    reader = role(aws, place, f"{name}-training", "training-dataset", reading(place, training, location), report)
    writer = role(aws, place, f"{name}-output", "configured-audience-model", writing(place, output), report)
    dataset = _training_dataset(client, name, reader, training, report)
    model = _audience_model(client, name, dataset, report, poll_seconds)
    return _configured_audience_model(client, name, model, writer, output, report)


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
            raise OperationError(
                f"The audience model {name} is {status}: {reason}. Repair that, delete the model "
                f"(aws cleanroomsml delete-audience-model --audience-model-arn {arn}) and start this command again."
            )
        if waited > _TRAINING_SECONDS:
            raise OperationError(
                f"The audience model {name} is {status} after {_TRAINING_SECONDS // 3600} hours; ask AWS about {arn}, "
                "or start this command again to go on waiting."
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
    """The ARN of the resource called `name`; the API's lists can't be filtered."""
    for page in client.get_paginator(operation).paginate():
        for resource in page[member]:
            if resource["name"] == name:
                return str(resource[arn_member])
    return None


def _check_same(called: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    for member, there, asked in _differences(found, wanted):
        raise OperationError(
            f"The {called} exists with another {member} ({there}, not {asked}); choose another --name, or delete it."
        )


def _differences(found: Any, wanted: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Path, found and wanted value of each difference; members that weren't asked for may be the service's defaults."""
    if isinstance(wanted, Mapping):
        there = found if isinstance(found, Mapping) else {}
        for member in wanted:
            yield from _differences(there.get(member), wanted[member], f"{path}.{member}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        for number, pair in enumerate(zip(found, wanted, strict=True)):
            yield from _differences(*pair, f"{path}[{number}]")
    elif found != wanted:
        yield path, "nothing" if found is None else found, wanted
