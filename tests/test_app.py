import json
import os
import subprocess
import sys
from pathlib import Path

APP = Path(__file__).parent.parent / "app.py"


def run_app(folder: Path, context: str | None, region: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run it as a plain program from another folder, without a Node.js on the path.

    `region` is where the CDK CLI says that it deploys to.
    """
    variables = {"HOME": os.environ["HOME"], "PATH": "/nothing", "CDK_VALIDATION": "false", "CDK_OUTDIR": str(folder)}
    if context is not None:
        variables["CDK_CONTEXT_JSON"] = context
    if region is not None:
        variables["CDK_DEFAULT_REGION"] = region
    return subprocess.run([sys.executable, APP], env=variables, cwd=folder.parent, capture_output=True, text=True)


def test_without_the_cdk_cli_the_development_environment_is_synthesized(tmp_path: Path) -> None:
    finished = run_app(tmp_path / "assembly", None)
    assert finished.returncode == 0, finished.stderr
    template = json.loads((tmp_path / "assembly" / "clinical-media-dev.template.json").read_text())
    assert "StateMachineArn" in template["Outputs"]


def test_a_mistake_in_the_configuration_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    finished = run_app(tmp_path / "assembly", '{"env": "prd"}')
    assert finished.returncode == 1
    assert finished.stderr == "env is 'prd', but must be an environment of cdk.json: dev, staging, prod, local.\n"
    assert not list(tmp_path.glob("assembly/*.template.json"))


def test_a_region_without_the_services_is_refused_by_name(tmp_path: Path) -> None:
    finished = run_app(tmp_path / "assembly", None, "us-gov-west-1")
    assert finished.returncode == 1
    assert finished.stderr.startswith("The Region is us-gov-west-1 (partition aws-us-gov), but only us-east-1, us-")
    assert finished.stderr.count("\n") == 1
    assert not list(tmp_path.glob("assembly/*.template.json"))


def test_a_region_with_the_services_leaves_the_template_as_it_is(tmp_path: Path) -> None:
    """It is the same wherever it is deployed, so that a synthesis without the CDK CLI tells what is deployed."""
    templates = []
    for region in (None, "", "us-west-2"):
        folder = tmp_path / f"in-{region}"
        finished = run_app(folder, None, region)
        assert finished.returncode == 0, finished.stderr
        templates.append((folder / "clinical-media-dev.template.json").read_text())
    assert len(set(templates)) == 1
