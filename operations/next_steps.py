"""What a command says that doesn't wait, or waits no longer: what goes on without it, and how to look at that."""

import sys
from collections.abc import Sequence

from operations.commands import INTERRUPTED, tell
from operations.following import Interrupted
from operations.output import console, print_json, refused_as_json
from operations.recordings import Refused

_STATUS = "python -m operations status"


def refused(found: Sequence[Refused]) -> None:
    """At once, before the others' upload, which may take long; the standard output is for what was done."""
    for item in found:
        print(f"Not uploaded: {item.reason}", file=sys.stderr)


def uploaded(uris: Sequence[str], left: Sequence[Refused], where: str, as_json: bool) -> None:
    if as_json:
        print_json({"uploaded": uris, "refused": refused_as_json(left)})
        return
    shown = console()
    for uri in uris:
        shown.print(uri)
    shown.print(f"{len(uris)} uploaded. They start executions: {_STATUS} {where}")


def stopped_uploading(done: int, total: int, where: str) -> None:
    print(
        f"Stopped by Ctrl-C: {done} or a few more of {total} recordings are uploaded, and start executions: {_STATUS} "
        f"{where}\nThe same command uploads all of them anew.",
        file=sys.stderr,
    )


def going_on(interrupted: Interrupted, where: str) -> int:
    """Say why the following has ended, and that nothing else has; the exit code."""
    if isinstance(interrupted.reason, KeyboardInterrupt):
        print("Stopped looking, by Ctrl-C; nothing else was stopped.", file=sys.stderr)
        code = INTERRUPTED
    else:
        code = tell(interrupted.reason)
    for arn in interrupted.arns:
        print(f"The execution goes on: {_STATUS} {arn.rpartition(':')[2]} {where}", file=sys.stderr)
    if not interrupted.arns:
        print(f"The recordings are uploaded, and start executions: {_STATUS} {where}", file=sys.stderr)
    return code


def started(arn: str, done: str, where: str, as_json: bool) -> None:
    if as_json:
        print_json({"execution_arn": arn})
        return
    console().print(f"{done}: {arn}\nFollow it: {_STATUS} {arn.rpartition(':')[2]} {where}")
