"""Synthesizes one environment: `cdk synth -c env=prod`, or from a shell `python app.py` (dev, into cdk.out).

Without the CDK CLI, CDK_CONTEXT_JSON='{"env": "prod"}' chooses the environment and CDK_OUTDIR the folder. A synthesis
is checked by CloudFormation's own rules and by cdk-nag's AwsSolutions and HIPAA packs; CDK_VALIDATION=false leaves out
the checks, and with them most of the time it takes.
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
    """Raises ConfigurationError if cdk.json or the choice of an environment or a Region is wrong."""
    # The CDK CLI says where it deploys to; without it that isn't known yet, and CloudFormation asks the template's map.
    if region := os.environ.get("CDK_DEFAULT_REGION"):
        check_region(region)
    # Only now: importing `infra` has found the Node.js that this import starts.
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
