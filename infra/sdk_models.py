"""The SDK's data, cut down to what the functions call: with all of it, making clients takes a fifth of a cold start.

lambdas/shared/sdk_data.py looks here before the SDK's own data: what isn't here, as paginators, retries and whatever a
newer runtime wants, is found as before. The models are those of the version in requirements.lock: a
parameter that passes the checks of a synthesis is known to the functions too.

Which botocore reads them is up to the Lambda runtime. Versions before that of requirements.lock know fewer protocols:
1.34.162, 1.35.99 and 1.36.26 make no client of a model whose `protocol` is `smithy-rpc-v2-cbor`. Each model names the
protocol that the version in requirements.lock would choose, and no other, so that every version sends the same.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from infra.settings import ConfigurationError

# What botocore does on its own account counts too: HeadBucket tells it the Region of a bucket that moved.
OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "cleanroomsml": (
        "GetAudienceGenerationJob",
        "ListAudienceExportJobs",
        "ListAudienceGenerationJobs",
        "StartAudienceExportJob",
        "StartAudienceGenerationJob",
    ),
    "comprehendmedical": (
        "DescribeEntitiesDetectionV2Job",
        "ListEntitiesDetectionV2Jobs",
        "StartEntitiesDetectionV2Job",
    ),
    "dynamodb": ("BatchGetItem", "TransactWriteItems", "UpdateItem"),
    "s3": ("GetObject", "HeadBucket", "HeadObject", "ListObjectsV2", "PutObject"),
    "stepfunctions": (
        "DescribeExecution",
        "DescribeMapRun",
        "ListExecutions",
        "ListMapRuns",
        "StartExecution",
        "UpdateMapRun",
    ),
    "transcribe": ("GetMedicalTranscriptionJob", "StartMedicalTranscriptionJob"),
}

# Those that botocore has read for years, in the order in which it chooses among the protocols of a service
# (botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS).
PROTOCOLS = ("json", "rest-json", "rest-xml", "query", "ec2")


def write_sdk_models(target: Path) -> None:
    """Write models and endpoints of OPERATIONS to `target`, in the layout of botocore's own data."""
    loader = Loader()
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        folder = target / service / version
        folder.mkdir(parents=True)
        _write(
            folder / "service-2.json", _reduced(loader.load_service_model(service, "service-2", version), operations)
        )
        rules = loader.load_service_model(service, "endpoint-rule-set-1", version)
        _write(folder / "endpoint-rule-set-1.json", rules)
    endpoints = loader.load_data("endpoints")
    partitions = [
        partition | {"services": {name: one for name, one in partition["services"].items() if name in OPERATIONS}}
        for partition in endpoints["partitions"]
    ]
    _write(target / "endpoints.json", endpoints | {"partitions": partitions})


def _reduced(model: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """`model` with the operations `names`, the shapes that these need, one protocol, and no documentation."""
    operations = {name: model["operations"][name] for name in names}
    needed: dict[str, Any] = {}
    found = list(_shapes_in(operations))
    while found:
        name = found.pop()
        if name not in needed:
            needed[name] = model["shapes"][name]
            found += _shapes_in(needed[name])
    shapes = {name: needed[name] for name in sorted(needed)}
    protocol = protocol_of(model["metadata"])
    # botocore insists on the documentation of the few other things.
    return {
        **model,
        "metadata": {**model["metadata"], "protocol": protocol, "protocols": [protocol]},
        "operations": _undocumented(operations),
        "shapes": _undocumented(shapes),
    }


def protocol_of(metadata: Mapping[str, Any]) -> str:
    """The protocol to write, by the metadata of a service's model.

    Raises:
        ConfigurationError: older versions of botocore know none of the service's.
    """
    known = [name for name in PROTOCOLS if name in metadata["protocols"]]
    if not known:
        raise ConfigurationError(
            f"The SDK's model of {metadata['serviceId']} has the protocols {', '.join(metadata['protocols'])}, "
            f"but must have one of {', '.join(PROTOCOLS)}; pin an older botocore, or put it into the functions' zip."
        )
    return known[0]


def _shapes_in(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        for child in node.values():
            yield from _shapes_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from _shapes_in(child)


def _undocumented(node: Any) -> Any:
    if isinstance(node, Mapping):
        # A member may be called documentation, but then it is not a text.
        return {
            key: _undocumented(child)
            for key, child in node.items()
            if not (key == "documentation" and isinstance(child, str))
        }
    if isinstance(node, list):
        return [_undocumented(child) for child in node]
    return node


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
