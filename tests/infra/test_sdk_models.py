import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader
from botocore.model import PRIORITY_ORDERED_SUPPORTED_PROTOCOLS  # type: ignore[attr-defined]

from infra.functions import FUNCTIONS, pascal_case
from infra.sdk_models import PROTOCOLS, operations, protocol_of, write_sdk_models
from infra.settings import ConfigurationError
from tests.infra.conftest import Deployed

LAMBDAS = Path(__file__).parents[2] / "lambdas"
CLIENTS = {
    "clean_rooms_ml": "cleanroomsml",
    "comprehend_medical": "comprehendmedical",
    "dynamodb": "dynamodb",
    "s3": "s3",
    "stepfunctions": "stepfunctions",
    "transcribe": "transcribe",
}
OPERATIONS = operations()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_sdk_models(folder)
    return folder


def client(service: str, models: Path | None) -> Any:
    session = botocore.session.Session()
    # A separate session, because calling S3 changes the paths in a loaded model, which the tests' sessions share.
    session.register_component("data_loader", create_loader(str(models) if models else None))
    return session.create_client(
        service,
        "eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(parameter_validation=False),
    )


def nodes() -> Iterator[ast.AST]:
    for path in LAMBDAS.rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text()))


def test_all_clients_of_the_functions_are_made_in_one_way() -> None:
    made = [
        (target.id, node.value.args[0].value)
        for node in nodes()
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "client"
        and isinstance(target := node.target if isinstance(node, ast.AnnAssign) else node.targets[0], ast.Name)
        and isinstance(node.value.args[0], ast.Constant)
    ]
    assert dict(made) == CLIENTS
    assert sorted(OPERATIONS) == sorted(CLIENTS.values())
    others = re.compile(r"import boto3|create_client")
    assert [path.name for path in LAMBDAS.rglob("*.py") if others.search(path.read_text())] == ["sdk.py"]


def test_the_operations_are_those_that_the_functions_have_a_right_to(local: Deployed) -> None:
    """The rights are written by hand, and the functions were seen to use each of them."""
    granted: dict[str, set[str]] = {}
    for function in FUNCTIONS:
        for statement in local.statements(f"Functions/{pascal_case(function)}/Policy"):
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                service, _, name = action.partition(":")
                granted.setdefault(service, set()).add(name)
    by_service = {"cleanroomsml": "cleanrooms-ml", "stepfunctions": "states"}
    for service in ("cleanroomsml", "comprehendmedical", "stepfunctions", "transcribe"):
        # Tags are part of the request that starts a job.
        assert set(OPERATIONS[service]) == granted[by_service.get(service, service)] - {"TagResource"}
    # One right may be needed for several operations, or for a part of one.
    assert OPERATIONS["dynamodb"] == [
        "BatchGetItem",
        "DescribeTable",
        "Query",
        "Scan",
        "TransactWriteItems",
        "UpdateItem",
    ]
    assert OPERATIONS["s3"] == [
        "GetObject",
        "HeadBucket",
        "HeadObject",
        "ListObjectVersions",
        "ListObjectsV2",
        "PutObject",
    ]


def test_every_error_that_the_functions_catch_is_in_the_models(models: Path) -> None:
    caught = {
        (CLIENTS[node.value.value.id], node.attr)
        for node in nodes()
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "exceptions"
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id in CLIENTS
    }
    assert caught
    for service, name in caught:
        assert hasattr(client(service, models).exceptions, name), (service, name)


@pytest.mark.parametrize("service", OPERATIONS)
def test_requests_are_made_as_by_the_whole_models(models: Path, service: str) -> None:
    whole, reduced = client(service, None), client(service, models)
    assert reduced.meta.endpoint_url == whole.meta.endpoint_url
    own, all_of_them = reduced.meta.service_model, whole.meta.service_model
    assert set(own.operation_names) == set(OPERATIONS[service])
    for name in OPERATIONS[service]:
        assert undocumented(own.operation_model(name)) == undocumented(all_of_them.operation_model(name))


