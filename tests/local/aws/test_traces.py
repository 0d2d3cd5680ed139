import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.xray.models import xray_backends

from local.aws import traces
from local.aws.traces import record
from local.server import LocalAws
from tests.local.aws.conftest import WRITE_LOG
from tests.local.aws.in_process import eventually, pass_state

FUNCTIONS = "arn:aws:lambda:us-east-1:123456789012:function"
TRACE = {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"}


def summaries(aws: LocalAws, name: str, **asked: Any) -> list[dict[str, Any]]:
    asked = {
        "StartTime": time.time() - 60,
        "EndTime": time.time() + 1,
        "FilterExpression": f'service("{name}")',
        **asked,
    }
    found: list[dict[str, Any]] = aws.client("xray").get_trace_summaries(**asked)["TraceSummaries"]
    return found


def segment(aws: LocalAws, summary: dict[str, Any]) -> dict[str, Any]:
    (trace,) = aws.client("xray").batch_get_traces(TraceIds=[summary["Id"]])["Traces"]
    (segment,) = trace["Segments"]
    document: dict[str, Any] = json.loads(segment["Document"])
    return document


def test_an_invocation_of_a_traced_function_is_a_trace(local_aws: LocalAws, make_function: Any, invoke: Any) -> None:
    source = """
    import time
    def handler(event, context):
        time.sleep(0.05)
        if event: raise ValueError('what was said')
    """
    name = make_function(source, (WRITE_LOG, TRACE), TracingConfig={"Mode": "Active"})
    before = time.time()
    invoke(name)
    (trace,) = summaries(local_aws, name)
    service = {"Name": name, "Names": [name], "AccountId": "123456789012", "Type": "AWS::Lambda::Function"}
    assert trace["ServiceIds"] == [service] and trace["EntryPoint"] == service
    assert before <= trace["StartTime"].timestamp() <= time.time() - trace["Duration"]
    assert trace["Duration"] >= 0.05 and not trace["HasFault"]
    invoke(name, "what was said")
    (fault,) = [trace for trace in summaries(local_aws, name) if trace["HasFault"]]
    told = segment(local_aws, fault)
    assert told["aws"]["function_arn"].endswith(f":function:{name}")
    assert set(told) == {"name", "id", "trace_id", "start_time", "end_time", "origin", "aws", "fault"}
    assert "said" not in json.dumps(told)


@pytest.mark.parametrize(
    ("rights", "mode"), [((WRITE_LOG, TRACE), "PassThrough"), ((WRITE_LOG,), "Active")], ids=["not asked", "no right"]
)
def test_a_function_that_is_not_traced_or_may_not_be_runs_without(
    local_aws: LocalAws, make_function: Any, invoke: Any, rights: Any, mode: str
) -> None:
    name = make_function("def handler(event, context): return 1", rights, TracingConfig={"Mode": mode})
    assert invoke(name)[0] == 1
    assert summaries(local_aws, name) == []


def execution(aws: LocalAws, role: str, definition: dict[str, Any], enabled: bool) -> tuple[str, str]:
    """The name of a new state machine, and the ARN of its one execution, which has ended."""
    states, name = aws.client("stepfunctions"), f"machine-{uuid.uuid4().hex[:8]}"
    machine = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role, tracingConfiguration={"enabled": enabled}
    )["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine, input='"what was said"')["executionArn"]
    eventually(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING")
    return name, arn


def test_an_execution_of_a_traced_state_machine_is_a_trace(local_aws: LocalAws, make_role: Any) -> None:
    role = make_role(TRACE, trusted="states.amazonaws.com").arn
    fails = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "what was said"}}}
    for definition, failed in ((pass_state(), False), (fails, True)):
        name, arn = execution(local_aws, role, definition, enabled=True)
        (trace,) = summaries(local_aws, name)
        assert [(s["Name"], s["Type"]) for s in trace["ServiceIds"]] == [(name, "AWS::StepFunctions::StateMachine")]
        assert trace["HasFault"] is failed
        told = segment(local_aws, trace)
        assert told["aws"]["execution_arn"] == arn and "said" not in json.dumps(told)


