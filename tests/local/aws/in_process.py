"""A moto server whose Lambda functions are Python callables of the test, for tests of the services around them."""

import contextlib
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.awslambda.models import LambdaFunction
from moto.core.base_backend import BackendDict
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from local.aws import clients, clock
from local.aws.credentials import operator_credentials

REGION = "us-east-1"
ACCOUNT = "123456789012"
Handler = Callable[[Any], Any]


class InProcessAws:
    """Clients of the server, and the resources that tests need."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.calls: list[tuple[str, Any]] = []
        self._handlers: dict[str, Handler] = {}
        self._calling = threading.Lock()

    def client(self, service: str) -> Any:
        return clients.client(service, self.endpoint, REGION, **operator_credentials())

    def role(self, name: str, *services: str) -> str:
        """The ARN of a role that may do anything and trusts `services`."""
        iam = self.client("iam")
        trust = [{"Effect": "Allow", "Principal": {"Service": s}, "Action": "sts:AssumeRole"} for s in services]
        everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
            iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_policy(everything))
        arn: str = iam.get_role(RoleName=name)["Role"]["Arn"]
        return arn

    def function(self, name: str, handler: Handler, timeout: int = 3) -> str:
        """The ARN of a function that calls `handler(event)`."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("handler.py", "")
        self._handlers[name] = handler
        created = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self.role("function", "lambda.amazonaws.com"),
            Handler="handler.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=timeout,
        )
        arn: str = created["FunctionArn"]
        return arn

    def events(self, function: str) -> list[Any]:
        """The events of the calls of `function` so far."""
        with self._calling:
            return [event for name, event in self.calls if name == function]

    def invoke(self, function: LambdaFunction, body: str, request_headers: Any, response_headers: Any) -> bytes:
        event = json.loads(body or "{}")
        with self._calling:
            self.calls.append((function.function_name, event))
        try:
            return json.dumps(self._handlers[function.function_name](event)).encode()
        except Exception as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode()

    def state_machine(self, name: str, definition: dict[str, Any], **more: Any) -> str:
        created = self.client("stepfunctions").create_state_machine(
            name=name,
            definition=json.dumps(definition),
            roleArn=self.role("state-machine", "states.amazonaws.com"),
            **more,
        )
        arn: str = created["stateMachineArn"]
        return arn

    def run(self, machine: str, **request: Any) -> dict[str, Any]:
        """The description of an execution of the state machine `machine`, once it has ended."""
        request["input"] = json.dumps(request.get("input", {}))
        started = self.client("stepfunctions").start_execution(stateMachineArn=machine, **request)
        return self.ended(started["executionArn"])

    def ended(self, execution: str, seconds: float = 20) -> dict[str, Any]:
        sfn = self.client("stepfunctions")
        description: dict[str, Any] = {}

        def has_ended() -> bool:
            description.update(sfn.describe_execution(executionArn=execution))
            return bool(description["status"] != "RUNNING")

        eventually(has_ended, seconds)
        return description


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """The first true value of `condition`; fails the test if there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    pytest.fail(f"this did not become true within {seconds} s")


def pass_state(**fields: Any) -> dict[str, Any]:
    """A definition of one Pass state."""
    return {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True, **fields}}}


def wait_state(seconds: int) -> dict[str, Any]:
    """A definition of one Wait state."""
    return {"StartAt": "Only", "States": {"Only": {"Type": "Wait", "Seconds": seconds, "End": True}}}


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@contextlib.contextmanager
def in_process_aws(time_scale: float) -> Iterator[InProcessAws]:
    """A running server; at the end moto is reset."""
    before = clock.scale()
    clock.set_scale(time_scale)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    aws = InProcessAws("http://{}:{}".format(*server.get_host_and_port()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
        # A function, not a bound method, so that the class hands it the Lambda function as its first argument.
        patch.setattr(LambdaFunction, "invoke", lambda self, *arguments: aws.invoke(self, *arguments))
        try:
            yield aws
        finally:
            server.stop()
            clients.forget()
            BackendDict.reset()
            clock.set_scale(before)
