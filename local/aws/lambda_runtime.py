"""Executes the Lambda functions that moto stores, without Docker.

It replaces `moto.awslambda.models.LambdaFunction.invoke`, which every caller in moto uses: the Invoke API, Step
Functions, the event source mapping.
"""

import base64
import io
import itertools
import json
import logging
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping, MutableMapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path, PurePosixPath

from moto.awslambda.models import LambdaFunction
from moto.core.exceptions import JsonRESTError

from local.aws import clock
from local.aws.credentials import AccessDenied, assume_service_role
from local.aws.function_logs import write_log
from local.aws.function_processes import FunctionProcesses
from local.aws.sandbox import FunctionConfiguration, Result, Sandbox
from local.aws.service_metrics import count_invocation
from local.aws.traces import trace_invocation

MAXIMUM_RUNNING = 8
"""Invocations that run at the same time; further ones wait, which does not count towards their timeout."""
MAXIMUM_SANDBOXES = 24
"""The most processes, running or warm; beyond that, the one that is idle for longest ends."""

_ASYNCHRONOUS_RETRY_SECONDS = (60, 120)
"""https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""

_log = logging.getLogger(__name__)
_moto_invoke = LambdaFunction.invoke
_runtime: "LambdaRuntime | None" = None


class LambdaRuntime:
    """The sandboxes of all functions, and the directory of their unpacked code and logs."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._processes = FunctionProcesses()
        self._directory = Path(tempfile.mkdtemp(prefix="lambda-"))
        self._running = threading.BoundedSemaphore(MAXIMUM_RUNNING)
        self._lock = threading.Lock()
        self._idle: list[Sandbox] = []
        self._all: set[Sandbox] = set()
        self._numbers = itertools.count(1)
        self._closed = False

    def run(self, function: LambdaFunction, event: bytes) -> Result:
        """Invoke `function` with `event` (JSON), in a warm sandbox if there is one; write its log and trace."""
        configuration = _configuration(function)
        with self._running:
            sandbox = self._take(configuration) or self._start(configuration, function)
            begun = time.time()
            result = sandbox.invoke(event)
            trace_invocation(function, begun, time.time(), failed=result.function_error is not None)
            write_log(function, sandbox.log_stream, result.log)
            self._give_back(sandbox)
        return result

    def close(self) -> None:
        """End every sandbox, also those at work, and remove their files."""
        with self._lock:
            self._closed = True
            sandboxes = list(self._all)
        for sandbox in sandboxes:
            sandbox.close()
        self._processes.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def sandbox_with(self, access_key_id: str) -> Sandbox | None:
        """The sandbox whose process calls AWS with these credentials."""
        with self._lock:
            return next((sandbox for sandbox in self._all if sandbox.access_key_id == access_key_id), None)

    def _take(self, configuration: FunctionConfiguration) -> Sandbox | None:
        with self._lock:
            for sandbox in reversed(self._idle):
                if sandbox.function == configuration and sandbox.alive:
                    self._idle.remove(sandbox)
                    return sandbox
        return None

    def _give_back(self, sandbox: Sandbox) -> None:
        with self._lock:
            if sandbox.alive and not self._closed:
                self._idle.append(sandbox)
                return
            self._all.discard(sandbox)
        sandbox.close()

    def _start(self, configuration: FunctionConfiguration, function: LambdaFunction) -> Sandbox:
        credentials = assume_service_role(configuration.role_arn, "lambda.amazonaws.com", configuration.arn)
        with self._lock:
            if self._closed:
                raise RuntimeError(f"{configuration.name} was invoked after the local AWS had stopped")
            surplus = self._idle.pop(0) if len(self._all) >= MAXIMUM_SANDBOXES and self._idle else None
            code = self._unpack(configuration.code_sha256, function.code_bytes)
            log = self._directory / f"{next(self._numbers)}.log"
            sandbox = Sandbox(configuration, code, log, self._endpoint, credentials, self._processes)
            self._all.add(sandbox)
            if surplus:
                self._all.discard(surplus)
        if surplus:
            surplus.close()
        return sandbox

    def _unpack(self, sha256: str, archive: bytes) -> Path:
        directory = self._directory / base64.b16encode(base64.b64decode(sha256)).decode()
        if not directory.exists():
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                foreign = {_top(name) for name in opened.namelist() if _is_foreign(name)}
                opened.extractall(directory, [name for name in opened.namelist() if _top(name) not in foreign])
        return directory


