"""Writes a Lambda function's output to its log group, if its role may."""

import logging

from moto.awslambda.models import LambdaFunction
from moto.core.utils import unix_time_millis

from local.aws.iam import role_allows

_log = logging.getLogger(__name__)


def write_log(function: LambdaFunction, stream: str, log: str) -> None:
    """Put the lines of `log` into `stream` of the function's log group, with the rights of the function's role.

    As on AWS, a function whose role may not write its log runs all the same and its log is lost.
    """
    logs, group = function.logs_backend, function.logs_group_name
    group_arn = f"arn:aws:logs:{function.region}:{function.account_id}:log-group:{group}"
    stream_arn = f"{group_arn}:log-stream:{stream}"
    if group not in logs.groups and role_allows(function.role, "logs:CreateLogGroup", group_arn):
        logs.create_log_group(group, {})
    needed = ("logs:CreateLogStream", "logs:PutLogEvents")
    if group not in logs.groups or not all(role_allows(function.role, action, stream_arn) for action in needed):
        _log.warning("%s may not write to its log group %s, or there is none", function.function_name, group)
        return
    logs.ensure_log_stream(group, stream)
    now = int(unix_time_millis())
    lines = log.removesuffix("\n").split("\n")
    logs.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines])
