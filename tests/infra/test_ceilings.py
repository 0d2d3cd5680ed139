from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Annotations, Match

from infra.ceilings import full_batch_usd
from infra.environment import Environment

if TYPE_CHECKING:
    from infra.stack import PipelineStack


def warnings(stack: "PipelineStack") -> list[str]:
    found = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("costs\\."))
    return [str(item.entry.data) for item in found]


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "local"])
def test_every_environment_lets_a_full_batch_of_visits_through(
    context: dict[str, Any], new_stack: "Callable[..., PipelineStack]", name: str
) -> None:
    environment = Environment.from_context(name, context)
    assert environment.costs.day_ceiling_usd is not None
    # The estimate may be too low by half before entity detection is stopped.
    assert 1.5 * full_batch_usd(environment) <= environment.costs.batch_ceiling_usd <= environment.costs.day_ceiling_usd
    if name == "prod":
        assert round(full_batch_usd(environment), 2) == 4950
        assert warnings(new_stack(name)) == []


def test_synthesis_warns_of_each_ceiling_below_a_full_batch(new_stack: "Callable[..., PipelineStack]") -> None:
    costs = {"batch_ceiling_usd": 494.99, "day_ceiling_usd": 494, "above_batch_ceiling": "cut"}
    batch, day = sorted(warnings(new_stack("local", costs=costs)))
    assert "environments.local.costs.batch_ceiling_usd is 494.99 USD, but a full batch of 100 visits of 30" in batch
    assert "costs about 495 USD and would be cut. Raise it, or lower batch_size." in batch
    assert "environments.local.costs.day_ceiling_usd is 494 USD" in day


def test_no_ceiling_for_a_day_is_none_to_warn_of(new_stack: "Callable[..., PipelineStack]") -> None:
    costs = {"batch_ceiling_usd": 495.01, "day_ceiling_usd": None, "above_batch_ceiling": "stop"}
    assert warnings(new_stack("local", costs=costs)) == []
