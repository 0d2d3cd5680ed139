"""The SDK's service models, reduced to the operations that the functions call: all take a fifth of a cold start.

lambdas/shared/sdk_data.py searches these before the SDK's own data, which still has paginators and retries. The models
are those of the version in requirements.lock, so the functions know every parameter that passes the synthesis.

The Lambda runtime decides which botocore reads the models. Versions before that of requirements.lock know fewer
protocols: 1.34.162, 1.35.99 and 1.36.26 can't use a model whose `protocol` is `smithy-rpc-v2-cbor`. Each reduced model
names only the protocol that the version in requirements.lock would choose, so that every version sends the same.
"""

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from botocore import xform_name
from botocore.loaders import Loader

from infra.settings import ConfigurationError

_LAMBDAS = Path(__file__).parents[1] / "lambdas"
# botocore itself calls it to find a bucket's Region.
_BY_BOTOCORE = {"s3": {"HeadBucket"}}

# The protocols that old versions of botocore know too, in its order of priority
# (botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS).
PROTOCOLS = ("json", "rest-json", "rest-xml", "query", "ec2")


def operations() -> dict[str, list[str]]:
    """Service -> the operations that the functions call, by the calls in their code."""
    trees = [ast.parse(path.read_text()) for path in sorted(_LAMBDAS.rglob("*.py"))]
    services = dict(_clients(trees))
    called: dict[str, set[str]] = {service: set() for service in services.values()}
    for node in _nodes(trees):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in services:
            called[services[node.value.id]].add(node.attr)
        elif isinstance(node, ast.Call) and _is_paginator(node.func) and isinstance(node.args[0], ast.Constant):
            called[services[node.func.value.id]].add(str(node.args[0].value))
    loader = Loader()
    return {
        service: sorted(
            name
            for name in loader.load_service_model(service, "service-2")["operations"]
            # Other members, such as `exceptions`, are no operations.
            if xform_name(name) in called[service] or name in _BY_BOTOCORE.get(service, ())
        )
        for service in sorted(called)
    }


def _clients(trees: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Name and service of each `NAME = client("SERVICE")`."""
    for node in _nodes(trees):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if ast.unparse(node.value.func) == "client" and isinstance(target, ast.Name):
                (service, *_) = node.value.args
                yield target.id, ast.literal_eval(service)


def _nodes(trees: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for tree in trees:
        yield from ast.walk(tree)


def _is_paginator(function: ast.expr) -> TypeGuard[Any]:
    return isinstance(function, ast.Attribute) and function.attr == "get_paginator"


def write_sdk_models(target: Path) -> None:
    """Write the models and endpoints of the services that the functions call to `target`, in botocore's layout."""
    loader = Loader()
    called = operations()
    for service, names in called.items():
        version = loader.determine_latest_version(service, "service-2")
        folder = target / service / version
        folder.mkdir(parents=True)
        _write(folder / "service-2.json", _reduced(loader.load_service_model(service, "service-2", version), names))
        rules = loader.load_service_model(service, "endpoint-rule-set-1", version)
        _write(folder / "endpoint-rule-set-1.json", rules)
    endpoints = loader.load_data("endpoints")
    partitions = [
        partition | {"services": {name: one for name, one in partition["services"].items() if name in called}}
        for partition in endpoints["partitions"]
    ]
    _write(target / "endpoints.json", endpoints | {"partitions": partitions})


def _reduced(model: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """`model` with only the operations `names`, the shapes that they need, one protocol, and no documentation."""
    kept = {name: model["operations"][name] for name in names}
    needed: dict[str, Any] = {}
    found = list(_shapes_in(kept))
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
        "operations": _undocumented(kept),
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
