"""A Lambda execution environment: one `awslambdaric` process that serves the invocations of one function in turn.

The process is the real runtime interface client with the function's code, role credentials and environment, so a
handler gets the same context object, deadline, error payloads and log lines as on AWS. The SDK, which is part of the
runtime on AWS, is that of this module's interpreter. Memory and /tmp are not limited.
"""

import json
import os
import queue
import signal
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.aws.function_processes import FunctionProcesses
from local.aws.runtime_api import Invocation, Outcome, RuntimeApi

_INITIALIZATION_SECONDS = 60.0
"""AWS allows 10 s; a laptop that imports boto3 in eight processes at once needs more."""


@dataclass(frozen=True)
class FunctionConfiguration:
    """The configuration of a sandbox; equal ones can share it.

    The sandbox's creator makes the credentials, which are secret and different for each sandbox.
    """

    name: str
    arn: str
    version: str
    handler: str
    role_arn: str
    code_sha256: str
    region: str
    timeout: float
    memory_mb: int
    log_group: str
    environment: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Result:
    """One invocation: the payload the caller gets, the value of its FunctionError header if any, and the log."""

    payload: bytes
    function_error: str | None
    log: str


class Sandbox:
    """Start with the constructor, call `invoke` from one thread at a time, `close` when done.

    `alive` is False once the process has ended or was killed for overrunning its timeout.
    """

    def __init__(
        self,
        function: FunctionConfiguration,
        code: Path,
        log: Path,
        endpoint: str,
        credentials: dict[str, str],
        processes: FunctionProcesses,
    ) -> None:
        self.function = function
        self.access_key_id = credentials["aws_access_key_id"]
        self.alive = True
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        self._log, self._log_position = log, 0
        self._api = RuntimeApi()
        log.touch()
        environment = self._environment(code, endpoint, credentials)
        self._process = processes.start(function.handler, code, log, environment, self._ended)

    def _environment(self, code: Path, endpoint: str, credentials: dict[str, str]) -> dict[str, str]:
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
        function = self.function
        return {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            **dict(function.environment),
            **{name.upper(): value for name, value in credentials.items()},
            "PYTHONPATH": str(code),
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": function.handler,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL": endpoint,
            # Also prevents the look-up of macOS's proxies, which isn't safe after a fork.
            "no_proxy": "*",
        }

    def _ended(self, status: int) -> None:
        self.alive = False
        reason = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        error = {"errorType": "Runtime.ExitError", "errorMessage": f"Error: Runtime exited with error: {reason}"}
        self._api.outcomes.put(Outcome("exit", json.dumps(error).encode()))

    def invoke(self, event: bytes) -> Result:
        """Run the handler on `event` (JSON) and wait for its result, at most for the function's timeout."""
        request_id, begun = str(uuid.uuid4()), time.monotonic()
        self._api.submit(Invocation(request_id, event, self.function.arn, self.function.timeout))
        outcome = self._outcome(request_id, _INITIALIZATION_SECONDS, "Initialization")
        if outcome.kind == "started":
            outcome = self._outcome(request_id, self.function.timeout, "Task")
        if outcome.kind == "init_error":
            self.kill()
        milliseconds = (time.monotonic() - begun) * 1000
        function_error = None if outcome.kind == "response" else "Unhandled"
        return Result(outcome.payload, function_error, self._read_log(request_id, milliseconds))

    def _outcome(self, request_id: str, seconds: float, what: str) -> Outcome:
        try:
            return self._api.outcomes.get(timeout=seconds)
        except queue.Empty:
            self.kill()
            message = f"RequestId: {request_id} Error: {what} timed out after {seconds:.2f} seconds"
            error = {"errorType": "Sandbox.Timedout", "errorMessage": message}
            return Outcome("error", json.dumps(error).encode())

    def _read_log(self, request_id: str, milliseconds: float) -> str:
        with self._log.open("rb") as log:
            log.seek(self._log_position)
            written = log.read()
        self._log_position += len(written)
        lines = written.decode("utf-8", "replace")
        return (
            f"START RequestId: {request_id} Version: {self.function.version}\n"
            f"{lines}{'' if lines.endswith(chr(10)) or not lines else chr(10)}"
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Memory Size: {self.function.memory_mb} MB\n"
        )

    def kill(self) -> None:
        """Kill the process; a running invocation ends as with a crashed runtime."""
        self.alive = False
        self._process.kill()

    def close(self) -> None:
        """End the process and its Runtime API."""
        self.kill()
        self._process.over.wait()
        self._api.close()
        self._log.unlink(missing_ok=True)
