"""Measures the start of each function, as it is deployed, against two typical handlers.

    python -m bench.cold_start [FUNCTION ...]

The measure is the processor time (except on Linux, the elapsed time) from the start of the process to its first request
for an event: the real runtime client (awslambdaric) with a Runtime API of this module. The start hardly waits, and the
machine's other load doesn't count. All sides have the same package versions and this process's Python. As deployed
means:

- ours: the asset of a synthesis with the runtime's Python, with bytecode that ignores dates, zipped and dated 1980 like
  the CDK's and unpacked again, with the variables of the template. The result without bytecode, as after a synthesis
  with another Python, is printed too.
- the Powertools handler: boto3 and Powertools in the asset as pip installs them; their bytecode doesn't match the
  sources' date of 1980, so every start compiles them.
- the sample handler: the runtime's boto3, nothing else.

The runtime's boto3 is assumed to have bytecode. The rest of a start on AWS (fetching the code, the micro-VM) can't be
measured here, and this machine doesn't have Lambda's CPU share: only the ratios count.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from compileall import compile_dir
from pathlib import Path
from py_compile import PycInvalidationMode
from statistics import median
from typing import NamedTuple

import boto3
import msgspec

from bench.asset import bundle, tree, zip_as_the_cdk_does
from bench.synth import synthesize
from bench.table import Row
from infra.function_code import write_function_code

ROUNDS = 15
GOALS = {"powertools": 0.27, "sample": 0.80}
PEERS = Path(__file__).parent / "peers"
# The packages of Lambda's Python runtime: the SDK and the runtime client.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3", "awslambdaric", "simplejson")
DATE = 315_532_800  # 1980-01-01


class Deployment(NamedTuple):
    """A function for the runtime; `path` is its module search path."""

    handler: str
    path: tuple[Path, ...]
    variables: Mapping[str, str]


def install(files: Iterator[tuple[Path, str]], target: Path) -> Path:
    """Unpack the CDK's zip of `files` into `target`, with its dates, as Lambda does."""
    archive = target.with_suffix(".zip")
    zip_as_the_cdk_does(files, archive)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(target)
    archive.unlink()
    for path in target.rglob("*"):
        os.utime(path, (DATE, DATE))
    return target


