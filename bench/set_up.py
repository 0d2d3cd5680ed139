"""Measures time and size of a set-up from nothing by `make`, against pip with all packages in one lock.

    python -m bench.set_up

Both sides make an environment in a temporary folder and download every package, without a cache. The peer is
`python3 -m venv` and `pip install --requirement` with the same packages.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.table import Row
from installation.environment import LOCKS, ROOT

GOAL = 0.5
GOAL_OF_MEGABYTES = 0.7


def seconds(*commands: Sequence[str], cache: Path) -> float:
    """How long `commands` take one after the other, with uv's cache in `cache`.

    Raises:
        subprocess.CalledProcessError: a command failed; its output has the reason.
    """
    environment = os.environ | {"UV_CACHE_DIR": str(cache)}
    # With this variable pip wouldn't compile the packages, as it does by default.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=sys.stderr)
    return time.perf_counter() - begin


def megabytes(folder: Path) -> float:
    """The size of the files of `folder`, each counted once."""
    files = {(status.st_dev, status.st_ino): status.st_size for status in _statuses(folder)}
    return sum(files.values()) / 1e6


def _statuses(folder: Path) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name).lstat() for name in names)


def by_make(what: str, folder: Path) -> tuple[float, float]:
    """Seconds and megabytes of the set-up by `make` for a target that needs `what`, "local" or "checks"."""
    command = [sys.executable, "-m", "installation", what, "--environment", str(folder / "ours")]
    return seconds(command, cache=folder / "cache"), megabytes(folder / "ours")


def by_pip(folder: Path) -> tuple[float, float]:
    """Seconds and megabytes of everything by pip."""
    environment = folder / "peer"
    make = [sys.executable, "-m", "venv", str(environment)]
    pip = [str(environment / "bin" / "pip"), "install", "--quiet", "--no-cache-dir", "--requirement"]
    return seconds(make, [*pip, str(LOCKS["checks"])], cache=folder / "cache"), megabytes(environment)


def rows() -> Iterator[Row]:
    """Two rows: the time of the whole set-up, and the megabytes that the demonstration needs."""
    found: list[tuple[float, float]] = []
    for measure in (lambda folder: by_make("local", folder), lambda folder: by_make("checks", folder), by_pip):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(Path(folder)))
    (demo, demo_size), (everything, everything_size), (peer, peer_size) = found
    yield Row(
        number="14",
        what="set-up of everything by uv, from nothing / by pip",
        ours=f"{everything:.0f} s; for `make demo` {demo:.0f} s",
        peer=f"{peer:.0f} s",
        ratio=f"{everything / peer:.2f}; for `make demo` {demo / peer:.2f}",
        limit="the network, and venv's own pip",
        goal=f"<= {GOAL}",
        met=everything / peer <= GOAL,
    )
    yield Row(
        number="14",
        what="what `make demo` needs / everything by pip",
        ours=f"{demo_size:.0f} MB; everything {everything_size:.0f} MB",
        peer=f"{peer_size:.0f} MB",
        ratio=f"{demo_size / peer_size:.2f}",
        limit="the CDK, Node.js, the engines",
        goal=f"<= {GOAL_OF_MEGABYTES}",
        met=demo_size / peer_size <= GOAL_OF_MEGABYTES,
    )


def main() -> None:
    for row in rows():
        print(*row, sep=" | ")


if __name__ == "__main__":
    main()
