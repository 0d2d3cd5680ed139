"""A state machine's calls of other services: with its role's rights, and with Step Functions' names for errors.

moto makes every call with the same anonymous key and a new client (about 15 ms of CPU each), reports every failed
Lambda call as the error "Exception", which no Retry names, and leaves the members of requests and answers of `aws-sdk`
and nested executions as boto3 names them. In a definition all begin with a capital letter, and times are strings:
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

import datetime
import os
import sys
import threading
from functools import lru_cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from local.aws.clients import client
from local.aws.credentials import assume_service_role

_CONFIG = Config(
    parameter_validation=False,
    retries={"total_max_attempts": 1},
    # A Lambda function may take 15 minutes.
    read_timeout=960,
    max_pool_connections=200,
    s3={"addressing_style": "path"},
)
_moto_boto_client_for = boto_client.boto_client_for
_moto_lambda_error = StateTaskLambda._from_error
_moto_response_value = StateTaskService._from_boto_response_value
_creating = threading.Lock()


def boto_client_for(region: str, service: str, state_credentials: StateCredentials) -> Any:
    """The client of `service` that acts as the role in `state_credentials`; one per role, service and endpoint.

    The role must trust states.amazonaws.com (its trust policy gets the state machine's ARN as aws:SourceArn).
    Raises local.aws.credentials.AccessDenied if it does not.
    """
    role_arn, endpoint = state_credentials.role_arn, os.environ["AWS_ENDPOINT_URL"]
    backend = stepfunctions_parser_backends[role_arn.split(":")[4]][region]
    key = (role_arn, service, endpoint)
    with _creating:
        # Stored on moto's backend, so that a reset deletes them with their role sessions.
        made: dict[tuple[str, str, str], Any] = backend.__dict__.setdefault("task_clients", {})
        if key not in made:
            source_arn = next((machine.arn for machine in backend.state_machines if machine.roleArn == role_arn), None)
            credentials = assume_service_role(role_arn, "states.amazonaws.com", source_arn)
            made[key] = client(service, endpoint, region, config=_CONFIG, **credentials)
        return made[key]


def lambda_error(self: StateTaskLambda, env: Environment, ex: Exception) -> FailureEvent:
    """StateTaskLambda._from_error: a call that Lambda refused is `Lambda.<its exception>`, as on AWS.

    Codes that Invoke does not model (access denied is one) are Lambda.AWSLambdaException, and a call that did not reach
    Lambda is Lambda.SdkClientException:
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    if isinstance(ex, ClientError):
        error, cause = _refusal(ex)
    elif isinstance(ex, BotoCoreError):
        error, cause = "Lambda.SdkClientException", str(ex)
    else:
        return _moto_lambda_error(self, env, ex)
    details: Any = {"lambdaFunctionFailedEventDetails": {"error": error, "cause": cause}}
    return FailureEvent(
        env=env,
        error_name=CustomErrorName(error),
        event_type=HistoryEventType.LambdaFunctionFailed,
        event_details=details,
    )


def normalise_parameters(
    self: StateTaskService, parameters: Any, boto_service_name: Any = None, service_action_name: Any = None
) -> None:
    """StateTaskService._normalise_parameters: the definition's names become boto3's."""
    model = _operation(
        self._get_boto_service_name(boto_service_name), self._get_boto_service_action(service_action_name)
    )
    self._to_boto_request(parameters, model.input_shape)  # type: ignore[arg-type]


def normalise_response(
    self: StateTaskService, response: Any, boto_service_name: Any = None, service_action_name: Any = None
) -> None:
    """StateTaskService._normalise_response: boto3's names become the definition's."""
    model = _operation(
        self._get_boto_service_name(boto_service_name), self._get_boto_service_action(service_action_name)
    )
    self._from_boto_response(response, model.output_shape)  # type: ignore[arg-type]


def response_value(value: Any) -> Any:
    """StateTaskService._from_boto_response_value: a time is a string."""
    if isinstance(value, datetime.datetime):
        return iso_8601_datetime_with_milliseconds(value)
    return _moto_response_value(value)


@lru_cache
def _operation(service: str, action: str) -> OperationModel:
    model = botocore.session.get_session().get_service_model(service)
    return next(model.operation_model(name) for name in model.operation_names if xform_name(name) == action)


@lru_cache
def modelled_errors(service: str) -> frozenset[str]:
    """The errors of the operation of `service` that a Task calls."""
    operation = {"lambda": "Invoke", "stepfunctions": "StartExecution"}[service]
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    return frozenset(shape.name for shape in model.error_shapes)


def _refusal(error: ClientError) -> tuple[str, str]:
    code, cause = error.response["Error"]["Code"], error.response["Error"]["Message"]
    return f"Lambda.{code}" if code in modelled_errors("lambda") else "Lambda.AWSLambdaException", cause


def install() -> None:
    """Make every call of a state machine (Tasks, ItemReader, ResultWriter) go through `boto_client_for`."""
    StateTaskLambda._from_error = lambda_error  # type: ignore[method-assign]
    StateTaskService._normalise_parameters = normalise_parameters  # type: ignore[method-assign]
    StateTaskService._normalise_response = normalise_response  # type: ignore[method-assign]
    StateTaskService._from_boto_response_value = staticmethod(response_value)  # type: ignore[method-assign,assignment]
    StateTaskServiceLambda._error_cause_from_client_error = staticmethod(_refusal)  # type: ignore[method-assign,assignment]
    boto_client.boto_client_for = boto_client_for  # type: ignore[assignment]
    # Modules that are loaded already have moto's function by name.
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.") and vars(module).get("boto_client_for") is _moto_boto_client_for:
            module.boto_client_for = boto_client_for  # type: ignore[attr-defined]
