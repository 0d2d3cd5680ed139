"""The resources of a template: their order, and their properties once references and functions are resolved."""

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import moto.cloudformation.parsing as parsing
from moto.cloudformation.exceptions import ValidationError

Template = Mapping[str, Any]

_SUBSTITUTED = re.compile(r"\$\{([\w:]+)[^}]*\}")


def in_order(template: Template) -> list[str]:
    """The logical ids, each after those that it refers to or depends on. Raises ValidationError for a circle."""
    resources = template.get("Resources", {})
    graph = {logical_id: references(resource) & set(resources) for logical_id, resource in resources.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = ", ".join(sorted(set(error.args[1])))
        raise ValidationError(message=f"Circular dependency between resources: [{circle}]") from None


def references(value: Any) -> set[str]:
    """The names to which a part of a template refers: resources, parameters and pseudo parameters."""
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for name, member in value.items():
        match name, member:
            case ("Ref", str()):
                found.add(member)
            case ("DependsOn", str() | list()):
                found |= {member} if isinstance(member, str) else set(member)
            case ("Fn::GetAtt", str() | list()):
                found.add(member.split(".")[0] if isinstance(member, str) else member[0])
            case ("Fn::Sub", str() | list()):
                text = member if isinstance(member, str) else member[0]
                values: dict[str, Any] = member[1] if isinstance(member, list) else {}
                found |= set(_SUBSTITUTED.findall(text)) - set(values) | references(list(values.values()))
            case _:
                found |= references(member)
    return found


def check_references(template: Template) -> None:
    """Raise ValidationError naming what the resources refer to, but the template doesn't have."""
    declared = {*template.get("Resources", {}), *template.get("Parameters", {})}
    found = references(list(template.get("Resources", {}).values()))
    if missing := sorted(name for name in found - declared if not name.startswith("AWS::")):
        raise ValidationError(
            message=f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
            "in the Resources block of the template"
        )


def included(template: Template, resources: parsing.ResourceMap) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each logical id with its declaration, in order, without those whose condition is false."""
    for logical_id in in_order(template):
        declared = template["Resources"][logical_id]
        condition = declared.get("Condition")
        if condition is None or resources.lazy_condition_map[condition]:
            yield logical_id, declared


def adopt(resources: parsing.ResourceMap, logical_id: str, resource: Any) -> None:
    """Make `resource` the one of this logical id, so that moto creates none for it; None: its condition is false."""
    resources._parsed_resources[logical_id] = resource


def resolved(declared: Mapping[str, Any], resources: parsing.ResourceMap) -> dict[str, Any]:
    """The resource's properties, with the values of references and functions."""
    properties: dict[str, Any] = parsing.clean_json(declared.get("Properties", {}), resources)
    return properties


_moto_clean_json = parsing.clean_json


def clean_json(value: Any, resources: parsing.ResourceMap) -> Any:
    """parsing.clean_json, which leaves a null in a list where AWS::NoValue stands.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html
    """
    if isinstance(value, list):
        return [item for item in (clean_json(member, resources) for member in value) if item is not None]
    return _moto_clean_json(value, resources)


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    parsing.clean_json = clean_json  # type: ignore[assignment]