def install(endpoint: str) -> None:
    """Execute the functions of this process's moto, whose services are at `endpoint`."""
    global _runtime
    _runtime = LambdaRuntime(endpoint)
    LambdaFunction.invoke = _invoke  # type: ignore[method-assign, assignment]


def stop() -> None:
    """End every sandbox and give moto's own `invoke` back."""
    global _runtime
    if _runtime:
        _runtime.close()
    _runtime = None
    LambdaFunction.invoke = _moto_invoke  # type: ignore[method-assign]


def caller_of(access_key_id: str) -> str | None:
    """The name of the function whose process calls AWS with these credentials."""
    sandbox = _runtime.sandbox_with(access_key_id) if _runtime else None
    return sandbox.function.name if sandbox else None


def kill_caller(access_key_id: str) -> None:
    """Kill the process of the function that calls AWS with these credentials."""
    sandbox = _runtime.sandbox_with(access_key_id) if _runtime else None
    if sandbox:
        sandbox.kill()


def _invoke(
    function: LambdaFunction,
    body: str | bytes,
    request_headers: Mapping[str, str],
    response_headers: MutableMapping[str, str],
) -> bytes:
    event = body.encode() if isinstance(body, str) else body or b""
    event = event or b"{}"
    try:
        json.loads(event)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise JsonRESTError("InvalidRequestContentException", message) from None
    headers = {name.lower(): value for name, value in request_headers.items()}
    match headers.get("x-amz-invocation-type", "RequestResponse"):
        case "DryRun":
            return b""
        case "Event":
            threading.Thread(target=_invoke_asynchronously, args=(function, event), daemon=True).start()
            return b""
    result = _run(function, event)
    response_headers["x-amz-executed-version"] = str(function.version)
    if result.function_error:
        response_headers["x-amz-function-error"] = result.function_error
    response_headers["x-amz-log-result"] = base64.b64encode(result.log.encode()[-4096:]).decode()
    return result.payload


def _invoke_asynchronously(function: LambdaFunction, event: bytes) -> None:
    for wait in (*_ASYNCHRONOUS_RETRY_SECONDS, None):
        if not _run(function, event).function_error:
            return
        if wait is not None:
            time.sleep(clock.scaled(wait))
    _log.warning("%s failed on every attempt; its asynchronous event is dropped", function.function_name)


def _run(function: LambdaFunction, event: bytes) -> Result:
    if _runtime is None:
        raise RuntimeError(f"{function.function_name} was invoked while no local AWS is running")
    try:
        result = _runtime.run(function, event)
    except AccessDenied as error:
        # The role was changed after the function's creation, which AWS would have refused.
        message = f"The role defined for the function cannot be assumed by Lambda. {error}"
        payload = json.dumps({"errorType": "InvalidParameterValueException", "errorMessage": message}).encode()
        result = Result(payload, "Unhandled", "")
    count_invocation(function.function_arn, failed=bool(result.function_error))
    return result


def _top(name: str) -> str:
    return name.partition("/")[0]


def _is_foreign(name: str) -> bool:
    """Whether the file is a module compiled for another platform or Python, whose package is installed here anyway.

    The name of a module for every Python (`abi3`) doesn't say for which processor it is.
    """
    _, dot, suffix = PurePosixPath(name).name.partition(".")
    return suffix.endswith("so") and ("abi3" in suffix or dot + suffix not in EXTENSION_SUFFIXES)


def _configuration(function: LambdaFunction) -> FunctionConfiguration:
    if not (function.handler and function.code_sha_256):
        raise JsonRESTError("InvalidParameterValueException", f"{function.function_name} has no handler or no code")
    return FunctionConfiguration(
        name=function.function_name,
        arn=function.function_arn,
        version="$LATEST",
        handler=function.handler,
        role_arn=function.role,
        code_sha256=function.code_sha_256,
        region=function.region,
        timeout=float(function.timeout),
        memory_mb=int(function.memory_size),
        log_group=function.logs_group_name,
        environment=tuple(sorted((name, str(value)) for name, value in function.environment_vars.items())),
    )
