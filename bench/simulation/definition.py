"""An interpreter of the part of the Amazon States Language that our definition and its peers use.

It counts state transitions, which are charged (one per state entered, per retry and per started execution; Step
Functions pricing page), and the events of an execution's history (HistoryEvent in the API reference). A field that it
doesn't simulate is an error, at whatever depth, so that no part of a definition is ignored silently.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from typing import Any

from bench.simulation.clock import Clock, Gate, Process, Steps, Until

Task = Callable[[Any], Steps]

WAIT_EVENTS = CHOICE_EVENTS = PASS_EVENTS = 2  # entered, exited
TASK_EVENTS = 2
ATTEMPT_EVENTS = 3  # scheduled, started, succeeded or failed
CALLBACK_EVENTS = 1  # submitted
ITERATION_EVENTS = 2  # started, succeeded
MAP_EVENTS = 4  # entered, started, succeeded, exited
MAP_RUN_EVENTS = 2  # started, succeeded
EXECUTION_EVENTS = 2
MOST_EVENTS = 25_000  # Step Functions guide, "Service quotas"

# The fields that are simulated, by the kind of object that has them; `Comment` has no effect anywhere.
STATES = {
    "Task": {"Resource", "Parameters", "ResultPath", "Retry", "Catch", "TimeoutSeconds"},
    "Wait": {"Seconds", "SecondsPath"},
    "Choice": {"Choices", "Default"},
    "Pass": {"Result", "ResultPath"},
    "Map": {
        *("ItemReader", "ItemsPath", "ItemSelector", "MaxConcurrency", "MaxConcurrencyPath"),
        *("ItemBatcher", "ItemProcessor", "ResultPath", "Label"),
    },
    "Succeed": set[str](),
}
COMMON = {"Type", "Comment", "Next", "End"}
SCOPE = {"Comment", "StartAt", "States"}
MACHINE = SCOPE | {"TimeoutSeconds"}
PROCESSOR = SCOPE | {"ProcessorConfig"}
PROCESSOR_CONFIG = {"Mode": {"INLINE", "DISTRIBUTED"}, "ExecutionType": {"STANDARD"}}
RETRIER = {"ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxAttempts", "MaxDelaySeconds", "JitterStrategy"}
CATCHER = {"ErrorEquals", "ResultPath", "Next"}
COMPARISONS = {"StringEquals", "NumericGreaterThan", "IsNull"}
READER = {"Resource", "ReaderConfig", "Parameters"}
READERS = {"arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"}
BATCHER = {"MaxItemsPerBatch", "BatchInput"}
CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"


TIMEOUT = "States.Timeout"
# A Distributed Map fails with this when one of its children has failed, whatever that error is.
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
EXCEEDED = "States.ExceedToleratedFailureThreshold"


class TaskError(Exception):
    """A Task's failure, or that of a Map by its child's, with the error's name in the definition.

    `states` are those that have failed, from the outermost on.
    """

    def __init__(self, name: str, child: "TaskError | None" = None) -> None:
        super().__init__(name)
        self.name, self.child = name, child
        self.states: tuple[str, ...] = child.states if child else ()

    @property
    def cause(self) -> str:
        """The error of the Task itself."""
        return self.child.cause if self.child else self.name


@dataclass
class Tally:
    """The counts of one execution, or of all that share it; an execution's are added to `total` at its end."""

    transitions: int = 0
    events: int = 0
    total: "Tally | None" = None


@dataclass
class Record:
    """How far an execution, or an item of its Map, is; a redrive continues there.

    `state` is the one that is entered next, with its input; `items` and `children` are those of the Map that it is in.
    """

    state: str = ""
    input: Any = None
    items: Sequence[Any] | None = None
    children: dict[int, "Record"] = field(default_factory=dict)
    is_done: bool = False
    output: Any = None
    # The execution's RedriveCount when this began: a child that a redrive begins has none itself.
    redrives: int = 0

    def enter(self, state: str, given: Any) -> None:
        self.state, self.input = state, given

    def is_done_with(self, index: int) -> bool:
        return index in self.children and self.children[index].is_done

    def child(self, index: int, execution: Mapping[str, Any]) -> "Record":
        """The record of an item that begins, or begins again."""
        return self.children.setdefault(index, Record(redrives=execution.get("RedriveCount", 0)))

    def execution(self, parent: Mapping[str, Any]) -> Mapping[str, Any]:
        """The context object's Execution of a child."""
        return {**parent, "RedriveCount": parent.get("RedriveCount", 0) - self.redrives}

    def leave_map(self) -> None:
        self.items = None
        self.children.clear()

    def end(self, output: Any) -> None:
        self.is_done, self.output = True, output


