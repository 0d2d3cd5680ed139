"""A patient is forgotten, by the command's own code and the search's own functions."""

from collections.abc import Callable
from functools import cache

import boto3
import pytest

from lambdas import search_stored
from operations.deployed import Connection, Deployed
from operations.errors import OperationError
from operations.forgetting import at_work, searching
from operations.forgetting import forget as forgetting
from tests.simulation.aws import BUCKETS, LEDGER, MEMBERS, PREFIX, STATE_MACHINE


def forget(patch: pytest.MonkeyPatch, user_id: str, sleep: Callable[[float], None], say: Callable[[str], None]) -> bool:
    """Whether nothing is left; `sleep` waits for functions that are still at work."""
    deployed = environment()
    patch.setattr(at_work, "sleep", sleep)
    patch.setattr(searching, "_run", lambda deployed, name: search(name))
    try:
        plan = forgetting.plan_removal(deployed, [user_id], report, say)
        outcome = forgetting.forget(deployed, plan, report, delete_audiences=False)
    except OperationError as error:
        say(f"-- forget: {error}")
        return False
    say(f"-- forget: {len(outcome.left)} left")
    return not outcome.left


def search(name: str) -> None:
    """As the state machine of the search does, without its parallel children: they only read."""
    for number in search_stored.divide({"search_id": name}, None)["numbers"]:
        event: search_stored.SearchRangeEvent = {"search_id": name, "number": number, "step": 0}
        while (done := search_stored.search(event, Unhurried()))["more"]:
            event["step"] = done["step"]


class Unhurried:
    """Lambda's context of a function that has time."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def report(what: str, number: int) -> None:
    """Nobody looks."""


@cache
def environment() -> Deployed:
    connection = Connection(boto3.Session(region_name="us-east-1"), None)
    return Deployed(connection, PREFIX, BUCKETS, LEDGER, MEMBERS, STATE_MACHINE, {})
