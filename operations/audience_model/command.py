"""The command `audience-model`."""

import sys
from typing import Annotated

import boto3
import typer

from operations.audience_model.models import create
from operations.audience_model.request import Output, TrainingTable
from operations.commands import INTERRUPTED
from operations.deployed import Connection
from operations.errors import OperationError
from operations.refusals import AWS_ERRORS, sentence

POLL_SECONDS = 60.0
_TABLE, _OUTPUT = TrainingTable("", ""), Output("")


def audience_model_command(
    name: Annotated[str, typer.Option("--name", help="Name of every resource that is made or used again.")],
    database: Annotated[str, typer.Option("--database", help="Glue database of the training data.")],
    table: Annotated[
        str, typer.Option("--table", help="Glue table of interactions: 100,000 users and 1,000,000 rows.")
    ],
    output: Annotated[str, typer.Option("--output", metavar="S3_URI", help="Prefix for exported audiences.")],
    user_id_column: Annotated[str, typer.Option("--user-id-column", help="Column of the user ids.")] = _TABLE.user_id,
    item_id_column: Annotated[str, typer.Option("--item-id-column", help="Column of the items.")] = _TABLE.item_id,
    timestamp_column: Annotated[
        str, typer.Option("--timestamp-column", help="Column of the times.")
    ] = _TABLE.timestamp,
    training_key: Annotated[
        str | None,
        typer.Option("--training-key", metavar="ARN", help="KMS key of the table's files, if any."),
    ] = None,
    output_key: Annotated[
        str | None, typer.Option("--output-key", metavar="ARN", help="KMS key of the output bucket, if any.")
    ] = None,
    minimum_seed: Annotated[
        int, typer.Option("--minimum-seed", help="Ids of a seed that must be in the training data, 25 or more.")
    ] = _OUTPUT.minimum_seed,
    percentages: Annotated[
        str, typer.Option("--percentages", metavar="PERCENT,...", help="Audience sizes that an export may choose.")
    ] = ",".join(map(str, _OUTPUT.percentages)),
) -> None:
    """Make the configured audience model for parameters.StartAudienceGenerationJob of cdk.json.

    \b
    Example: python -m operations audience-model --name readers --database audiences --table interactions
               --output s3://BUCKET/audiences

    The command acts with your own AWS credentials and Region. It may be interrupted and repeated.

    Exit codes: 0 the model exists, and its ARN is printed, 1 it doesn't, 130 Ctrl-C: a training goes on.
    """
    training = TrainingTable(database, table, user_id_column, item_id_column, timestamp_column, training_key)
    wanted = Output(output, output_key, minimum_seed, _sizes(percentages))
    try:
        aws = Connection(boto3.Session(), None)
        arn = create(aws, name, training, wanted, poll_seconds=POLL_SECONDS)
    except KeyboardInterrupt:
        print("Stopped; a training that has started goes on. The same command continues.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except AWS_ERRORS as error:
        more = "The same command continues; docs/deploy.md names the permissions that it needs."
        raise OperationError(f"{sentence(error)}\n{more}") from error
    print(f"\n{arn}\n\nIn cdk.json, below parameters.StartAudienceGenerationJob:")
    print(f'"configuredAudienceModelArn": "{arn}"')


def _sizes(percentages: str) -> list[int]:
    try:
        return [int(size) for size in percentages.split(",")]
    except ValueError:
        raise OperationError(f"--percentages is {percentages!r}; give numbers, such as 1,5,10.") from None
