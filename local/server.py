"""The local AWS: moto's server in this process, with the extensions of this package.

    aws = LocalAws.start()
    aws.client("s3").list_buckets()
    aws.stop()

Any AWS client can use it, for example with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set to `local`:
`aws --endpoint-url <aws.endpoint> s3 ls`.
"""

import contextlib
import functools
import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError
from moto import backends
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from local.aws import (
    account,
    account_apis,
    alarm_actions,
    alarm_evaluation,
    athena_apis,
    clients,
    clock,
    cloudformation,
    dynamodb_items,
    embedded_metrics,
    event_source_mapping,
    events,
    fault_injection,
    faults,
    iam,
    key_states,
    kms_keys,
    lambda_runtime,
    log_patterns,
    log_queries,
    metric_queries,
    presigned_urls,
    s3_archives,
    s3_customer_keys,
    s3_keys,
    s3_listing,
    s3_object_parts,
    schedules,
    step_functions,
    traces,
    unanswered,
)
from local.aws.backends import register
from local.aws.credentials import ACCOUNT_ID, operator_credentials
from local.aws.open_points import DEFAULT, OpenPoints, play, played
from local.ports import HOST, listen

REGION = "us-east-1"
SERVICES = {
    "transcribe": "local.services.transcribe",
    "comprehendmedical": "local.services.comprehendmedical",
    "cleanroomsml": "local.services.cleanroomsml",
}
_ADDED_SERVICES = {"health": "local.aws.health"}
ASSET_BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT_ID}-{REGION}"

# The part of `cdk bootstrap`'s stack that a deployment needs.
_BOOTSTRAP = {
    "Resources": {
        "StagingBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": ASSET_BUCKET}},
        "CdkBootstrapVersion": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/cdk-bootstrap/hnb659fds/version", "Type": "String", "Value": "31"},
        },
    },
    "Outputs": {
        "BucketName": {"Value": {"Ref": "StagingBucket"}},
        "BootstrapVersion": {"Value": "31"},
    },
}

_list_of_moto_modules = backends.list_of_moto_modules


@functools.cache
def _moto_modules() -> frozenset[str]:
    """moto lists its own folder for every request, twice, and nothing comes or goes there."""
    return frozenset(_list_of_moto_modules())


class LocalAws:
    """A running local AWS, created by `start`.

    `endpoint` is its URL, `faults` injects faults, `account` has the account's facts.
    """

    _running: "LocalAws | None" = None

    def __init__(self, port: int) -> None:
        self._socket = listen(port, "the local AWS")
        self.endpoint = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._environment = dict(os.environ)
        self._server: BaseWSGIServer | None = None
        self._serving = threading.Thread()
        self.faults = faults.Faults()
        self.account = account.Account()
        self._without_faults: Callable[[], None] | None = None

    @classmethod
    def start(
        cls,
        port: int = 0,
        time_scale: float = 0.1,
        longest_wait: float = 1.0,
        services: Mapping[str, str] = SERVICES,
        open_points: OpenPoints = DEFAULT,
    ) -> "LocalAws":
        """Start on `port` of the loopback interface (0: a free one), with an empty account that CDK can deploy into.

        `time_scale` is the real seconds that one AWS second of waiting takes, `longest_wait` the most real seconds that
        any wait takes (`local.aws.clock`). `services` maps AI services to the packages that serve them
        (`local.aws.backends.register`). `open_points` are the variants to play of undocumented behaviour.
        Sets AWS_ENDPOINT_URL for this process and hides the user's own AWS configuration from it until `stop`.
        Raises OSError if the port cannot be used, RuntimeError if a local AWS already runs in this process: moto's
        state belongs to the process.
        """
        if cls._running:
            raise RuntimeError(f"A local AWS already runs in this process, at {cls._running.endpoint}; stop it first")
        for name, package in {**_ADDED_SERVICES, **services}.items():
            register(name, package)
        aws = cls(port)
        cls._running = aws
        play(open_points)
        try:
            aws._start(time_scale, longest_wait)
        except BaseException:
            aws.stop()
            raise
        return aws

    def _start(self, time_scale: float, longest_wait: float) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_") or name == "MOTO_ACCOUNT_ID"]:
            del os.environ[name]
        os.environ |= {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
            # All requests go to this machine. The lower-case variable overrides NO_PROXY.
            "no_proxy": "*",
        }
        clock.set_scale(time_scale, longest_wait)
        iam.install()
        self._without_faults = fault_injection.install(self.faults)
        cloudformation.install()
        step_functions.install()
        dynamodb_items.install()
        kms_keys.install()
        key_states.install()
        s3_archives.install()
        s3_customer_keys.install()
        s3_keys.install()
        s3_listing.install()
        s3_object_parts.install()
        events.install()
        schedules.install()
        account.set_current(self.account)
        account_apis.install()
        alarm_actions.install()
        alarm_evaluation.install()
        athena_apis.install()
        embedded_metrics.install()
        log_patterns.install()
        log_queries.install()
        metric_queries.install()
        traces.install()
        event_source_mapping.install()
        lambda_runtime.install(self.endpoint)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        backends.list_of_moto_modules = _moto_modules
        application = presigned_urls.Middleware(fault_injection.Middleware(unanswered.Server(), self.faults))
        self._server = make_server(
            HOST, 0, application, threaded=True, request_handler=MotoRequestHandler, fd=self._socket.fileno()
        )
        self._serving = threading.Thread(target=self._server.serve_forever, name="local-aws", daemon=True)
        self._serving.start()
        self._bootstrap()

    @property
    def open_points(self) -> OpenPoints:
        """The variants of undocumented behaviour that are played now; can be set."""
        return played()

    @open_points.setter
    def open_points(self, ways: OpenPoints) -> None:
        play(ways)

    def _bootstrap(self) -> None:
        """The stack that `cdk bootstrap` would have made."""
        self.client("cloudformation").create_stack(StackName="CDKToolkit", TemplateBody=json.dumps(_BOOTSTRAP))

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of `service` with the operator's rights; `options` are those of `boto3.client`."""
        options = {"endpoint_url": self.endpoint, "region_name": REGION, **operator_credentials(), **options}
        return clients.client(service, **options)

    def _stop_executions(self) -> None:
        # Otherwise their threads would go on in a later local AWS of this process.
        states = self.client("stepfunctions")
        for machine in states.list_state_machines()["stateMachines"]:
            pages = states.get_paginator("list_executions").paginate(
                stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
            )
            for arn in [execution["executionArn"] for page in pages for execution in page["executions"]]:
                # It may have ended meanwhile.
                with contextlib.suppress(ClientError):
                    states.stop_execution(executionArn=arn)

    def stop(self) -> None:
        """Stop serving, end every process and thread of the extensions, reset all state, restore the environment."""
        if LocalAws._running is not self:
            return
        event_source_mapping.stop()
        schedules.stop()
        alarm_evaluation.stop()
        if self._server:
            self._stop_executions()
        lambda_runtime.stop()
        if self._server:
            self._server.shutdown()
            # It closes the server's socket itself, after `shutdown` returns.
            self._serving.join()
        self._socket.close()
        if self._without_faults:
            self._without_faults()
        iam.stop()
        BackendDict.reset()
        reset_model_data()
        clients.forget()
        os.environ.clear()
        os.environ |= self._environment
        LocalAws._running = None
