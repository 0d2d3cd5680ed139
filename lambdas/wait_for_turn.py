"""WaitForTurn: let the execution transcribe at once if there is room, else note the token that ShareJobs will answer.

The state waits for its token (`.waitForTaskToken`) without a poll, so it may last for weeks. It asks again once an
hour, in case a token was lost.
"""

import os
from typing import TypedDict

from lambdas.planning.turns import answer, stand_in_line, take
from lambdas.shared import stages
from lambdas.shared.observability import observed


class WaitForTurnEvent(TypedDict):
    """`recordings` is how many the execution has to transcribe."""

    task_token: str
    execution_name: str
    recordings: int


@observed(stages.TURN.name)
def handler(event: WaitForTurnEvent, context: object) -> None:
    """The token is noted first, so that a crash after any step is mended by ShareJobs.

    It stays noted: AWS doesn't document whether a token may be answered before the function that got it has returned.
    ShareJobs answers it once more.
    """
    execution, token, recordings = event["execution_name"], event["task_token"], event["recordings"]
    stand_in_line(execution, token, recordings)
    if take(execution, recordings, int(os.environ["CONCURRENT_JOBS"])):
        answer(execution, token)
