import io
import json
import threading
import time
import uuid
import zipfile
from pathlib import Path
from typing import Any

import _duckdb
import msgspec
import pytest
from moto.awslambda.models import LambdaFunction

from local.aws import clock, lambda_runtime
from local.server import LocalAws


def test_the_handler_gets_the_event_and_a_real_context(make_function: Any, invoke: Any) -> None:
    name = make_function(
        """
        def handler(event, context):
            return {
                "event": event,
                "name": context.function_name,
                "arn": context.invoked_function_arn,
                "memory": context.memory_limit_in_mb,
                "milliseconds": context.get_remaining_time_in_millis(),
            }
        """,
        Timeout=20,
        MemorySize=512,
    )
    payload, error, _ = invoke(name, {"patient": "p-001", "é": [1, None]})
    assert error is None
    assert payload["event"] == {"patient": "p-001", "é": [1, None]}
    assert payload["name"] == name
    assert payload["arn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert payload["memory"] == "512"
    assert 15_000 < payload["milliseconds"] < 20_010


def test_the_environment_is_the_functions_and_the_endpoint_is_local(
    local_aws: LocalAws, make_function: Any, invoke: Any
) -> None:
    name = make_function(
        "import os\ndef handler(event, context): return dict(os.environ)",
        Environment={"Variables": {"RESOURCE_PREFIX": "clinical-media-local"}},
    )
    environ, _, _ = invoke(name)
    assert environ["RESOURCE_PREFIX"] == "clinical-media-local"
    assert environ["AWS_ENDPOINT_URL"] == local_aws.endpoint
    assert environ["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert environ["AWS_REGION"] == "us-east-1"
    assert environ["AWS_ACCESS_KEY_ID"] != "local"


def test_the_handler_has_the_rights_of_its_role_and_no_others(
    local_aws: LocalAws, make_function: Any, invoke: Any
) -> None:
    bucket = f"bucket-{uuid.uuid4().hex[:8]}"
    local_aws.client("s3").create_bucket(Bucket=bucket)
    name = make_function(
        """
        import boto3
        def handler(event, context):
            s3 = boto3.client("s3")
            s3.put_object(Bucket=event, Key="allowed/x", Body=b"x")
            s3.put_object(Bucket=event, Key="other/x", Body=b"x")
        """,
        [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/allowed/*"}],
        Timeout=30,
    )
    payload, error, _ = invoke(name, bucket)
    assert error == "Unhandled"
    assert "s3:PutObject on resource: arn:aws:s3:::" in payload["errorMessage"]
    assert "/other/x" in payload["errorMessage"]
    assert [o["Key"] for o in local_aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]] == ["allowed/x"]


def test_an_invocation_names_the_version_that_was_executed(local_aws: LocalAws, make_function: Any) -> None:
    name = make_function("def handler(event, context): return {}")
    assert local_aws.client("lambda").invoke(FunctionName=name)["ExecutedVersion"] == "$LATEST"


def test_an_exception_of_the_handler_is_a_function_error(make_function: Any, invoke: Any) -> None:
    name = make_function("def handler(event, context): raise ValueError('no such recording')")
    payload, error, log = invoke(name)
    assert error == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no such recording")
    assert "handler.py" in payload["stackTrace"][0]
    assert "[ERROR] ValueError" in log


def test_an_error_on_import_is_a_function_error_and_the_next_invocation_tries_again(
    make_function: Any, invoke: Any
) -> None:
    name = make_function("import no_such_module")
    for _ in range(2):
        payload, error, _ = invoke(name)
        assert error == "Unhandled"
        assert payload["errorType"] == "Runtime.ImportModuleError"
        assert "no_such_module" in payload["errorMessage"]


def test_a_process_that_ends_is_a_function_error(make_function: Any, invoke: Any) -> None:
    name = make_function("import os\ndef handler(event, context): os._exit(3)")
    payload, error, _ = invoke(name)
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in payload["errorMessage"]


def test_a_handler_that_overruns_its_timeout_is_killed(make_function: Any, invoke: Any, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    name = make_function(
        """
        import pathlib, time
        def handler(event, context):
            time.sleep(event["seconds"])
            pathlib.Path(event["trace"]).write_text("done")
        """,
        Timeout=1,
    )
    begun = time.monotonic()
    payload, error, _ = invoke(name, {"seconds": 1.6, "trace": str(trace)})
    assert error == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in payload["errorMessage"]
    time.sleep(max(0.0, begun + 3 - time.monotonic()))
    assert not trace.exists()
    assert invoke(name, {"seconds": 0, "trace": str(trace)})[1] is None


def test_a_sandbox_stays_warm_and_is_fast(make_function: Any, invoke: Any) -> None:
    name = make_function("import os\ndef handler(event, context): return os.getpid()")
    processes, seconds = set(), []
    for _ in range(20):
        begun = time.perf_counter()
        processes.add(invoke(name)[0])
        seconds.append(time.perf_counter() - begun)
    assert len(processes) == 1
    # With Nagle's algorithm or unbuffered writes on either side an invocation takes 40 ms or more.
    assert min(seconds) < 0.03


def test_simultaneous_invocations_have_a_sandbox_each(make_function: Any, invoke: Any) -> None:
    name = make_function("import os, time\ndef handler(event, context): time.sleep(0.5); return os.getpid()")
    processes = []
    threads = [threading.Thread(target=lambda: processes.append(invoke(name)[0])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(processes)) == 3


def test_no_more_sandboxes_run_than_the_machine_bears(
    make_function: Any, invoke: Any, monkeypatch: pytest.MonkeyPatch, local_aws: LocalAws
) -> None:
    runtime = lambda_runtime.LambdaRuntime(local_aws.endpoint)
    monkeypatch.setattr(runtime, "_running", threading.BoundedSemaphore(2))
    monkeypatch.setattr(lambda_runtime, "_runtime", runtime)
    name = make_function(
        "import time\ndef handler(event, context): begun = time.time(); time.sleep(0.3); return [begun, time.time()]"
    )
    spans = []
    threads = [threading.Thread(target=lambda: spans.append(invoke(name)[0])) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runtime.close()
    assert len(spans) == 5
    assert max(sum(a <= moment < b for a, b in spans) for moment, _ in spans) == 2


def test_the_sandbox_idle_for_longest_makes_room(
    make_function: Any, invoke: Any, monkeypatch: pytest.MonkeyPatch, local_aws: LocalAws
) -> None:
    runtime = lambda_runtime.LambdaRuntime(local_aws.endpoint)
    monkeypatch.setattr(lambda_runtime, "_runtime", runtime)
    monkeypatch.setattr(lambda_runtime, "MAXIMUM_SANDBOXES", 2)
    first, second, third = (make_function("import os\ndef handler(e, c): return os.getpid()") for _ in range(3))
    processes = {name: invoke(name)[0] for name in (first, second, third)}
    assert invoke(second)[0] == processes[second]
    assert invoke(first)[0] != processes[first]
    runtime.close()


def test_changed_code_and_configuration_take_effect(local_aws: LocalAws, make_function: Any, invoke: Any) -> None:
    name = make_function("import os\ndef handler(event, context): return [1, os.environ.get('MODE')]")
    assert invoke(name)[0] == [1, None]
    client = local_aws.client("lambda")
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"MODE": "new"}})
    assert invoke(name)[0] == [1, "new"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("handler.py", "def handler(event, context): return 2")
    client.update_function_code(FunctionName=name, ZipFile=archive.getvalue())
    assert invoke(name)[0] == 2


def test_a_package_that_is_compiled_for_another_machine_is_the_interpreters_own(
    local_aws: LocalAws, make_function: Any, invoke: Any
) -> None:
    name = make_function("")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("msgspec/__init__.py", "from msgspec import _core")
        package.writestr("msgspec/_core.cpython-313-riscv64-linux-gnu.so", b"")
        package.writestr("_duckdb.abi3.so", b"")
        package.writestr("pure/__init__.py", "")
        package.writestr("pure/data.so.json", "")
        package.writestr(
            "handler.py",
            "import _duckdb, msgspec, pure\n"
            "def handler(event, context): return [module.__file__ for module in (msgspec, _duckdb, pure)]",
        )
    local_aws.client("lambda").update_function_code(FunctionName=name, ZipFile=archive.getvalue())
    assert invoke(name)[1] is None
    compiled, for_every_python, pure = invoke(name)[0]
    assert (compiled, for_every_python) == (msgspec.__file__, _duckdb.__file__)
    assert pure != compiled and pure.endswith("/pure/__init__.py")


def test_an_asynchronous_invocation_is_tried_three_times(
    local_aws: LocalAws, make_function: Any, tmp_path: Path
) -> None:
    clock.set_scale(0.001)
    name = make_function(
        """
        import pathlib
        def handler(event, context):
            with pathlib.Path(event).open("a") as trace:
                trace.write("x")
            raise RuntimeError
        """
    )
    trace = tmp_path / "trace"
    client = local_aws.client("lambda")
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(str(trace)))
    assert answer["StatusCode"] == 202
    end = time.monotonic() + 20
    while (not trace.exists() or trace.read_text() != "xxx") and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    assert trace.read_text() == "xxx"


def test_a_dry_run_does_not_run(local_aws: LocalAws, make_function: Any, tmp_path: Path) -> None:
    name = make_function("import pathlib\ndef handler(event, context): pathlib.Path(event).touch()")
    answer = local_aws.client("lambda").invoke(
        FunctionName=name, InvocationType="DryRun", Payload=json.dumps(str(tmp_path / "trace"))
    )
    assert answer["StatusCode"] == 204
    assert not (tmp_path / "trace").exists()


def test_a_payload_that_is_not_json_is_refused(local_aws: LocalAws, make_function: Any) -> None:
    client = local_aws.client("lambda")
    with pytest.raises(client.exceptions.InvalidRequestContentException, match="Could not parse"):
        client.invoke(FunctionName=make_function("def handler(event, context): return 1"), Payload=b"{")


def test_a_role_that_does_not_trust_lambda_fails_the_invocation(make_function: Any, invoke: Any) -> None:
    payload, error, _ = invoke(make_function("def handler(event, context): return 1", trusted="ecs.amazonaws.com"))
    assert error == "Unhandled"
    assert "cannot be assumed by Lambda" in payload["errorMessage"]


def test_closing_ends_every_process(
    local_aws: LocalAws, make_function: Any, invoke: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = lambda_runtime.LambdaRuntime(local_aws.endpoint)
    monkeypatch.setattr(lambda_runtime, "_runtime", runtime)
    invoke(make_function("import os\ndef handler(event, context): return os.getpid()"))
    (sandbox,) = runtime._all
    runtime.close()
    assert sandbox._process.over.is_set()
    assert not runtime._directory.exists()


def test_every_invocation_in_moto_comes_through_the_method_that_is_replaced(local_aws: LocalAws) -> None:
    assert LambdaFunction.invoke.__module__ == "local.aws.lambda_runtime"
    # The callers in moto: Invoke, and the deliveries of other services.
    assert "fn.invoke(" in _source("moto.awslambda.models", "LambdaBackend.invoke")


def _source(module: Any, name: Any) -> Any:
    import importlib
    import inspect

    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return inspect.getsource(found)
