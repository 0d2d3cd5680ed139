import ast
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk.assertions import Annotations, Match
from aws_cdk.cx_api import CloudAssembly

from infra.function_code import RUNTIME_PYTHON
from infra.functions import FUNCTIONS, pascal_case
from infra.stack import PipelineStack
from lambdas.shared.analysis_items import LONGEST_COMPACTION_SECONDS
from tests.infra.conftest import ROOT, Deployed


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_named_after_its_job_and_runs_the_code_of_that_name(local: Deployed, name: str) -> None:
    function = local.resources[f"Functions/{pascal_case(name)}/Function"]["Properties"]
    assert function["FunctionName"] == f"clinical-media-local-{name}"
    package, module, attribute = function["Handler"].split(".")
    tree = ast.parse((ROOT / package / f"{module}.py").read_text())
    assert attribute in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_all_functions_share_one_runtime_and_all_but_two_an_asset(local: Deployed) -> None:
    functions = local.of_type("AWS::Lambda::Function")
    by_asset: dict[str, list[str]] = {}
    for path, function in functions.items():
        by_asset.setdefault(function["Code"]["S3Key"], []).append(path.split("/")[1])
    assert sorted(map(len, by_asset.values())) == [2, len(FUNCTIONS) - 2]
    assert {"CompactRecords", "SearchRange"} in map(set, by_asset.values())
    for function in functions.values():
        assert function["Runtime"] == "python{}.{}".format(*RUNTIME_PYTHON)
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert "Layers" not in function


def test_the_asset_is_the_code_what_it_needs_and_the_sdks_models(new_stack: Callable[..., PipelineStack]) -> None:
    stack = new_stack("dev")
    assembly: CloudAssembly = stack.node.root.synth()  # type: ignore[attr-defined]
    # The other one has DuckDB, too.
    (asset,) = (one for one in Path(assembly.directory).glob("asset.*") if not (one / "duckdb").exists())
    shipped = {path.relative_to(asset) for path in asset.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    code = {path.relative_to(ROOT) for path in (ROOT / "lambdas").rglob("*.py")}
    assert {path for path in shipped if path.parts[0] == "lambdas"} == code | {Path("lambdas/report/page.html")}
    others = {path.parts[0] for path in shipped if "dist-info" not in path.parts[0]}
    assert others == {"lambdas", "sdk_models", "aws_lambda_powertools", "msgspec", "typing_extensions.py"}
    binaries = [path.name for path in shipped if path.suffix == ".so"]
    assert binaries and all(name.endswith("cpython-313-aarch64-linux-gnu.so") for name in binaries)
    has_bytecode = sys.version_info[:2] == RUNTIME_PYTHON
    assert any(asset.rglob("*.pyc")) == has_bytecode
    told = Annotations.from_stack(stack).find_info("*", Match.string_like_regexp("Synthesize with 3.13 to deploy"))
    assert len(told) == (not has_bytecode)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_logs_json_into_an_encrypted_group_of_its_own(local: Deployed, name: str) -> None:
    scope = f"Functions/{pascal_case(name)}"
    assert local.resources[f"{scope}/Function"]["Properties"]["LoggingConfig"] == {
        "LogFormat": "JSON",
        "LogGroup": f"{scope}/Logs",
    }
    group = local.resources[f"{scope}/Logs"]["Properties"]
    assert group["LogGroupName"] == f"/aws/lambda/clinical-media-local-{name}"
    assert group["KmsKeyId"] == "Storage/Operations/Key.Arn"
    assert group["RetentionInDays"] == 30


def test_functions_that_go_through_a_batch_have_the_time_for_it(local: Deployed) -> None:
    slow = {
        path.split("/")[1]
        for path, function in local.of_type("AWS::Lambda::Function").items()
        if function["Timeout"] == 900 and function["MemorySize"] > 1024
    }
    in_batches = {"PlanBatch", "PrepareDocuments", "CollectEntities", "IndexRecords", "SelectSeeds", "SummarizeBatch"}
    assert slow == in_batches | {"DivideSearch", "SearchRange", "CompactRecords"}


def test_no_compaction_outlives_its_right_to_a_digit(local: Deployed) -> None:
    function = local.resources["Functions/CompactRecords/Function"]["Properties"]
    # A minute more, for clocks that differ.
    assert function["Timeout"] + 60 <= LONGEST_COMPACTION_SECONDS
    assert function["EphemeralStorage"] == {"Size": 10_240}


def test_log_groups_are_covered_by_the_keys_policy(local: Deployed) -> None:
    (statement,) = [
        statement
        for statement in local.resources["Storage/Operations/Key"]["Properties"]["KeyPolicy"]["Statement"]
        if statement.get("Sid") == "CloudWatchLogs"
    ]
    covered = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    for group in local.of_type("AWS::Logs::LogGroup").values():
        arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group['LogGroupName']}"
        assert any(arn.startswith(pattern.removesuffix("*")) for pattern in covered)
