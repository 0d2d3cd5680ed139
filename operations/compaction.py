"""Starts a compaction: the analysis tables get the records that have changed, or all of them.

Source: Step Functions API reference, StartExecution.
"""

import json
import secrets
from datetime import UTC, datetime

from operations.deployed import Deployed


def start_compaction(deployed: Deployed, *, rebuild: bool) -> str:
    """Start a compaction, of all records if `rebuild`, and return its ARN."""
    started: str = deployed.client("stepfunctions").start_execution(
        stateMachineArn=deployed.analysis_arn,
        name=f"compaction-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        input=json.dumps({"rebuild": rebuild}),
    )["executionArn"]
    return started