@pytest.mark.parametrize("service", OPERATIONS)
def test_a_model_names_only_the_protocol_that_old_and_new_versions_use(models: Path, service: str) -> None:
    """Botocore 1.34.162, 1.35.99 and 1.36.26 were tried: they read these models and send the same requests."""
    (file,) = models.glob(f"{service}/*/service-2.json")
    metadata = json.loads(file.read_text())["metadata"]
    assert metadata["protocol"] in ("json", "query", "rest-json", "rest-xml", "ec2")
    assert metadata["protocols"] == [metadata["protocol"]]
    assert metadata["protocol"] == client(service, None).meta.service_model.resolved_protocol
    if metadata["protocol"] == "json":
        assert metadata["jsonVersion"] in ("1.0", "1.1") and metadata["targetPrefix"]


def test_the_protocols_are_in_the_order_in_which_the_sdk_chooses() -> None:
    assert [name for name in PRIORITY_ORDERED_SUPPORTED_PROTOCOLS if name in PROTOCOLS] == list(PROTOCOLS)


def test_a_service_with_new_protocols_only_is_named() -> None:
    metadata = {"serviceId": "Novel", "protocol": "smithy-rpc-v2-cbor", "protocols": ["smithy-rpc-v2-cbor"]}
    with pytest.raises(ConfigurationError, match="model of Novel has the protocols smithy-rpc-v2-cbor, but must have"):
        protocol_of(metadata)


def undocumented(operation: Any) -> list[Any]:
    """Everything botocore derives a request and its answer from: all shapes below, as text."""
    # The service's protocols, and the one that is used.
    chosen = operation.service_model.resolved_protocol
    metadata = {**operation.metadata, "protocol": chosen, "protocols": [chosen]}
    told: list[Any] = [operation.http, metadata, operation.endpoint, operation.auth]
    shapes = [operation.input_shape, operation.output_shape, *operation.error_shapes]
    seen = set()
    while shapes:
        shape = shapes.pop()
        if shape is None or shape.name in seen:
            continue
        seen.add(shape.name)
        told.append((shape.name, shape.type_name, shape.metadata, shape.serialization))
        if shape.type_name == "structure":
            told.append(sorted((name, member.name) for name, member in shape.members.items()))
            shapes += shape.members.values()
        elif shape.type_name == "list":
            shapes.append(shape.member)
        elif shape.type_name == "map":
            shapes += [shape.key, shape.value]
    return told


PARAMETERS: dict[str, dict[str, Any]] = {
    "s3": {"Bucket": "bucket", "Key": "a/key"},
    "comprehendmedical": {"ClientRequestToken": "token"},
    "dynamodb": {
        "ClientRequestToken": "token",
        "RequestItems": {"table": {}},
        "TransactItems": [],
        "TableName": "table",
    },
    "cleanroomsml": {
        "audienceGenerationJobArn": "arn:aws:cleanrooms-ml:eu-west-1:123456789012:audience-generation-job/one",
        "name": "name",
    },
}


@pytest.mark.parametrize(("service", "operation"), [(one, name) for one, names in OPERATIONS.items() for name in names])
def test_a_request_is_the_one_that_the_whole_models_make(models: Path, service: str, operation: str) -> None:
    sent = []

    def send(model: Any, params: dict[str, Any], **_: Any) -> Any:
        headers = {name: value for name, value in params["headers"].items() if name != "User-Agent"}
        sent.append((params["method"], params["url"], headers, params["body"], params["context"]["auth_type"]))
        return SimpleNamespace(status_code=200), {}

    for found in (client(service, models), client(service, None)):
        known = found.meta.service_model.operation_model(operation).input_shape.members
        found.meta.events.register(f"before-call.*.{operation}", send)
        given = {name: value for name, value in PARAMETERS.get(service, {}).items() if name in known}
        getattr(found, xform_name(operation))(**given)
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_what_is_not_in_the_models_is_found_in_the_sdk(models: Path) -> None:
    client("sqs", models)
    with pytest.raises(UnknownServiceError):
        client("no-such-service", models)
    pages = client("s3", models).get_paginator("list_objects_v2")
    assert pages.result_keys
