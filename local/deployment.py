"""Deploys the CDK app to the local AWS: synthesizes in a new process, uploads assets, creates the stack."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.aws.credentials import ACCOUNT_ID
from local.server import REGION, LocalAws
from operations.errors import OperationError

_PROJECT = Path(__file__).resolve().parent.parent
_SYNTHESIS_SECONDS = 300
# The CDK CLI adds this, so that its template is the one that is deployed already.
_CLI_CONTEXT = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}


class DeploymentError(OperationError):
    """The app cannot be synthesized, or its stack cannot be created."""


def synthesize(environment: str, out: Path, app: Path = _PROJECT / "app.py") -> Path:
    """Run the CDK `app` for `environment` and return the cloud assembly, the folder `out`.

    Raises DeploymentError with the app's own error text.
    """
    environ = {
        # Without the user's AWS configuration, which may have mistakes.
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "CDK_OUTDIR": str(out),
        # Independent of the user's Region.
        "CDK_DEFAULT_REGION": REGION,
        "CDK_CONTEXT_JSON": json.dumps({"env": environment, **_CLI_CONTEXT}),
        # The checks take most of the time of a synthesis, and run elsewhere.
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    try:
        process = subprocess.run(
            [sys.executable, str(app)],
            cwd=app.parent,
            env=environ,
            capture_output=True,
            text=True,
            timeout=_SYNTHESIS_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise DeploymentError(f"{app.name} did not finish within {_SYNTHESIS_SECONDS} seconds") from None
    if process.returncode:
        raise DeploymentError(f"{app.name} cannot be synthesized for {environment!r}:\n{process.stderr.strip()}")
    return out


def deploy(aws: LocalAws, assembly: Path, stack_name: str) -> dict[str, str]:
    """Create the stack `stack_name` of the cloud `assembly` with its assets, and return the stack's outputs.

    Raises DeploymentError with the resource that could not be created and the reason, such as a type or property that
    the local AWS doesn't support.
    """
    artifact, tags = _artifact(assembly, stack_name)
    _upload_assets(aws, assembly, f"{artifact}.assets.json")
    cloudformation = aws.client("cloudformation")
    template = (assembly / f"{artifact}.template.json").read_text()
    try:
        cloudformation.create_stack(
            StackName=stack_name,
            TemplateBody=json.dumps(json.loads(template), separators=(",", ":")),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    except ClientError as error:
        raise DeploymentError(f"{stack_name} cannot be deployed: {error.response['Error']['Message']}") from None
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise DeploymentError(f"{stack_name} is {stack['StackStatus']}: {stack.get('StackStatusReason', 'no reason')}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _artifact(assembly: Path, stack_name: str) -> tuple[str, dict[str, str]]:
    """The id with which the names of the stack's files in the assembly begin, and the stack's tags."""
    manifest = json.loads((assembly / "manifest.json").read_text())
    stacks = {
        artifact.get("properties", {}).get("stackName", name): name
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    if stack_name not in stacks:
        raise DeploymentError(f"{assembly} has no stack {stack_name!r}, only {', '.join(sorted(stacks)) or 'none'}")
    name = str(stacks[stack_name])
    return name, manifest["artifacts"][name].get("properties", {}).get("tags", {})


def _upload_assets(aws: LocalAws, assembly: Path, manifest: str) -> None:
    s3 = aws.client("s3")
    for asset in json.loads((assembly / manifest).read_text()).get("files", {}).values():
        path = assembly / asset["source"]["path"]
        body = _zip(path) if asset["source"]["packaging"] == "zip" else path.read_bytes()
        for destination in asset["destinations"].values():
            s3.put_object(
                Bucket=_in_local_account(destination["bucketName"]),
                Key=_in_local_account(destination["objectKey"]),
                Body=body,
            )


def _in_local_account(text: str) -> str:
    placeholders: dict[str, Any] = {"AccountId": ACCOUNT_ID, "Region": REGION, "Partition": "aws"}
    for name, value in placeholders.items():
        text = text.replace(f"${{AWS::{name}}}", value)
    return text


def _zip(folder: Path) -> bytes:
    """The folder as a reproducible archive, as the CDK CLI makes it: sorted, dated 1980."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
                # It stays on this machine, so time counts more than size.
                archive.writestr(entry, path.read_bytes(), compresslevel=1)
    return buffer.getvalue()
