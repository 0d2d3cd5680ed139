"""Options that several commands have in common."""

from typing import Annotated

import typer

from operations.deployed import LOCAL

Env = Annotated[
    str, typer.Option("--env", metavar="ENV", help=f"Environment of cdk.json; '{LOCAL}' is the AWS of `make local`.")
]
Endpoint = Annotated[
    str | None,
    typer.Option("--endpoint-url", metavar="URL", help="URL of AWS, instead of the usual one."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on the standard output, for scripts.")]


def where(env: str, endpoint_url: str | None) -> str:
    """The options with which another command uses the same environment."""
    return f"--env {env}" + (f" --endpoint-url {endpoint_url}" if endpoint_url else "")
