"""Synthesizes one environment: `cdk synth -c env=prod`, or from a shell `python app.py` (dev, into cdk.out).

Without the CDK CLI, CDK_CONTEXT_JSON='{"env": "prod"}' chooses the environment and CDK_OUTDIR the folder.
CloudFormation's own rules and cdk-nag's AwsSolutions and HIPAA packs check a synthesis; CDK_VALIDATION=false skips the
checks, which take most of the time.
"""

import os
import sys
from pathlib import Path

from infra import findings
from infra.cdk_json import read_context
from infra.environment import Environment
from infra.regions import check_region
from infra.settings import ConfigurationError
from infra.stack import PipelineStack

ROOT = Path(__file__).parent


def main() -> None:
    """Raises ConfigurationError if cdk.json, the environment's name or the Region is wrong."""
    # The CDK CLI sets this variable. Without it, the template's map of Regions refuses a wrong Region at deployment.
    if region := os.environ.get("CDK_DEFAULT_REGION"):
        check_region(region)
    # Importing `infra` has put Node.js on the path, which this import starts.
    from aws_cdk import App

    context = read_context(ROOT / "cdk.json")
    app = App(context=context, outdir=os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out")))
    environment = Environment.from_context(app.node.try_get_context("env") or "dev", context)
    stack = PipelineStack(app, environment=environment)
    if os.environ.get("CDK_VALIDATION") != "false":
        findings.check(app, stack)
    app.synth()


if __name__ == "__main__":
    try:
        main()
    except ConfigurationError as error:
        sys.exit(str(error))