def test_each_run_of_a_redriven_execution_and_each_child_is_traced(local_aws: LocalAws, make_role: Any) -> None:
    start = {"Effect": "Allow", "Action": ["states:StartExecution", "states:RedriveExecution"], "Resource": "*"}
    role = make_role(TRACE, start, trusted="states.amazonaws.com").arn
    fails = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}}
    item = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **fails}
    states = {"M": {"Type": "Map", "ItemProcessor": item, "ItemsPath": "$.items", "End": True}}
    states |= {"P": {"Type": "Pass", "Result": {"items": [1]}, "Next": "M"}}
    name, arn = execution(local_aws, role, {"StartAt": "P", "States": states}, enabled=True)
    assert len(summaries(local_aws, name)) == 2
    client = local_aws.client("stepfunctions")
    client.redrive_execution(executionArn=arn)
    eventually(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING")
    found = summaries(local_aws, name)
    assert len(found) == 4 and all(trace["Duration"] < 5 for trace in found)


def test_a_state_machine_that_is_not_traced_or_may_not_be_runs_without(local_aws: LocalAws, make_role: Any) -> None:
    for rights, enabled in (((TRACE,), False), ((), True)):
        role = make_role(*rights, trusted="states.amazonaws.com").arn
        name, _ = execution(local_aws, role, pass_state(), enabled)
        assert summaries(local_aws, name) == []


def test_traces_are_found_by_when_they_began_and_by_service(local_aws: LocalAws, make_role: Any) -> None:
    role, now = make_role(TRACE).arn, time.time()
    for name in ("early", "late"):
        times = (now - (40 if name == "early" else 20), now - 10)
        record(name, "AWS::Lambda::Function", {"function_arn": f"{FUNCTIONS}:{name}"}, role, times, False)

    def found(**asked: Any) -> set[str]:
        asked = {"StartTime": now - 60, "EndTime": now, **asked}
        listed = local_aws.client("xray").get_trace_summaries(**asked)["TraceSummaries"]
        return {trace["ServiceIds"][0]["Name"] for trace in listed} & {"early", "late"}

    assert found() == {"early", "late"}
    assert found(FilterExpression='service("early")') == {"early"}
    assert found(FilterExpression=' service( "late" ) ') == {"late"}
    assert found(FilterExpression='service("lat")') == set()
    assert found(StartTime=now - 30) == {"late"}
    assert found(EndTime=now - 30) == {"early"}


def test_a_trace_that_has_not_ended_is_not_summarized(local_aws: LocalAws) -> None:
    begun = {"name": "unfinished", "id": "0" * 16, "trace_id": "1-5759e988-bd862e3fe1be46a994272793"}
    document = json.dumps(begun | {"start_time": time.time(), "in_progress": True})
    local_aws.client("xray").put_trace_segments(TraceSegmentDocuments=[document])
    assert summaries(local_aws, "unfinished") == []


@pytest.mark.parametrize("expression", ["fault", 'service("a") AND fault', 'service("a") { fault }', "service()"])
def test_a_filter_that_is_not_understood_is_refused_by_name(local_aws: LocalAws, expression: str) -> None:
    with pytest.raises(ClientError) as refused:
        summaries(local_aws, "any", FilterExpression=expression)
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidRequestException" and expression in error["Message"]


def test_the_oldest_traces_make_room(local_aws: LocalAws, make_role: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "KEPT", 3)
    role, now = make_role(TRACE).arn, time.time()
    for number in range(5):
        name = f"kept-{number}"
        record(name, "AWS::Lambda::Function", {"function_arn": f"{FUNCTIONS}:{name}"}, role, (now, now), False)
    names = [trace["ServiceIds"][0]["Name"] for trace in summaries(local_aws, "", FilterExpression="")]
    assert names == ["kept-2", "kept-3", "kept-4"]
    assert len(xray_backends["123456789012"]["us-east-1"]._segment_collection._traces) == 3


@pytest.mark.parametrize(
    ("operation", "request_", "action"),
    [
        ("get_trace_summaries", {"StartTime": 0, "EndTime": 1}, "xray:GetTraceSummaries"),
        ("batch_get_traces", {"TraceIds": ["1-00000000-000000000000000000000000"]}, "xray:BatchGetTraces"),
        ("put_trace_segments", {"TraceSegmentDocuments": ["{}"]}, "xray:PutTraceSegments"),
    ],
)
def test_calls_take_the_permissions_of_their_documented_names(
    make_role: Any, operation: str, request_: dict[str, Any], action: str
) -> None:
    allowed = make_role({"Effect": "Allow", "Action": action, "Resource": "*"})
    assert getattr(allowed.client("xray"), operation)(**request_)
    with pytest.raises(ClientError, match=f"not authorized to perform: {action}"):
        getattr(make_role().client("xray"), operation)(**request_)