@dataclass(frozen=True)
class World:
    """The environment of a definition: `tasks` by resource, the Maps' items by key, and the running Maps."""

    clock: Clock
    random: random.Random
    tasks: dict[str, Task]
    items: Mapping[str, Sequence[Any]]
    transition: Callable[[], None] = lambda: None
    map_runs: list["MapRun"] = field(default_factory=list)
    callbacks: dict[str, Gate] = field(default_factory=dict)
    longest_history: list[int] = field(default_factory=lambda: [0])
    tokens: Iterator[int] = field(default_factory=count)

    def answer(self, token: str) -> bool:
        """SendTaskSuccess; whether a Task waits with this token."""
        gate = self.callbacks.pop(token, None)
        if gate:
            self.clock.open(gate)
        return gate is not None


def execute(
    scope: Mapping[str, Any],
    data: Any,
    context: Mapping[str, Any],
    world: World,
    tally: Tally,
    record: Record | None = None,
) -> Steps:
    """An execution of a state machine, or of a Map's item processor, from its start, or its record, to its output.

    Raises:
        TaskError: no retrier and no catcher names it; States.Timeout after the definition's TimeoutSeconds.
    """
    tally.transitions += 1
    world.transition()
    own = Tally(events=EXECUTION_EVENTS, total=tally)
    steps = run(scope, data, context, world, own, record)
    try:
        if "TimeoutSeconds" not in scope:
            return (yield from steps)
        return (yield from within(scope["TimeoutSeconds"], steps, world))
    finally:
        tally.transitions += own.transitions
        tally.events += own.events
        world.longest_history[0] = max(world.longest_history[0], own.events)


def within(seconds: float, steps: Steps, world: World) -> Steps:
    """The result of the steps, which take no longer than that.

    Raises:
        TaskError: the steps' own, or States.Timeout.
    """
    done = Gate()
    outcome: list[Any] = []

    def whole() -> Steps:
        try:
            outcome.append((yield from steps))
        except TaskError as error:
            outcome.append(error)

    process = world.clock.begin(whole(), lambda _: world.clock.open(done))
    try:
        yield Until(done, float(seconds))
    finally:
        # Also if this itself is stopped.
        process.stop()
    if not outcome:
        raise TaskError(TIMEOUT)
    if isinstance(outcome[0], TaskError):
        raise outcome[0]
    return outcome[0]


def run(
    scope: Mapping[str, Any],
    data: Any,
    context: Mapping[str, Any],
    world: World,
    tally: Tally,
    record: Record | None = None,
) -> Steps:
    """The states of a scope, from its first, or that of the record, to its last."""
    states, name = scope["States"], scope["StartAt"]
    transition = world.transition
    if record and record.state:
        name, data = record.state, record.input
    while True:
        if record:
            record.enter(name, data)
        state = states[name]
        kind = state["Type"]
        tally.transitions += 1
        transition()
        following = state.get("Next")
        if kind == "Task":
            tally.events += TASK_EVENTS
            try:
                result = yield from attempt(state, data, context, world, tally)
            except TaskError as error:
                error.states = (name,)
                catcher = catcher_of(state, error)
                data = placed(catcher, data, {"Error": error.name})
                following = catcher["Next"]
            else:
                data = placed(state, data, result)
        elif kind == "Choice":
            tally.events += CHOICE_EVENTS
            following = chosen(state, data)
        elif kind == "Wait":
            tally.events += WAIT_EVENTS
            yield float(state["Seconds"] if "Seconds" in state else find(state["SecondsPath"], data, context))
        elif kind == "Map":
            try:
                result = yield from map_items(state, data, context, world, tally, record)
            except TaskError as error:
                error.states = (name, *error.states)
                raise
            data = placed(state, data, result)
            if record:
                record.leave_map()
        elif kind == "Pass":
            tally.events += PASS_EVENTS
            data = placed(state, data, state["Result"]) if "Result" in state else data
        elif kind == "Succeed":
            tally.events += PASS_EVENTS
            following = None
        if tally.events > MOST_EVENTS:
            raise TaskError("States.HistoryLimitExceeded")
        if following is None:
            if record:
                record.end(data)
            return data
        name = following


