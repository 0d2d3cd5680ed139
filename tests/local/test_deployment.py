import io
import json
import os
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.deployment import DeploymentError, deploy, synthesize
from local.server import ASSET_BUCKET, LocalAws

CDK_APP = """
import os
from pathlib import Path
import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_lambda as lambda_, aws_s3 as s3

Path("handler.py").parent.joinpath("code").mkdir(exist_ok=True)
Path("code/handler.py").write_text("def handler(event, context): return 'deployed'")
app = cdk.App()
stack = cdk.Stack(app, "Stack", stack_name="example-" + app.node.try_get_context("env"))
bucket = s3.Bucket(stack, "Bucket", enforce_ssl=True, versioned=True)
function = lambda_.Function(
    stack,
    "Function",
    code=lambda_.Code.from_asset("code"),
    handler="handler.handler",
    runtime=lambda_.Runtime.PYTHON_3_13,
    role=iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")),
)
cdk.CfnOutput(stack, "BucketName", value=bucket.bucket_name)
cdk.CfnOutput(stack, "FunctionName", value=function.function_name)
app.synth()
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[Any]:
    running = LocalAws.start(services={})
    yield running
    running.stop()


@pytest.fixture
def write_assembly(tmp_path: Path) -> Any:
    """write_assembly(template, assets, stack_name="example") -> the folder of a cloud assembly with that stack"""

    def write(template: Any, files: Any = None, stack_name: Any = "example") -> Any:
        out = tmp_path / stack_name
        out.mkdir()
        (out / "Example.template.json").write_text(json.dumps(template))
        (out / "Example.assets.json").write_text(json.dumps({"files": files or {}}))
        artifacts = {
            "Example": {"type": "aws:cloudformation:stack", "properties": {"stackName": stack_name}},
            "Example.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Example.assets.json"}},
        }
        (out / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        return out

    return write


def asset(path: Any, packaging: Any, key: Any) -> Any:
    destination = {"bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}", "objectKey": key}
    return {"source": {"path": path, "packaging": packaging}, "destinations": {"current": destination}}


def test_a_cdk_app_is_synthesized_and_deployed_and_runs(aws: LocalAws, tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(CDK_APP)
    assembly = synthesize("test", tmp_path / "out", app=app)
    outputs = deploy(aws, assembly, "example-test")
    assert aws.client("s3").get_bucket_versioning(Bucket=outputs["BucketName"])["Status"] == "Enabled"
    answer = aws.client("lambda").invoke(FunctionName=outputs["FunctionName"])
    assert answer["Payload"].read() == b'"deployed"'


def test_the_product_itself_is_deployed_with_every_resource(aws: LocalAws, tmp_path: Path) -> None:
    assembly = synthesize("local", tmp_path / "out")
    outputs = deploy(aws, assembly, "clinical-media-local")
    template = json.loads((assembly / "clinical-media-local.template.json").read_text())
    pages = (
        aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="clinical-media-local")
    )
    deployed = {r["LogicalResourceId"] for page in pages for r in page["StackResourceSummaries"]}
    assert deployed == set(template["Resources"])
    assert set(outputs) == set(template["Outputs"])
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="clinical-media-local")["Stacks"]
    tags = {tag["Key"]: tag["Value"] for tag in stack["Tags"]}
    assert tags == {"application": "clinical-media", "environment": "local"}
    machine = aws.client("stepfunctions").describe_state_machine(stateMachineArn=outputs["StateMachineArn"])
    assert machine["name"] == "clinical-media-local-pipeline"
    assert "${" not in machine["definition"]


def test_an_app_that_fails_is_reported_in_its_own_words(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text("import sys; sys.exit('cdk.json has no environment named nowhere')")
    with pytest.raises(DeploymentError, match=r"'nowhere':\ncdk\.json has no environment named nowhere"):
        synthesize("nowhere", tmp_path / "out", app=app)


def test_an_app_is_told_the_environment_and_where_to_write(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(
        textwrap.dedent(
            """
            import json, os, pathlib
            out = pathlib.Path(os.environ["CDK_OUTDIR"])
            out.mkdir()
            names = ("CDK_CONTEXT_JSON", "CDK_VALIDATION")
            (out / "seen").write_text(json.dumps([os.environ[name] for name in names]))
            """
        )
    )
    out = synthesize("local", tmp_path / "out", app=app)
    context, validation = json.loads((out / "seen").read_text())
    assert json.loads(context)["env"] == "local" and validation == "false"


def test_assets_are_uploaded_and_a_folder_is_zipped_the_same_whenever_that_is_done(
    aws: LocalAws, write_assembly: Any
) -> None:
    s3 = aws.client("s3")
    archives: list[bytes] = []
    for stack_name in ("first", "second"):
        files = {"a": asset("code", "zip", "code.zip"), "b": asset("f", "file", "f")}
        assembly = write_assembly({"Resources": {}}, files, stack_name)
        (assembly / "code" / "package").mkdir(parents=True)
        (assembly / "code" / "package" / "module.py").write_text("x = 1")
        (assembly / "code" / "a.py").write_text("y = 2")
        os.utime(assembly / "code" / "a.py", (len(archives) * 1e8, 1e9 + len(archives) * 1e8))
        (assembly / "f").write_bytes(b"file")
        deploy(aws, assembly, stack_name)
        archives.append(s3.get_object(Bucket=ASSET_BUCKET, Key="code.zip")["Body"].read())
    assert archives[0] == archives[1]
    with zipfile.ZipFile(io.BytesIO(archives[0])) as archive:
        assert archive.namelist() == ["a.py", "package/module.py"]
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
    assert s3.get_object(Bucket=ASSET_BUCKET, Key="f")["Body"].read() == b"file"


def test_a_stack_that_cannot_be_created_is_named_with_the_resource_and_the_reason(
    aws: LocalAws, write_assembly: Any
) -> None:
    assembly = write_assembly({"Resources": {"Stream": {"Type": "AWS::Kinesis::Stream"}}})
    with pytest.raises(DeploymentError, match=r"^example cannot be deployed: Stream \(AWS::Kinesis::Stream\)"):
        deploy(aws, assembly, "example")


def test_a_stack_that_the_assembly_does_not_have_is_named_with_those_it_has(aws: LocalAws, write_assembly: Any) -> None:
    with pytest.raises(DeploymentError, match="no stack 'other', only example"):
        deploy(aws, write_assembly({"Resources": {}}), "other")
