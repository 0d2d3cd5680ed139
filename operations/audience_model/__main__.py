"""The command line of operations.audience_model."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, ProfileNotFound

from operations.audience_model.models import create
from operations.audience_model.request import AudienceModelError, Output, TrainingTable


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
