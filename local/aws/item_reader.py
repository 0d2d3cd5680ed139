"""ItemReader of Distributed Maps over the objects of a bucket, as on AWS.

moto reads the first page only, passes times that are no JSON, and fails if there are no objects.
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html describes the items: one per object,
also of a "folder" that the S3 console made (its key ends in "/"). The page doesn't say what becomes of an empty list;
here the Map Run succeeds with no children, as over an empty JSON array.
"""

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.item_reader_decl import ItemReader
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils import boto_client

LIST_OBJECTS = "arn:aws:states:::s3:listObjectsV2"

_moto_eval_body = ItemReader._eval_body


class InvalidItemReader(ValueError):
    """An ItemReader that this local AWS can't run."""


def complete(name: str, state: dict[str, Any]) -> bool:
    """Give the ReaderConfig of a list of objects the InputType that moto's grammar wants; whether that was needed.

    Raises InvalidItemReader for a Transformation, which isn't supported here.
    """
    reader = state.get("ItemReader", {})
    if reader.get("Resource") != LIST_OBJECTS or "ReaderConfig" not in reader:
        return False
    if "Transformation" in reader["ReaderConfig"]:
        raise InvalidItemReader(f"ItemReader of {name}: the local AWS has no Transformation")
    reader["ReaderConfig"].setdefault("InputType", "JSON")
    return True


def eval_body(self: ItemReader, env: Environment) -> None:
    """ItemReader._eval_body: push the items. Raises botocore's errors."""
    if self.resource.resource_arn != LIST_OBJECTS:
        _moto_eval_body(self, env)
        return
    most = None
    if self.reader_config:
        self.reader_config.eval(env=env)
        most = env.stack.pop()["MaxItemsValue"]
    parameters: dict[str, Any] = {}
    if self.parargs:
        self.parargs.eval(env=env)
        parameters = env.stack.pop()
    self.resource.eval(env=env)
    region = env.stack.pop().region
    credentials = StateCredentials(role_arn=env.aws_execution_details.role_arn)
    s3 = boto_client.boto_client_for(region=region, service="s3", state_credentials=credentials)
    pages = s3.get_paginator("list_objects_v2").paginate(**parameters, PaginationConfig={"MaxItems": most})
    env.stack.append([_item(entry) for page in pages for entry in page.get("Contents", [])])


def _item(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "Etag": entry["ETag"],
        "Key": entry["Key"],
        "LastModified": int(entry["LastModified"].timestamp()),
        "Size": entry["Size"],
        "StorageClass": entry["StorageClass"],
    }


def install() -> None:
    """Make moto's Maps read lists of objects this way."""
    ItemReader._eval_body = eval_body  # type: ignore[method-assign]
