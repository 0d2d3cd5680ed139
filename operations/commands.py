"""The group of commands: what a user, their machine or AWS can cause ends in one sentence, never in a traceback."""

import errno
import io
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer
import typer.core

from operations.errors import OperationError
from operations.refusals import AWS_ERRORS, sentence

FAILED, INTERRUPTED = 1, 130
_OUTPUT_FAILED = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO)
_PROJECT = Path(__file__).parents[1]


class Commands(typer.core.TyperGroup):
    def main(self, *args: Any, **kwargs: Any) -> Any:
        if sys.stdout is None:
            # Closed by whoever wants no output.
            sys.stdout = io.StringIO()
        # A file's name may have bytes that are no text; where it can be, they are shown instead of ending the command.
        with suppress(AttributeError, OSError):
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                # What is left to be written fails here, where somebody says so, and not when Python ends.
                sys.stdout.flush()
        except Exception as error:
            sys.exit(tell(error))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError) as error:
            # Typer would end these two without a word, or with "Aborted!".
            raise typer.Exit(tell(error)) from None


def tell(error: BaseException) -> int:
    """Say what happened on the standard error; the exit code."""
    if isinstance(error, OSError) and error.errno in _OUTPUT_FAILED:
        # What is still in the buffer has to go somewhere when Python ends.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # whoever reads has enough (`| head`)
        return FAILED
    if isinstance(error, KeyboardInterrupt):
        print("Stopped by Ctrl-C; start the same command again at any time.", file=sys.stderr)
        return INTERRUPTED
    print(said(error), file=sys.stderr)
    return FAILED


def said(error: BaseException) -> str:
    """What `error` means to people, and what to do."""
    if isinstance(error, OperationError):
        return str(error)
    if isinstance(error, AWS_ERRORS):
        return sentence(error)
    if isinstance(error, EOFError):
        return "An answer is needed here, such as a code for the login, and nobody gives one; repeat it in a terminal."
    if isinstance(error, OSError):
        if not error.strerror:
            return str(error)
        what = error.filename or "The output"
        return f"{what} can't be read or written ({error.strerror}); repair that and try again."
    # Its message may quote a patient, a file, or what was never meant for people.
    return (
        f"Something unexpected happened ({type(error).__name__} in {_place(error)}); try again, and report this line "
        "if it stays so."
    )


def _place(error: BaseException) -> str:
    """The last line of ours that was at work."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _PROJECT in Path(frame.filename).parents and ".venv" not in frame.filename]
    place = (ours or frames)[-1:]
    return f"{Path(place[0].filename).name}, line {place[0].lineno}" if place else "no file"