def check(definition: Mapping[str, Any]) -> None:
    """Raise ValueError for a field, or a value of a field, that the interpreter doesn't simulate."""
    _check("the definition", definition, MACHINE)
    _check_states(definition)


def check_scope(scope: Mapping[str, Any]) -> None:
    """`check` of a Map's item processor, or of a part of a definition."""
    _check("the item processor", scope, PROCESSOR)
    for field_name, value in scope.get("ProcessorConfig", {}).items():
        if value not in PROCESSOR_CONFIG.get(field_name, ()):
            raise ValueError(f"the simulation doesn't know {field_name} {value} of an item processor")
    _check_states(scope)


def _check_states(scope: Mapping[str, Any]) -> None:
    for name, state in scope["States"].items():
        where = f"the state {name}"
        if state["Type"] not in STATES:
            raise ValueError(f"the simulation doesn't know {state['Type']} of {where}")
        _check(where, state, STATES[state["Type"]] | COMMON)
        for retrier in state.get("Retry", ()):
            _check(f"a retrier of {where}", retrier, RETRIER)
            if retrier.get("JitterStrategy", "FULL") not in ("FULL", "NONE"):
                raise ValueError(f"the simulation doesn't know JitterStrategy {retrier['JitterStrategy']} of {where}")
        for catcher in state.get("Catch", ()):
            _check(f"a catcher of {where}", catcher, CATCHER)
        for rule in state.get("Choices", ()):
            _check(f"a rule of {where}", rule, {"Variable", "Next"} | COMPARISONS)
            if len(rule.keys() & COMPARISONS) != 1:
                raise ValueError(f"the simulation doesn't know the rule {rule} of {where}")
        if str(state.get("Resource", "")).startswith("arn:") and state["Resource"] != CALLBACK:
            raise ValueError(f"the simulation doesn't know the resource {state['Resource']} of {where}")
        if reader := state.get("ItemReader"):
            _check(f"the ItemReader of {where}", reader, READER)
            if reader.get("Resource", "arn:aws:states:::s3:getObject") not in READERS:
                raise ValueError(f"the simulation doesn't know the resource {reader['Resource']} of {where}")
            if reader.get("ReaderConfig", {}) not in ({}, {"InputType": "JSON"}):
                raise ValueError(f"the simulation doesn't know the ReaderConfig {reader['ReaderConfig']} of {where}")
        if batcher := state.get("ItemBatcher"):
            _check(f"the ItemBatcher of {where}", batcher, BATCHER)
        if state["Type"] == "Map":
            check_scope(state["ItemProcessor"])


def _check(where: str, given: Mapping[str, Any], known: set[str]) -> None:
    if unknown := given.keys() - known:
        raise ValueError(f"the simulation doesn't know {sorted(unknown)} of {where}")


def attempt(state: Mapping[str, Any], data: Any, context: Mapping[str, Any], world: World, tally: Tally) -> Steps:
    """A Task with its retriers: the first that names the error counts, and each has attempts of its own."""
    retries: dict[int, int] = {}
    while True:
        seen = {**context, "State": {"RetryCount": sum(retries.values())}}
        tally.events += ATTEMPT_EVENTS
        try:
            if "TimeoutSeconds" not in state:
                return (yield from called(state, data, seen, world, tally))
            return (yield from within(state["TimeoutSeconds"], called(state, data, seen, world, tally), world))
        except TaskError as error:
            number, retrier = retrier_of(state, error)
            done = retries.get(number, 0)
            if done >= retrier.get("MaxAttempts", 3):
                raise
        retries[number] = done + 1
        # The limit of 64 avoids an overflow.
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** min(done, 64)
        delay = min(delay, retrier.get("MaxDelaySeconds", 31_622_400))
        tally.transitions += 1
        world.transition()
        yield world.random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else float(delay)


