from typing import Any

import botocore.parsers
import botocore.session
import pytest

from local.aws.error_answers import error_answer


@pytest.mark.parametrize("service", ["s3", "sns", "iam", "kms", "stepfunctions", "lambda", "cleanroomsml"])
def test_the_sdk_reads_code_and_message_in_every_protocol(service: str) -> None:
    answer = error_answer(service, "SomeFault", 503, "a < b & c")
    model = botocore.session.get_session().get_service_model(service)
    parser: Any = botocore.parsers.create_parser(model.metadata["protocol"])
    response = {"body": answer.body, "headers": dict(answer.headers), "status_code": int(answer.status[:3])}
    parsed = parser.parse(response, model.operation_model(model.operation_names[0]).output_shape)
    assert (parsed["Error"]["Code"], parsed["Error"]["Message"]) == ("SomeFault", "a < b & c")
    assert answer.status == "503 Service Unavailable"


def test_a_call_that_came_as_a_form_is_answered_in_xml() -> None:
    as_json = error_answer("cloudwatch", "InternalServiceFault", 500, "failed", {"Extra": [1]})
    assert as_json.body == b'{"__type": "InternalServiceFault", "message": "failed", "Extra": [1]}'
    assert error_answer("cloudwatch", "InternalServiceFault", 500, "failed", query=True).body == (
        b"<ErrorResponse><Error><Type>Receiver</Type><Code>InternalServiceFault</Code><Message>failed</Message>"
        b"</Error></ErrorResponse>"
    )
