"""A deployed environment: its buckets, table, state machine and clients, found through its stack.

Source: CloudFormation API reference, DescribeStacks (ValidationError if the stack doesn't exist).
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.searching.categories import Buckets
from lambdas.shared.parallel import PARALLEL_REQUESTS
from operations import clients
from operations.environments import check_environment
from operations.errors import OperationError

LOCAL = "local"
LOCAL_ENDPOINT = "http://127.0.0.1:4566"
# The default in the names of the bootstrap's roles and parameters (CDK developer guide, "Bootstrap template").
BOOTSTRAP_QUALIFIER = "hnb659fds"
# The stack's outputs, in the order of Buckets and of Deployed.
_BUCKETS = tuple(f"{name}BucketName" for name in ("Media", "Clinical", "Audience", "Operations", "AccessLogs"))
_OTHERS = ("LedgerTableName", "MembersTableName", "StateMachineArn")


class Connection(NamedTuple):
    """The endpoint of an environment's AWS, and the user's credentials for it."""

    session: Any
    endpoint_url: str | None

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of `service`; `region` replaces the session's, for a service that exists in one Region only."""
        return _client(self.session, service, self.endpoint_url, region)


class Deployed(NamedTuple):
    """An environment's stack on AWS or on the local AWS.

    `ledger` and `members` are the names of the tables. `prefix` is the stack's name, and begins every name that the
    application chooses. `outputs` are the stack's.
    """

    connection: Connection
    prefix: str
    buckets: Buckets
    ledger: str
    members: str
    state_machine_arn: str
    outputs: Mapping[str, str]

    @property
    def backfill_arn(self) -> str:
        """The backfill's state machine.

        Raises:
            OperationError: the environment was deployed before it had one.
        """
        return self._output("BackfillStateMachineArn", "backfill")

    @property
    def analysis_arn(self) -> str:
        """The state machine that compacts records.

        Raises:
            OperationError: the environment was deployed before it had one.
        """
        return self._output("AnalysisStateMachineArn", "compaction")

    def _output(self, name: str, kind: str) -> str:
        if name not in self.outputs:
            environment = self.prefix.removeprefix(prefix_of(""))
            raise OperationError(
                f"The stack {self.prefix} has no {kind}; deploy it again: make deploy ENV={environment}."
            )
        return self.outputs[name]

    @property
    def search_arn(self) -> str:
        """The state machine that searches everything for patients.

        Raises:
            OperationError: the environment was deployed before it had one.
        """
        return self._output("SearchStateMachineArn", "search")

    @property
    def media(self) -> str:
        return self.buckets.media

    @property
    def clinical(self) -> str:
        return self.buckets.clinical

    @property
    def audience(self) -> str:
        return self.buckets.audience

    @property
    def is_local(self) -> bool:
        return self.prefix == prefix_of(LOCAL)

    def client(self, service: str) -> Any:
        return self.connection.client(service)


def prefix_of(environment: str) -> str:
    """The name of the environment's stack, and the prefix of its other names."""
    return f"clinical-media-{environment}"


def connect(environment: str, endpoint_url: str | None = None) -> Connection:
    """The connection to the environment's AWS; for `local`, the one that `python -m local up` serves.

    Raises:
        OperationError: cdk.json has no such environment.
        botocore.exceptions.BotoCoreError: the profile in AWS_PROFILE doesn't exist.
    """
    check_environment(environment)
    if environment == LOCAL:
        return Connection(_local_session(), endpoint_url or os.environ.get("AWS_ENDPOINT_URL") or LOCAL_ENDPOINT)
    # The CDK CLI and the AWS CLI read this variable; boto3 by itself doesn't.
    return Connection(boto3.Session(region_name=os.environ.get("AWS_REGION")), endpoint_url)


def find(environment: str, endpoint_url: str | None = None) -> Deployed:
    """The environment's stack, read with the user's own credentials.

    Raises:
        OperationError: there is no such stack, or it lacks an output.
        botocore.exceptions.BotoCoreError: no credentials, no Region, or no answer.
        botocore.exceptions.ClientError: a call was refused.
    """
    connection = connect(environment, endpoint_url)
    prefix = prefix_of(environment)
    cloudformation = connection.client("cloudformation")
    outputs = _outputs(cloudformation, environment, prefix)
    if missing := [name for name in (*_BUCKETS, *_OTHERS) if name not in outputs]:
        raise OperationError(f"The stack {prefix} has no output {missing[0]}; deploy it again: make deploy ENV=…")
    ledger, members, state_machine = (outputs[name] for name in _OTHERS)
    buckets = Buckets(*(outputs[name] for name in _BUCKETS))
    return Deployed(connection, prefix, buckets, ledger, members, state_machine, outputs)


# Creating a client takes longer than most of its calls.
@cache
def _client(session: Any, service: str, endpoint_url: str | None, region: str | None) -> Any:
    # Fewer attempts for the local AWS: if it is down, retrying doesn't start it. One connection more than parallel
    # requests, for the listing that feeds them.
    attempts = 2 if endpoint_url else 8
    config = Config(max_pool_connections=PARALLEL_REQUESTS + 1, retries={"mode": "standard", "max_attempts": attempts})
    return clients.make(session, service, endpoint_url, region, config)


def _local_session() -> Any:
    """A session that reads nothing of the user's configuration, which may have mistakes."""
    unset = (None, None, None, None)
    nowhere = (None, None, os.devnull, None)
    session = botocore.session.Session({"profile": unset, "config_file": nowhere, "credentials_file": nowhere})
    return boto3.Session("local", "local", region_name="us-east-1", botocore_session=session)


def find_stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """CloudFormation's description of the stack; None if it doesn't exist.

    Raises:
        botocore.exceptions.ClientError: the call was refused.
    """
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    found: dict[str, Any] = stack
    return found


def _outputs(cloudformation: Any, environment: str, prefix: str) -> dict[str, str]:
    stack = find_stack(cloudformation, prefix)
    if stack is None:
        raise OperationError(
            f"There is no stack {prefix} at {cloudformation.meta.endpoint_url}{_others(cloudformation)}: correct --env "
            f"{environment}, the Region or the credentials, or deploy it (make deploy ENV={environment})."
        )
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def _others(cloudformation: Any) -> str:
    """Our stacks that exist, as part of a sentence; empty if they can't be listed."""
    begin = prefix_of("")
    try:
        pages = cloudformation.get_paginator("describe_stacks").paginate()
        names = sorted(stack["StackName"] for page in pages for stack in page["Stacks"])
    except ClientError:
        return ""
    ours = [name for name in names if name.startswith(begin)]
    return f", only {', '.join(ours)}" if ours else ", and no other that begins with " + begin
