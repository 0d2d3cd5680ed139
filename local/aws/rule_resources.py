"""CloudFormation's EventBridge rules, which moto changes by deleting them."""

import json
from typing import Any

from moto.events.models import Rule

from local.aws.resource_types import Properties, ResourceType, operator_client


def update_rule(rule: Rule, properties: Properties, previous: Properties) -> None:
    """Change the rule and its targets. The resource stays, as the rule's name; moto makes another rule of it."""
    events = operator_client("events")
    details = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name in ("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")
        if (value := properties.get(name)) is not None
    }
    events.put_rule(Name=rule.name, **details)
    targets = properties.get("Targets", [])
    kept = {target["Id"] for target in targets}
    if gone := [target["Id"] for target in previous.get("Targets", []) if target["Id"] not in kept]:
        events.remove_targets(Rule=rule.name, Ids=gone)
    if targets:
        events.put_targets(Rule=rule.name, Targets=[_target(target) for target in targets])


def delete_rule(rule: Rule) -> None:
    """The rule of this name, with its targets."""
    events = operator_client("events")
    if targets := events.list_targets_by_rule(Rule=rule.name)["Targets"]:
        events.remove_targets(Rule=rule.name, Ids=[target["Id"] for target in targets])
    events.delete_rule(Name=rule.name)


def _target(properties: Properties) -> dict[str, Any]:
    """A target for the API, whose numbers CloudFormation also takes as strings."""
    target = dict(properties)
    if retries := target.get("RetryPolicy"):
        target["RetryPolicy"] = {name: int(value) for name, value in retries.items()}
    return target


TYPES = {
    "AWS::Events::Rule": ResourceType(
        frozenset({"Description", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State", "Targets"}),
        replaced_by=frozenset({"Name"}),
        update=update_rule,
        delete=delete_rule,
    ),
}
