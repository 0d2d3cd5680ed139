"""Asking whether to go on, where somebody is there to answer."""

import sys

import typer

from operations.errors import OperationError


def ask(question: str, instead: str) -> None:
    """Return if the answer is yes; `instead` are the options to give where nobody can answer.

    Raises:
        OperationError: the answer is no, or there is none.
    """
    unanswered = OperationError(f"Nobody answers here (the standard input has ended); give {instead}.")
    if sys.stdin is None:
        raise unanswered
    try:
        agreed = typer.confirm(question)
    except typer.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        # After the question, which has no line's end yet.
        print()
        raise unanswered from None
    if not agreed:
        raise OperationError("Nothing was changed, as you say; the same command asks again.")