def called(state: Mapping[str, Any], data: Any, context: Mapping[str, Any], world: World, tally: Tally) -> Steps:
    """The Task's function; with `.waitForTaskToken`, then the wait for an answer to the token, which has no result."""
    if state["Resource"] != CALLBACK:
        return (yield from world.tasks[state["Resource"]](selected(state.get("Parameters"), data, context)))
    tally.events += CALLBACK_EVENTS
    token, gate = f"token-{next(world.tokens)}", Gate()
    world.callbacks[token] = gate
    try:
        asked = state["Parameters"]
        payload = selected(asked["Payload"], data, {**context, "Task": {"Token": token}})
        yield from world.tasks[asked["FunctionName"]](payload)
        yield gate
    finally:
        world.callbacks.pop(token, None)
    return {}


def retrier_of(state: Mapping[str, Any], error: TaskError) -> tuple[int, Mapping[str, Any]]:
    """The first retrier that names the error, with its number; raises the error if there is none."""
    for number, retrier in enumerate(state.get("Retry", ())):
        if names(retrier, error):
            return number, retrier
    raise error


def catcher_of(state: Mapping[str, Any], error: TaskError) -> Mapping[str, Any]:
    """The first catcher that names the error; raises the error if there is none."""
    for catcher in state.get("Catch", ()):
        if names(catcher, error):
            return dict(catcher)
    raise error


def names(handler: Mapping[str, Any], error: TaskError) -> bool:
    """Whether a retrier or catcher names the error; States.TaskFailed stands for any error but States.Timeout.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    wildcards = {"States.ALL"} if error.name == TIMEOUT else {"States.ALL", "States.TaskFailed"}
    return bool({error.name, *wildcards} & set(handler["ErrorEquals"]))


class MapRun:
    """A running Map: all items in order, `most` at a time; the first failure stops the others.

    `most` may be changed while it runs, as UpdateMapRun does; 0 means all.
    """

    def __init__(
        self,
        world: World,
        execution: Any,
        items: Iterable[tuple[int, Any]],
        most: int,
        steps: Callable[[int, Any], Steps],
    ) -> None:
        """`execution` is that of the context object; the items have their numbers."""
        self._world, self._steps = world, steps
        self.execution = execution
        self._waiting = deque(items)
        self._running: dict[int, Process] = {}
        self.most = most
        self.ended = Gate()
        self.failure: TaskError | None = None
        self.fill()

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def unfinished(self) -> int:
        return len(self._waiting) + self.running

    def fill(self) -> None:
        """Begin the items that may begin."""
        while self._waiting and not self.failure and (not self.most or len(self._running) < self.most):
            index, item = self._waiting.popleft()
            self._running[index] = self._world.clock.begin(self._one(index, item), partial(self._end, index))
        if not self._running:
            self._world.clock.open(self.ended)

    def _one(self, index: int, item: Any) -> Steps:
        try:
            yield from self._steps(index, item)
        except TaskError as error:
            self.failure = error

    def _end(self, index: int, _: object) -> None:
        del self._running[index]
        if self.failure:
            self.abort()
        self.fill()

    def abort(self) -> None:
        """Stop the running items, and begin no other."""
        for process in self._running.values():
            process.stop()
        self._running.clear()
        self._waiting.clear()


def map_items(
    state: Mapping[str, Any],
    data: Any,
    context: Mapping[str, Any],
    world: World,
    tally: Tally,
    record: Record | None = None,
) -> Steps:
    """The results of all items; those of the record that are done are begun no more.

    Raises:
        TaskError: the first item's failure; of a Distributed Map, EXCEEDED with it.
    """
    processor = state["ItemProcessor"]
    distributed = processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
    if record and record.items is not None:
        items = record.items
    elif "ItemReader" in state:
        place = selected(state["ItemReader"]["Parameters"], data, context)
        items = world.items[place["Key"] if "Key" in place else place["Prefix"]]
    else:
        items = find(state["ItemsPath"], data, context)
    if record:
        record.items = items
    most = state.get("MaxConcurrency", 0)
    if "MaxConcurrencyPath" in state:
        most = find(state["MaxConcurrencyPath"], data, context)
    tally.events += MAP_EVENTS + (MAP_RUN_EVENTS if distributed else 0)

    def given(index: int, item: Any) -> tuple[Any, Mapping[str, Any]]:
        """An item's input and context."""
        seen = {**context, "Map": {"Item": {"Index": index, "Value": item}}}
        return (selected(state["ItemSelector"], data, seen) if "ItemSelector" in state else item), seen

    batched = "ItemBatcher" in state
    if batched:
        items = batches(
            state["ItemBatcher"], [given(index, item)[0] for index, item in enumerate(items)], data, context
        )
    results: list[Any] = [None] * len(items)
    unfinished = list(enumerate(items))
    if record:
        for index, child in record.children.items():
            results[index] = child.output
        unfinished = [(index, item) for index, item in unfinished if not record.is_done_with(index)]

    def one(index: int, item: Any) -> Steps:
        wanted, seen = (item, context) if batched else given(index, item)
        child = record.child(index, context["Execution"]) if record else None
        if child and distributed:
            seen = {**seen, "Execution": child.execution(context["Execution"])}
        if distributed:
            results[index] = yield from execute(processor, wanted, seen, world, tally.total or tally, child)
        else:
            tally.events += ITERATION_EVENTS
            results[index] = yield from run(processor, wanted, seen, world, tally, child)

    map_run = MapRun(world, context["Execution"], unfinished, most, one)
    # ShareJobs looks at the Map whose MaxConcurrency the execution brings along.
    shared = world.map_runs if "MaxConcurrencyPath" in state else []
    shared.append(map_run)
    try:
        yield map_run.ended
    finally:
        # The execution may have timed out.
        map_run.abort()
        shared.remove(map_run)
    if map_run.failure:
        raise TaskError(EXCEEDED, map_run.failure) if distributed else map_run.failure
    return results