def runtime(target: Path) -> Path:
    """Lambda's own packages, with bytecode that ignores dates."""
    site = Path(boto3.__file__).parents[1]
    for name in (*RUNTIME, *(path.name for path in site.glob("snapshot_restore_py*"))):
        source = site / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)
    for path in site.glob("*runtime_client*.so"):
        shutil.copy(path, target / path.name)
    compile_dir(target, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return target


def ours(assembly: Path, paths: tuple[Path, ...]) -> dict[str, Deployment]:
    """Name -> function of the template; values that are known only at deployment are replaced by samples."""
    (template,) = (json.loads(path.read_text()) for path in assembly.glob("*.template.json"))
    found = {}
    for resource in template["Resources"].values():
        properties = resource["Properties"] if resource["Type"] == "AWS::Lambda::Function" else {}
        if str(properties.get("Handler", "")).startswith("lambdas."):
            variables = properties.get("Environment", {}).get("Variables", {})
            name = properties["FunctionName"].removeprefix("clinical-media-dev-")
            found[name] = Deployment(
                properties["Handler"],
                paths,
                {key: value if isinstance(value, str) else "arn:aws:x:::value" for key, value in variables.items()},
            )
    return found


def milliseconds(deployment: Deployment) -> float:
    """The processor time from the start of the process to its first request for an event.

    Raises:
        RuntimeError: the function could not be initialized; the message has its output.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryFile() as log:
        server.settimeout(20)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, deployment.path)),
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task and /opt can't be written to
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_RUNTIME_API": "{}:{}".format(*server.getsockname()),
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "LAMBDA_TASK_ROOT": str(deployment.path[0]),
            "_HANDLER": deployment.handler,
            "POWERTOOLS_SERVICE_NAME": "bench",
            "POWERTOOLS_METRICS_NAMESPACE": "Bench",
            **deployment.variables,
        }
        # -S -s: only the modules on the path.
        command = [sys.executable, "-S", "-s", "-m", "awslambdaric", deployment.handler]
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=deployment.path[0], env=environment, stdout=log, stderr=log)
        try:
            try:
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as stream:
                    request = stream.readline()
                    seconds = processor_seconds(process.pid) or time.perf_counter() - begin
            except TimeoutError:
                request = b""
            if b"/invocation/next" not in request:
                log.seek(0)
                raise RuntimeError(f"{deployment.handler} can't be initialized: {log.read().decode()[-2000:]}")
        finally:
            process.kill()
            process.wait()
    return seconds * 1000


def processor_seconds(process_id: int) -> float:
    """The processor time of a running process, on all its threads; 0 if the kernel doesn't report it."""
    threads = Path(f"/proc/{process_id}/task").glob("*/schedstat")
    return sum(int(path.read_text().split()[0]) for path in threads) / 1e9


class Deployments(NamedTuple):
    """Name -> our functions, the same without bytecode, and the peers."""

    functions: Mapping[str, Deployment]
    source_only: Mapping[str, Deployment]
    peers: Mapping[str, Deployment]


def deployments(directory: Path) -> Deployments:
    """All deployments, unpacked below `directory`."""
    assembly = directory / "assembly"
    synthesize(assembly, validated=False)
    lambda_runtime = runtime(directory / "runtime")
    bundled = install(
        iter([*bundle_with_bytecode(directory / "pip"), (PEERS / "typical_powertools_handler.py", "handler.py")]),
        directory / "bundled",
    )
    sample = install(iter([(PEERS / "typical_sample_handler.py", "handler.py")]), directory / "sample")
    peers = {
        "powertools": Deployment("handler.handler", (bundled, lambda_runtime), {}),
        "sample": Deployment("handler.handler", (sample, lambda_runtime), {}),
    }
    return Deployments(
        ours(assembly, (task(directory / "task", bytecode=True), lambda_runtime)),
        ours(assembly, (task(directory / "source", bytecode=False), lambda_runtime)),
        peers,
    )


def task(target: Path, *, bytecode: bool) -> Path:
    """The functions' code as Lambda unpacks it, for this machine's processor and Python."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder)
        write_function_code(code, bytecode=bytecode)
        for module in Path(msgspec.__file__).parent.glob("*.so"):
            shutil.copy(module, code / "msgspec" / module.name)
        return install(tree(code), target)


def bundle_with_bytecode(target: Path) -> Iterator[tuple[Path, str]]:
    """The bundle with pip's bytecode, which is valid only for its sources' dates."""
    for path, name in bundle():
        if "__pycache__" not in name:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / name)
    compile_dir(target, quiet=2, invalidation_mode=PycInvalidationMode.TIMESTAMP)
    yield from tree(target)


def measure(deployments: Mapping[str, Deployment], rounds: int) -> dict[str, list[float]]:
    """Name -> milliseconds in each round; each round runs everything once, after one for the caches."""
    times: dict[str, list[float]] = {name: [] for name in deployments}
    for number in range(rounds + 1):
        for name, deployment in deployments.items():
            elapsed = milliseconds(deployment)
            if number:
                times[name].append(elapsed)
    return times


def ratio(ours: list[float], peer: list[float]) -> float:
    """The median of the rounds."""
    return median([one / other for one, other in zip(ours, peer, strict=True)])


def one_per_module(functions: Mapping[str, Deployment]) -> tuple[str, ...]:
    """One function of each module, because functions that start or poll a job are initialized alike."""
    by_module = {deployment.handler.rpartition(".")[0]: name for name, deployment in functions.items()}
    return tuple(by_module.values())


def rows(only: tuple[str, ...] = (), rounds: int = ROUNDS) -> Iterator[Row]:
    """A row per peer, for the function with the worst ratio."""
    with tempfile.TemporaryDirectory() as directory:
        functions, source_only, peers = deployments(Path(directory))
        names = only or one_per_module(functions)
        times = measure({name: functions[name] for name in names} | dict(peers), rounds)
        worst = max(names, key=lambda name: ratio(times[name], times["sample"]))
        times_of_source = measure({worst: source_only[worst]} | dict(peers), rounds)
    for name in names:
        print(
            f"    {name:26} {median(times[name]):5.0f} ms", *(f"{p} {ratio(times[name], times[p]):.2f}" for p in peers)
        )
    for number, peer in (("1", "powertools"), ("2", "sample")):
        found = ratio(times[worst], times[peer])
        other = ratio(times_of_source[worst], times_of_source[peer])
        yield Row(
            number=number,
            what=f"start of each function / of a typical {peer} handler; the slowest is {worst}",
            ours=f"{median(times[worst]):.0f} ms",
            peer=f"{median(times[peer]):.0f} ms",
            ratio=f"{found:.2f} ({other:.2f} without bytecode)",
            limit={"powertools": "0.04", "sample": "0.12"}[peer] + ": the runtime client with an empty handler",
            goal=f"<= {GOALS[peer]:.2f}",
            met=found <= GOALS[peer],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Start of the functions against typical handlers.")
    parser.add_argument("functions", nargs="*")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    for row in rows(tuple(arguments.functions), arguments.rounds):
        print(*row, sep=" | ")


if __name__ == "__main__":
    main()
