"""Traces of executions and invocations in X-Ray: written if the role allows it, found by time and service.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html
https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html

A segment holds names, ARNs, times and whether it failed, but neither errors nor data.

Differences from AWS. Each execution and each invocation is a trace of one segment, and all are sampled. The latest
`KEPT` are stored. Filters other than `service("NAME")` are refused. Summaries come on one page.
"""

import datetime
import json
import re
import secrets
import threading
from collections.abc import Mapping
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.exceptions import JsonRESTError
from moto.stepfunctions.parser.backend.execution import Execution
from moto.xray.models import xray_backends
from moto.xray.responses import XRayResponse

from local.aws.credentials import ACCOUNT_ID
from local.aws.iam import role_allows

KEPT = 3000
"""The most traces; the oldest are deleted."""

_SERVICE = re.compile(r'\s*service\(\s*"([^"]*)"\s*\)\s*')

_putting = threading.Lock()


def trace_invocation(function: LambdaFunction, begin: float, end: float, failed: bool) -> None:
    """Record an invocation, if the function is traced; times are in seconds since the epoch."""
    if function.tracing_config.get("Mode") == "Active":
        ids = {"function_arn": function.function_arn}
        record(function.function_name, "AWS::Lambda::Function", ids, function.role, (begin, end), failed)


def trace_execution(execution: Execution, begin: datetime.datetime, end: datetime.datetime, failed: bool) -> None:
    """Record a run of an execution, if its state machine is traced.

    The children of a Map have the state machine's name, without the Map's label; AWS doesn't document the name.
    """
    machine: Any = execution.state_machine
    if machine.tracingConfiguration.get("enabled"):
        times = (begin.timestamp(), end.timestamp())
        ids = {"execution_arn": execution.exec_arn}
        name = machine.name.partition("/")[0]
        record(name, "AWS::StepFunctions::StateMachine", ids, execution.role_arn, times, failed)


def record(
    name: str, origin: str, ids: Mapping[str, str], role_arn: str, times: tuple[float, float], failed: bool
) -> None:
    """Put a segment with the rights of `role_arn`; without them nothing is traced.

    `ids` has the ARN of the execution or function; `times` are begin and end in seconds since the epoch.
    """
    if not role_allows(role_arn, "xray:PutTraceSegments", "*"):
        return
    begin, end = times
    segment = {
        "name": name,
        "id": secrets.token_hex(8),
        "trace_id": f"1-{int(begin):08x}-{secrets.token_hex(12)}",
        "start_time": begin,
        "end_time": end,
        "origin": origin,
        "aws": {"account_id": ACCOUNT_ID, **ids},
        **({"fault": True} if failed else {}),
    }
    region = next(iter(ids.values())).split(":")[3]
    backend = xray_backends[ACCOUNT_ID][region]
    kept = backend._segment_collection._traces
    with _putting:
        backend.process_segment(json.dumps(segment))
        while len(kept) > KEPT:
            del kept[next(iter(kept))]


def trace_summaries(self: XRayResponse) -> str:
    """XRayResponse.trace_summaries (GetTraceSummaries): traces of the service within the time."""
    begin, end = float(self._get_param("StartTime")), float(self._get_param("EndTime"))
    expression = self._get_param("FilterExpression") or ""
    wanted = _SERVICE.fullmatch(expression)
    if expression and not wanted:
        message = f'FilterExpression: the local AWS knows service("NAME") only, not {expression}'
        raise JsonRESTError("InvalidRequestException", message)
    with _putting:
        traces = [
            (trace, list(kept["segments"])) for trace, kept in self.xray_backend._segment_collection._traces.items()
        ]
    found = [
        _summary(trace, segments)
        for trace, segments in traces
        if all(segment.end_time is not None for segment in segments)
        and begin <= min(segment.start_time for segment in segments) <= end
        and (wanted is None or any(segment.name == wanted[1] for segment in segments))
    ]
    return json.dumps({"TraceSummaries": found, "ApproximateTime": end, "TracesProcessedCount": len(traces)})


def _summary(trace_id: str, segments: list[Any]) -> dict[str, Any]:
    begin = min(segment.start_time for segment in segments)
    duration = max(segment.end_time for segment in segments) - begin
    services = [
        {"Name": segment.name, "Names": [segment.name], "AccountId": ACCOUNT_ID, "Type": segment.origin}
        for segment in segments
    ]
    return {
        "Id": trace_id,
        "StartTime": begin,
        "Duration": duration,
        "ResponseTime": duration,
        "HasFault": any(segment.misc.get("fault") for segment in segments),
        "HasError": any(segment.misc.get("error") for segment in segments),
        "HasThrottle": any(segment.misc.get("throttle") for segment in segments),
        "IsPartial": False,
        "ServiceIds": services,
        "EntryPoint": services[0],
    }


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    XRayResponse.trace_summaries = trace_summaries  # type: ignore[method-assign]
