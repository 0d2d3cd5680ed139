"""ItemBatcher of Distributed Maps, which moto's grammar lacks: a child execution receives a batch of items.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html: a child's input is the fixed
`BatchInput`, if there is one, and `Items`; a batch ends where the next item would exceed MaxItemsPerBatch or
MaxInputBytesPerBatch, without which it may have 256 KiB.

The page doesn't say which bytes are counted. Here they are those of the child's whole input, as compact UTF-8, so that
no limit that fits here is exceeded on AWS.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_map import state_map
from moto.stepfunctions.parser.asl.component.state.state_props import StateProps
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError, extract_json

MAX_INPUT_BYTES = 262_144
"""The largest input of an execution, a child's too: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

Evaluation = Callable[[Environment], Any]

_LIMITS = ("MaxItemsPerBatch", "MaxInputBytesPerBatch")
_FIELDS = {"BatchInput", *_LIMITS, *(f"{limit}Path" for limit in _LIMITS)}
_declared: ContextVar[dict[str, "ItemBatcher"]] = ContextVar("declared", default={})  # noqa: B039
_moto_from_state_props = state_map.StateMap.from_state_props


class InvalidItemBatcher(ValueError):
    """An ItemBatcher that Step Functions refuses when the state machine is created."""


class InputTooLarge(Exception):
    """A child's input would exceed 256 KiB, or an item its batch's MaxInputBytesPerBatch."""


@dataclass(frozen=True)
class ItemBatcher:
    """A Map's ItemBatcher. `batch_input` evaluates its BatchInput in an environment; it is None if there is none."""

    limits: dict[str, Any]
    batch_input: Evaluation | None = None

    def inputs(self, env: Environment, items: list[Any]) -> list[tuple[Any, int]]:
        """The input of each child, and the number of items in it. Raises InputTooLarge, ValueError."""
        fixed = {"BatchInput": self.batch_input(env)} if self.batch_input else {}
        most_items, most_bytes = (self._limit(env, limit) for limit in _LIMITS)
        return [
            ({**fixed, "Items": batch}, len(batch))
            for batch in _batches(items, fixed, most_items, min(most_bytes or MAX_INPUT_BYTES, MAX_INPUT_BYTES))
        ]

    def _limit(self, env: Environment, limit: str) -> int | None:
        if path := self.limits.get(f"{limit}Path"):
            try:
                value = extract_json(path, env.states.get_input())
            except NoSuchJsonPathError:
                raise ValueError(f"{limit}Path {path} is not in the Map's input") from None
            return _positive(f"{limit}Path {path}", value)
        return self.limits.get(limit)


def _batches(items: list[Any], fixed: Any, most_items: int | None, most_bytes: int) -> Iterator[list[Any]]:
    empty = json_bytes({**fixed, "Items": []})
    batch: list[Any] = []
    used = empty
    for item in items:
        added = json_bytes(item)
        if empty + added > most_bytes:
            raise InputTooLarge(f"A batch with one item of {added} bytes has more than {most_bytes} bytes")
        if batch and (len(batch) == most_items or used + 1 + added > most_bytes):
            yield batch
            batch, used = [], empty
        used += added + (1 if batch else 0)
        batch.append(item)
    if batch:
        yield batch


def json_bytes(value: Any) -> int:
    """The bytes of a JSON value, compact and in UTF-8."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode())


def take_out(name: str, state: dict[str, Any], template: Callable[[Any], Evaluation]) -> ItemBatcher | None:
    """Take the ItemBatcher, if there is one, out of the definition of the Map state `name`.

    `template` makes the evaluation of BatchInput. Raises InvalidItemBatcher.
    """
    if "ItemBatcher" not in state:
        return None
    fields, field = state.pop("ItemBatcher"), f"ItemBatcher of {name}"
    if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
        raise InvalidItemBatcher(f"{field}: only a Distributed Map may have one")
    if unknown := sorted(fields.keys() - _FIELDS):
        raise InvalidItemBatcher(f"{field} has the unknown field {unknown[0]}")
    if not any(limit in fields or f"{limit}Path" in fields for limit in _LIMITS):
        raise InvalidItemBatcher(f"{field} must have MaxItemsPerBatch or MaxInputBytesPerBatch")
    for limit in _LIMITS:
        if limit in fields and f"{limit}Path" in fields:
            raise InvalidItemBatcher(f"{field} may have {limit} or {limit}Path, not both")
        if limit in fields:
            _positive(f"{limit} of the {field}", fields[limit], InvalidItemBatcher)
    if fields.get("MaxInputBytesPerBatch", 0) > MAX_INPUT_BYTES:
        raise InvalidItemBatcher(f"MaxInputBytesPerBatch of the {field} may be at most {MAX_INPUT_BYTES}")
    return ItemBatcher(fields, template(fields["BatchInput"]) if "BatchInput" in fields else None)


def _positive(what: str, value: Any, error: type[ValueError] = ValueError) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise error(f"{what} must be a positive integer, not {value!r}")
    return value


@contextlib.contextmanager
def declared(batchers: dict[str, ItemBatcher]) -> Iterator[None]:
    """Give the Map states that moto makes meanwhile their ItemBatchers, by the states' names."""
    token = _declared.set(batchers)
    try:
        yield
    finally:
        _declared.reset(token)


def from_state_props(self: state_map.StateMap, state_props: StateProps) -> None:
    """StateMap.from_state_props, which sets what the state's definition says."""
    _moto_from_state_props(self, state_props)
    self.iteration_component.item_batcher = _declared.get().get(state_props.name)  # type: ignore[attr-defined]


def install() -> None:
    """Make moto's Map states keep their ItemBatchers."""
    state_map.StateMap.from_state_props = from_state_props  # type: ignore[method-assign]
