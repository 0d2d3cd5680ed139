"""A call that shows whether who makes it has a right.

It is named by the right it takes, as `tests.attack.allowed` spells it. What it is about exists; where a call that gets
past IAM would end in an error all the same, such as a name that is taken, that error is `answers`: it shows that the
call was let through as well as a success does.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.attack.actor import Actor


class Probe(NamedTuple):
    """`destroys` what later probes may need, if it is let through."""

    area: str
    right: str
    call: Callable[[Actor], Any]
    answers: frozenset[str] = frozenset()
    destroys: bool = False


def probe(
    area: str,
    right: str,
    service: str,
    operation: str,
    answers: str = "",
    destroys: bool = False,
    then: Callable[[Any], Any] | None = None,
    **parameters: Any,
) -> Probe:
    """`answers` are error codes, separated by spaces; `then` is done with what the call returns."""

    def call(actor: Actor) -> Any:
        answer = getattr(actor.client(service), operation)(**parameters)
        return then(answer) if then else answer

    return Probe(area, right, call, frozenset(answers.split()), destroys)
