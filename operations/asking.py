"""Asks for confirmation on a terminal."""

import sys

import typer

from operations.errors import OperationError


def ask(question: str, instead: str) -> None:
    """Return if the answer is yes; `instead` names the options to give where nobody can answer.

    Raises:
        OperationError: the answer is no, or there is none.
    """
    unanswered = OperationError(f"Nobody can answer (the standard input has ended); give {instead}.")
    if sys.stdin is None:
        raise unanswered
    try:
        agreed = typer.confirm(question)
    except typer.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        print()  # ends the question's line
        raise unanswered from None
    if not agreed:
        raise OperationError("Nothing was changed, because the answer was no.")