def batches(
    batcher: Mapping[str, Any], items: Sequence[Any], data: Any, context: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The inputs of the children of a Map with an ItemBatcher."""
    size = batcher["MaxItemsPerBatch"]
    common = {"BatchInput": selected(batcher["BatchInput"], data, context)} if "BatchInput" in batcher else {}
    return [{**common, "Items": items[begin : begin + size]} for begin in range(0, len(items), size)]


def chosen(state: Mapping[str, Any], data: Any) -> str:
    for rule in state["Choices"]:
        value = find(rule["Variable"], data, {})
        if (
            ("StringEquals" in rule and value == rule["StringEquals"])
            or ("NumericGreaterThan" in rule and value > rule["NumericGreaterThan"])
            or ("IsNull" in rule and (value is None) == rule["IsNull"])
        ):
            return str(rule["Next"])
    return str(state["Default"])


def selected(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    """A payload template with its paths replaced; without one, the data as it is."""
    if template is None:
        return data
    found = {}
    for key, value in template.items():
        if key.endswith(".$"):
            found[key[:-2]] = find(value, data, context)
        else:
            found[key] = selected(value, data, context) if isinstance(value, dict) else value
    return found


def placed(state: Mapping[str, Any], data: Any, result: Any) -> Any:
    path = state.get("ResultPath", "$")
    if path is None:
        return data
    if path == "$":
        return result
    (name,) = parts(path)
    return {**data, name: result}


def find(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    found = context if path.startswith("$$") else data
    for number, name in enumerate(parts(path)):
        if name.endswith("[*]"):
            rest = ".".join(("$", *parts(path)[number + 1 :]))
            return [find(rest, item, context) for item in found[name.removesuffix("[*]")]]
        found = found[name]
    return found


@cache
def parts(path: str) -> tuple[str, ...]:
    return tuple(path.lstrip("$").strip(".").split(".")) if path.strip("$") else ()


def states_named(scope: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The states `names` as a scope, which begins at the first of them and ends where another state would follow."""
    wanted = list(names)
    found = {name: scope["States"][name] for name in wanted}
    leaving = {
        step
        for state in found.values()
        for step in [
            *(state.get("Next"), state.get("Default")),
            *(rule["Next"] for field in ("Choices", "Catch") for rule in state.get(field, ())),
        ]
        if step and step not in found
    }
    return {"StartAt": wanted[0], "States": {**found, **{name: {"Type": "Succeed"} for name in leaving}}}
