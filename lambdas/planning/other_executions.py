"""Whether another execution of the state machine is still running."""

from lambdas.shared.observability import logger
from lambdas.shared.sdk import client

stepfunctions = client("stepfunctions")


def works(execution_arn: str) -> bool:
    """Whether the execution is running, or about to continue after a redrive."""
    status = _status(execution_arn)
    logger.info("other execution", extra={"execution_name": execution_arn.rpartition(":")[2], "status": status})
    return status in ("RUNNING", "PENDING_REDRIVE")


def _status(execution_arn: str) -> str:
    try:
        # METADATA_ONLY omits input and output, which would need a right to the state machine's key.
        answer = stepfunctions.describe_execution(executionArn=execution_arn, includedData="METADATA_ONLY")
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        return "FORGOTTEN"
    status: str = answer["status"]
    return status
