"""The command line of operations.audience_model."""

import argparse
import sys
from collections.abc import Sequence

import boto3

from operations.audience_model.models import create
from operations.audience_model.request import AudienceModelError, Output, TrainingTable
from operations.commands import INTERRUPTED, print_error
from operations.deployed import Connection


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operations.audience_model",
        description="Make the configured audience model for parameters.StartAudienceGenerationJob of cdk.json, with "
        "your own AWS credentials and Region. After an interruption, start the command again.",
    )
    table, output = TrainingTable("", ""), Output("")
    parser.add_argument("--name", required=True, help="name of every resource that is made or used again")
    parser.add_argument("--database", required=True, help="Glue database of the training data")
    parser.add_argument("--table", required=True, help="Glue table of interactions: 100,000 users and 1,000,000 rows")
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
    """Exit status 0: the model exists, and its ARN is printed; 1: it doesn't, and the reason is on standard error."""
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
        aws = Connection(boto3.Session(), None)
        arn = create(aws, chosen.name, training, output, poll_seconds=poll_seconds)
        print(f"\n{arn}\n\nIn cdk.json, below parameters.StartAudienceGenerationJob:")
        print(f'"configuredAudienceModelArn": "{arn}"')
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Stopped; a training that has started goes on. The same command continues.", file=sys.stderr)
        return INTERRUPTED
    except AudienceModelError as error:
        return print_error(error)
    except Exception as error:
        code = print_error(error)
        if not isinstance(error, BrokenPipeError):
            print("The same command continues; docs/deploy.md names the permissions that it needs.", file=sys.stderr)
        return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
