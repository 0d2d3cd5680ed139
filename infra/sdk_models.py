"""The SDK's service models, reduced to the operations that the functions call: all take a fifth of a cold start.

lambdas/shared/sdk_data.py searches these before the SDK's own data, which still has paginators and retries. The models
are those of the version in requirements.lock, so the functions know every parameter that passes the synthesis.

The Lambda runtime decides which botocore reads the models. Versions before that of requirements.lock know fewer
protocols: 1.34.162, 1.35.99 and 1.36.26 can't use a model whose `protocol` is `smithy-rpc-v2-cbor`. Each reduced model
names only the protocol that the version in requirements.lock would choose, so that every version sends the same.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from infra.settings import ConfigurationError

# HeadBucket is included because botocore itself calls it to find a bucket's Region.
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

# The protocols that old versions of botocore know too, in its order of priority
# (botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS).
PROTOCOLS = ("json", "rest-json", "rest-xml", "query", "ec2")


def write_sdk_models(target: Path) -> None:
    """Write the models and endpoints for OPERATIONS to `target`, in the layout of botocore's data."""
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
    """`model` with only the operations `names`, the shapes that they need, one protocol, and no documentation."""
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
    # botocore requires the documentation of the other members.
    return {
        **model,
        "metadata": {**model["metadata"], "protocol": protocol, "protocols": [protocol]},
        "operations": _undocumented(operations),
        "shapes": _undocumented(shapes),
    }


def protocol_of(metadata: Mapping[str, Any]) -> str:
    """The protocol to write, from the metadata of a service's model.

    Raises:
        ConfigurationError: old versions of botocore know none of the service's protocols.
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
        # A shape's member may be called documentation, but then its value is not a string.
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
