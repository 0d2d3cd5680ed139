"""The group of commands, and the one sentence on standard error with which a failure ends instead of a traceback."""

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

ALL_GOOD, FAILED, INTERRUPTED = 0, 1, 130
_OUTPUT_FAILED = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO)
_PROJECT = Path(__file__).parents[1]


class Commands(typer.core.TyperGroup):
    def main(self, *args: Any, **kwargs: Any) -> Any:
        if sys.stdout is None:
            # The caller has closed the standard output (`>&-`).
            sys.stdout = io.StringIO()
        # The name of a file may have bytes that are no text; printing it must not fail.
        with suppress(AttributeError, OSError):
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                # A write error is raised here, where it is reported, and not when Python exits.
                sys.stdout.flush()
        except Exception as error:
            sys.exit(print_error(error))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError) as error:
            # Typer would exit without a message, or with "Aborted!".
            raise typer.Exit(print_error(error)) from None


def print_error(error: BaseException) -> int:
    """Print what happened to the standard error, and return the exit code."""
    if isinstance(error, OSError) and error.errno in _OUTPUT_FAILED:
        # Python flushes the buffer when it exits, which would fail again.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # the reader has closed the pipe (`| head`)
        return FAILED
    if isinstance(error, KeyboardInterrupt):
        print("Stopped by Ctrl-C; start the same command again at any time.", file=sys.stderr)
        return INTERRUPTED
    print(message_of(error), file=sys.stderr)
    return FAILED


def message_of(error: BaseException) -> str:
    """What went wrong and what to do."""
    if isinstance(error, OperationError):
        return str(error)
    if isinstance(error, AWS_ERRORS):
        return sentence(error)
    if isinstance(error, EOFError):
        return "An answer is needed, such as a code for the login, but there is no input; repeat this in a terminal."
    if isinstance(error, OSError):
        if not error.strerror:
            return str(error)
        what = error.filename or "The output"
        return f"{what} can't be read or written ({error.strerror}); repair that and try again."
    # The error's own message may quote patient data, so it isn't shown.
    return (
        f"Something unexpected happened ({type(error).__name__} in {_line_of_ours(error)}); try again, and report this "
        "line if it happens again."
    )


def _line_of_ours(error: BaseException) -> str:
    """File and number of our innermost line in the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _PROJECT in Path(frame.filename).parents and ".venv" not in frame.filename]
    frame = next(reversed(ours or frames), None)
    return f"{Path(frame.filename).name}, line {frame.lineno}" if frame else "no file"
