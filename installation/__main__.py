"""Sets up .venv, for `make`: python3 -m installation {local,checks,lock}

It runs on the machine's own Python, without any package. `local` is what the application and the local AWS need to run,
`checks` also what only the checks and the tests need. `lock` pins the packages of both anew.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}: make setup PYTHON=python3.13")

import argparse
import subprocess
import time
from pathlib import Path

from installation import lock
from installation.environment import ROOT, Environment


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python3 -m installation", description="Sets up .venv, for make.")
    parser.add_argument("what", choices=["local", "checks", "lock"])
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv", help="the folder to set up; .venv")
    chosen = parser.parse_args(arguments)
    folder = chosen.environment.absolute()

    def say(what: str) -> None:
        print(f"{folder.name}: {what}", flush=True)

    environment = Environment(folder, say)
    begun = time.monotonic()
    try:
        if chosen.what == "lock":
            lock.pin(environment)
        else:
            environment.install(chosen.what)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{folder.name}: Failed with the error above ({Path(error.cmd[0]).name}). Try again with: make")
    except KeyboardInterrupt:
        print(f"\n{folder.name}: Interrupted. The next make starts over.", file=sys.stderr)
        sys.exit(130)
    say(f"Done, in {time.monotonic() - begun:.0f} s.")


if __name__ == "__main__":
    main()
