"""The last output of a command that doesn't follow its executions: what goes on, and how to look at it."""

import sys
from collections.abc import Sequence

from operations.commands import INTERRUPTED, print_error
from operations.following import Interrupted
from operations.output import console, print_json, refused_as_json
from operations.recordings import Refused

_STATUS = "python -m operations status"


def refused(found: Sequence[Refused]) -> None:
    """Print the refused files before the upload of the others, which may take long."""
    for item in found:
        print(f"Not uploaded: {item.reason}", file=sys.stderr)


def uploaded(uris: Sequence[str], left: Sequence[Refused], where: str, as_json: bool) -> None:
    if as_json:
        print_json({"uploaded": uris, "refused": refused_as_json(left)})
        return
    shown = console()
    for uri in uris:
        shown.print(uri)
    shown.print(f"{len(uris)} recordings are uploaded and start executions: {_STATUS} {where}")


def stopped_uploading(done: int, total: int, where: str) -> None:
    print(
        f"Stopped by Ctrl-C: at least {done} of {total} recordings are uploaded and start executions: {_STATUS} "
        f"{where}\nThe same command uploads all of them again.",
        file=sys.stderr,
    )


def interrupted(stop: Interrupted, where: str) -> int:
    """Print why the command stops following, and that the executions go on; return the exit code."""
    if isinstance(stop.reason, KeyboardInterrupt):
        print("Stopped following, by Ctrl-C; nothing else was stopped.", file=sys.stderr)
        code = INTERRUPTED
    else:
        code = print_error(stop.reason)
    for arn in stop.arns:
        print(f"The execution goes on: {_STATUS} {arn.rpartition(':')[2]} {where}", file=sys.stderr)
    if not stop.arns:
        print(f"The recordings are uploaded and start executions: {_STATUS} {where}", file=sys.stderr)
    return code


def started(arn: str, done: str, where: str, as_json: bool) -> None:
    if as_json:
        print_json({"execution_arn": arn})
        return
    console().print(f"{done}: {arn}\nFollow it: {_STATUS} {arn.rpartition(':')[2]} {where}")
