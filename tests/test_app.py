import json
import os
import subprocess
import sys
from pathlib import Path

APP = Path(__file__).parent.parent / "app.py"


def run_app(folder: Path, context: str | None) -> subprocess.CompletedProcess[str]:
    """Run it as a plain program from another folder, without a Node.js on the path."""
    variables = {"HOME": os.environ["HOME"], "PATH": "/nothing", "CDK_VALIDATION": "false", "CDK_OUTDIR": str(folder)}
    if context is not None:
        variables["CDK_CONTEXT_JSON"] = context
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
