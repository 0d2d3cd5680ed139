import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.core.base_backend import BackendDict
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import resource_eval_s3
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.sts.models import sts_backends

from local.aws import step_functions, task_calls
from local.aws.credentials import AccessDenied
from tests.local.aws.in_process import InProcessAws, in_process_aws, pass_state


def client_for(role_arn: str, service: str = "lambda") -> Any:
    return task_calls.boto_client_for(
        region="us-east-1", service=service, state_credentials=StateCredentials(role_arn=role_arn)
    )


def access_key_of(client: Any) -> Any:
    return client._request_signer._credentials.access_key


def run_task(aws: InProcessAws, name: str, resource: str, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    return aws.run(aws.state_machine(name, {"StartAt": "Task", "States": {"Task": state}}))


def test_a_client_acts_as_a_session_of_the_role(aws: InProcessAws) -> None:
    role = aws.role("acting", "states.amazonaws.com")
    session = sts_backends["123456789012"]["aws"].get_assumed_role_from_access_key(access_key_of(client_for(role)))
    assert session is not None and session.role_arn == role


def test_there_is_one_client_per_role_and_service(aws: InProcessAws) -> None:
    first, second = aws.role("first", "states.amazonaws.com"), aws.role("second", "states.amazonaws.com")
    assert client_for(first) is client_for(first)
    assert client_for(first) is not client_for(second)
    assert client_for(first, "s3") is not client_for(first)
    assert access_key_of(client_for(first)) != access_key_of(client_for(second))


def test_clients_are_forgotten_when_moto_forgets_their_sessions() -> None:
    step_functions.install()
    with in_process_aws(time_scale=0.01) as aws:
        before = client_for(aws.role("forgotten", "states.amazonaws.com"))
        BackendDict.reset()
        assert client_for(aws.role("forgotten", "states.amazonaws.com")) is not before


def test_a_role_that_does_not_trust_step_functions_cannot_be_used(aws: InProcessAws) -> None:
    with pytest.raises(AccessDenied, match=r"states\.amazonaws\.com cannot assume"):
        client_for(aws.role("untrusting", "lambda.amazonaws.com"))


def test_a_task_calls_lambda_as_the_state_machines_role(aws: InProcessAws, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def boto_client_for(**arguments: Any) -> Any:
        seen.append(arguments)
        return task_calls.boto_client_for(**arguments)

    monkeypatch.setattr(lambda_eval_utils, "boto_client_for", boto_client_for)
    run_task(aws, "as-role", aws.function("as-role", lambda event: None))
    assert [call["state_credentials"].role_arn for call in seen] == [aws.role("state-machine")]


def test_moto_takes_clients_for_tasks_and_item_readers_from_here(aws: InProcessAws) -> None:
    assert lambda_eval_utils.boto_client_for is task_calls.boto_client_for  # type: ignore[attr-defined]
    assert resource_eval_s3.boto_client_for is task_calls.boto_client_for  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("TooManyRequestsException", 429, "Lambda.TooManyRequestsException"),
        ("ServiceException", 500, "Lambda.ServiceException"),
        ("ResourceNotFoundException", 404, "Lambda.ResourceNotFoundException"),
        ("AccessDeniedException", 403, "Lambda.AWSLambdaException"),
    ],
)
def test_a_refused_call_is_named_as_step_functions_names_it(
    aws: InProcessAws, monkeypatch: pytest.MonkeyPatch, code: str, status: int, error: str
) -> None:
    def refuse(*arguments: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "Invoke")

    arn = aws.function(f"refused-{status}", lambda event: None)
    monkeypatch.setattr(client_for(aws.role("state-machine", "states.amazonaws.com")), "_make_api_call", refuse)
    execution = run_task(aws, f"refused-{status}", arn)
    assert (execution["error"], execution["cause"]) == (error, "no")


def test_a_missing_function_is_told_by_lambda_itself(aws: InProcessAws) -> None:
    execution = run_task(aws, "missing", "arn:aws:lambda:us-east-1:123456789012:function:missing")
    assert execution["error"] == "Lambda.ResourceNotFoundException"


def test_a_call_that_does_not_reach_lambda_is_an_sdk_error(aws: InProcessAws, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: Any) -> None:
        raise EndpointConnectionError(endpoint_url="http://nowhere")

    arn = aws.function("unreachable", lambda event: None)
    monkeypatch.setattr(client_for(aws.role("state-machine", "states.amazonaws.com")), "_make_api_call", unreachable)
    assert run_task(aws, "unreachable", arn)["error"] == "Lambda.SdkClientException"


def test_a_throttled_call_is_retried_by_its_name(aws: InProcessAws, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_for(aws.role("state-machine", "states.amazonaws.com"))
    call = client._make_api_call
    refusals: list[ClientError] = []

    def throttle_once(*arguments: Any) -> Any:
        if refusals:
            return call(*arguments)
        refusals.append(ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "slow down"}}, "Invoke"))
        raise refusals[0]

    monkeypatch.setattr(client, "_make_api_call", throttle_once)
    retry = [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1}]
    execution = run_task(aws, "throttled", aws.function("throttled", lambda event: "done"), Retry=retry)
    assert json.loads(execution["output"]) == "done"


def test_the_error_of_a_function_keeps_its_own_name(aws: InProcessAws) -> None:
    def fail(event: Any) -> None:
        raise KeyError("x")

    assert run_task(aws, "own-error", aws.function("own-error", fail))["error"] == "KeyError"


def test_an_sdk_integration_names_members_with_capital_letters_and_times_as_strings(aws: InProcessAws) -> None:
    described = aws.run(aws.state_machine("described", pass_state()))
    execution = run_task(
        aws,
        "describes",
        "arn:aws:states:::aws-sdk:sfn:describeExecution",
        Parameters={"ExecutionArn": described["executionArn"]},
    )
    output = json.loads(execution["output"])
    assert (output["ExecutionArn"], output["Input"]) == (described["executionArn"], "{}")
    assert output["StopDate"] == described["stopDate"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def test_an_sdk_integration_that_is_refused_fails_by_its_exception(aws: InProcessAws) -> None:
    missing = "arn:aws:states:us-east-1:123456789012:execution:none:none"
    execution = run_task(
        aws, "describes-none", "arn:aws:states:::aws-sdk:sfn:describeExecution", Parameters={"ExecutionArn": missing}
    )
    assert execution["error"] == "Sfn.ExecutionDoesNotExistException"
