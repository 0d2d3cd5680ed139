"""The group of commands: what a user can cause ends in one sentence and exit code 1, never in a traceback."""

import sys
from typing import Any

import typer
import typer.core
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

from operations.deployed import LOCAL_ENDPOINT
from operations.errors import OperationError


class Commands(typer.core.TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (OperationError, ClientError, BotoCoreError) as error:
            print(sentence(error), file=sys.stderr)
            raise typer.Exit(1) from None


def sentence(error: OperationError | ClientError | BotoCoreError) -> str:
    """What went wrong and what to do."""
    if isinstance(error, OperationError):
        return str(error)
    if isinstance(error, ClientError):
        return _refused(error)
    if isinstance(error, NoRegionError):
        return "No Region is set; set AWS_DEFAULT_REGION, or region in the profile that AWS_PROFILE names."
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return "No AWS credentials are found; log in (aws sso login), or set AWS_PROFILE."
    if isinstance(error, (CredentialRetrievalError, SSOError)):
        return f"The AWS credentials can't be had ({error}); log in again (aws sso login)."
    if isinstance(error, ProfileNotFound):
        return f"{error}; correct or unset AWS_PROFILE."
    if isinstance(error, EndpointConnectionError):
        url = str(error.kwargs.get("endpoint_url", ""))
        is_local = url.startswith(LOCAL_ENDPOINT)
        advice = "start the local AWS with `make local`" if is_local else "correct --endpoint-url or the network"
        return f"Nobody answers at {url}; {advice}."
    return f"AWS can't be asked: {error}"


def _refused(error: ClientError) -> str:
    told = error.response.get("Error", {})
    code, message = told.get("Code", "unknown"), str(told.get("Message", "")).rstrip(".")
    if code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"):
        return f"AWS doesn't take the credentials ({code}: {message}); log in again."
    if code in ("AccessDenied", "AccessDeniedException", "403"):
        return f"AWS refused {error.operation_name} ({message}); ask for that right, or use other credentials."
    return f"AWS refused {error.operation_name} ({code}: {message}); repair that and repeat the command."
