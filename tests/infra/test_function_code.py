import hashlib
import json
import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore
import duckdb
import msgspec
import pytest

from infra import sdk_models
from infra.function_code import ANALYSIS, PACKAGES, pinned_packages, write_function_code
from infra.functions import FUNCTIONS
from infra.settings import ConfigurationError

# The runtime's botocore and its dependencies; boto3 would take longer.
RUNTIME = ("botocore", "dateutil", "jmespath", "six.py", "urllib3")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code with the bytecode of this Python."""
    folder = tmp_path_factory.mktemp("code")
    write_function_code(folder, bytecode=True)
    return folder


@pytest.fixture
def run(code: Path, tmp_path: Path) -> Any:
    """run(program) -> what it prints, as lines of JSON, with nothing at hand but the zip and the runtime's SDK."""
    task, runtime = tmp_path / "task", tmp_path / "runtime"
    shutil.copytree(code, task)
    for module in Path(msgspec.__file__).parent.glob("*.so"):  # that of the zip is for Lambda's processor
        shutil.copy(module, task / "msgspec")
    runtime.mkdir()
    for name in RUNTIME:
        (runtime / name).symlink_to(Path(botocore.__file__).parents[1] / name)

    def start(program: str) -> list[Any]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{task}:{runtime}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "POWERTOOLS_METRICS_NAMESPACE": "Test",
            "POWERTOOLS_SERVICE_NAME": "test",
        }
        command = [sys.executable, "-S", "-c", program]
        answer = subprocess.run(command, cwd=task, env=environment, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr
        return [json.loads(line) for line in answer.stdout.splitlines()]

    return start


def test_the_code_is_the_same_whenever_it_is_put_together(code: Path, tmp_path: Path) -> None:
    write_function_code(tmp_path, bytecode=True)
    one, other = (
        {
            path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (code, tmp_path)
    )
    assert one == other


def test_every_source_has_bytecode_that_is_used_whatever_its_date_is(code: Path) -> None:
    sources = list(code.rglob("*.py"))
    assert code / "lambdas/plan_batch.py" in sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        content = compiled.read_bytes()
        assert int.from_bytes(content[4:8], "little") == 0b01, source  # by the source's hash, unchecked (PEP 552)
        assert marshal.loads(content[16:]).co_filename == f"/var/task/{source.relative_to(code)}"


def test_without_bytecode_there_is_source_only(tmp_path: Path) -> None:
    write_function_code(tmp_path, bytecode=False)
    assert not list(tmp_path.rglob("*.pyc"))


def test_all_functions_start_with_nothing_but_the_zip_and_the_runtimes_sdk(run: Any, tmp_path: Path) -> None:
    modules = sorted({handler.rpartition(".")[0] for name, (handler, _) in FUNCTIONS.items() if name not in PACKAGES})
    program = f"""
import importlib, json, sys
for name in {modules}:
    importlib.import_module(name)
import aws_lambda_powertools, msgspec, typing_extensions
from lambdas.shared.storage import s3
print(json.dumps([module.__file__ for module in (aws_lambda_powertools, msgspec, typing_extensions)]))
print(json.dumps(s3.meta.service_model.operation_names))
print(json.dumps([str(key) for key in s3.get_paginator("list_objects_v2").result_keys]))
print(json.dumps([name for name in ("boto3", "s3transfer", "aws_xray_sdk", "pydantic") if name in sys.modules]))
"""
    files, operations, pages, needless = run(program)
    assert all(file.startswith(f"{tmp_path / 'task'}/") for file in files)
    assert operations == sorted(sdk_models.operations()["s3"])
    assert len(pages) == 2  # from the SDK
    assert needless == []


def test_the_function_of_the_larger_zip_starts_with_its_packages(run: Any, tmp_path: Path) -> None:
    """DuckDB is this machine's, in the version of the zip's; numpy and pandas, which it can use, are not there."""
    packages = Path(duckdb.__file__).parents[1]
    for path in (packages / "duckdb", *packages.glob("_duckdb.*.so"), *packages.glob("duckdb-*.dist-info")):
        (tmp_path / "runtime" / path.name).symlink_to(path)
    (answer,) = run("""
import json, lambdas.compact_records
from lambdas.analysis.parquet import database
with database() as connection:
    print(json.dumps(connection.execute("SELECT version()").fetchone()))
""")
    pinned = dict(pinned_packages("requirements-lambda-analysis.txt"))["duckdb"]
    assert answer == [f"v{pinned}"]


def test_logger_and_metrics_of_the_zip_do_what_the_functions_ask_of_them(run: Any) -> None:
    program = """
from lambdas.shared.observability import logger, metrics, observed
@observed("stage", timed=True)
def handler(event, context):
    metrics.add_metric("Things", "Count", 3)
    logger.warning("seen", extra={"batch_id": "b"})
    try:
        raise ValueError("x")
    except ValueError:
        logger.exception("failed")
handler({"batch_id": "b"}, None)
"""
    warning, error, metric = run(program)
    assert (warning["message"], warning["correlation_id"], warning["batch_id"]) == ("seen", "b", "b")
    assert "ValueError: x" in error["exception"]
    assert (metric["Things"], metric["stage"]) == ([3.0], "stage")


def test_without_its_packages_or_with_other_versions_it_says_what_to_run(tmp_path: Path) -> None:
    for name, _ in pinned_packages("requirements-lambda.txt"):
        (tmp_path / f"{name}-0.1.dist-info").mkdir()
    with pytest.raises(
        ConfigurationError, match=r"lacks aws_lambda_powertools 3.*run `make setup`.*requirements-lambda.txt"
    ):
        write_function_code(tmp_path / "code", bytecode=False, packages={"requirements-lambda.txt": tmp_path})


def test_functions_tests_and_the_local_aws_use_the_same_versions() -> None:
    locked = (Path(__file__).parents[2] / "requirements.lock").read_text().split()
    common, analysis = (pinned_packages(requirements) for requirements in ANALYSIS)
    assert (len(common), [name for name, _ in analysis]) == (3, ["duckdb"])
    for name, version in (*common, *analysis):
        assert f"{name.replace('_', '-')}=={version}" in locked


def test_the_other_functions_do_not_carry_what_one_of_them_needs(code: Path, tmp_path: Path) -> None:
    write_function_code(tmp_path, bytecode=False, packages=ANALYSIS)
    assert {path.name for path in tmp_path.iterdir()} - {path.name for path in code.iterdir()} == {
        "_duckdb.abi3.so",
        "duckdb",
        f"duckdb-{dict(pinned_packages('requirements-lambda-analysis.txt'))['duckdb']}.dist-info",
    }
    assert PACKAGES.keys() == {"compact_records", "search_range"}
    # Lambda's limit for the unzipped package: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 250 << 20


def test_the_module_for_lambda_is_for_its_processor(tmp_path: Path) -> None:
    write_function_code(tmp_path, bytecode=False, packages=ANALYSIS)
    with (tmp_path / "_duckdb.abi3.so").open("rb") as module:
        assert int.from_bytes(module.read(20)[18:], "little") == 183  # EM_AARCH64
