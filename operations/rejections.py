"""The recordings that an execution has rejected, from its summary."""

import json
from typing import Any

from lambdas.shared.uris import parse_uri
from operations.deployed import Deployed
from operations.executions import Execution


def rejected_recordings(deployed: Deployed, execution: Execution) -> list[dict[str, Any]]:
    """`media_id`, `uri`, `user_id` and `reason` of each; none if the execution has written no summary."""
    if execution.summary_uri is None:
        return []
    bucket, key = parse_uri(execution.summary_uri)
    summary = json.loads(deployed.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    rejected: list[dict[str, Any]] = summary["rejected"]
    return rejected
