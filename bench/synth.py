"""Measures a synthesis in a process with the CDK loaded, without the checks, against `cdk synth` by default.

    python -m bench.synth

Tests and the local AWS wait for the former; the first stack of a process also waits for Node.js and the imports, which
is printed too. The latter is a new process with all checks, started by the CDK CLI if npx has it already (nothing is
downloaded), else as the CLI would start it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.table import Row

ROOT = Path(__file__).parents[1]
ROUNDS = 3
GOAL = 0.35
# Prints the seconds of the first synthesis, imports included, and of three more.
_IN_PROCESS = """
import json, os, sys, tempfile, time
times = []
for _ in range(4):
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CDK_OUTDIR"] = folder
        begin = time.perf_counter()
        import app
        app.main()
        times.append(time.perf_counter() - begin)
print(json.dumps(times))
"""


def run(command: Sequence[str], *, validated: bool, directory: str | Path) -> str:
    """Run `command`, which synthesizes the environment `dev` into `directory`, and return its output.

    Raises:
        subprocess.CalledProcessError: the synthesis failed.
    """
    environment = os.environ | {"CDK_OUTDIR": str(directory), "CDK_CONTEXT_JSON": '{"env": "dev"}'}
    # The CLI starts the first `python3` on the path.
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment.pop("CDK_VALIDATION", None)
    if not validated:
        environment["CDK_VALIDATION"] = "false"
    answer = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return answer.stdout


def synthesize(directory: str | Path, *, validated: bool) -> None:
    """Synthesize the app of the environment `dev` into `directory`, in a process of its own."""
    run([sys.executable, "app.py"], validated=validated, directory=directory)


def in_process() -> tuple[float, float]:
    """Seconds of the first synthesis of a process, imports included, and of a further one."""
    with tempfile.TemporaryDirectory() as directory:
        first, *further = json.loads(run([sys.executable, "-c", _IN_PROCESS], validated=False, directory=directory))
    return float(first), float(median(further))


def by_default(cli: Sequence[str]) -> float:
    """Seconds of `cdk synth`; without a `cli`, of the process that it would start."""
    with tempfile.TemporaryDirectory() as directory:
        begin = time.perf_counter()
        if cli:
            command = [*cli, "synth", "--quiet", "--context", "env=dev", "--output", directory]
            run(command, validated=True, directory=directory)
        else:
            synthesize(directory, validated=True)
        return time.perf_counter() - begin


def installed_cli() -> list[str]:
    """The command of the Makefile's CDK CLI if npx has it, else empty."""
    (version,) = re.findall(r"aws-cdk@(\S+)", (ROOT / "Makefile").read_text())
    cli = ["npx", "--offline", "--yes", f"aws-cdk@{version}"]
    with tempfile.TemporaryDirectory() as directory:
        try:
            run([*cli, "--version"], validated=False, directory=directory)
        except (OSError, subprocess.CalledProcessError):
            return []
    return cli


def rows() -> Iterator[Row]:
    """One row: the median ratio of pairs that are run one after the other."""
    cli = installed_cli()
    in_process()  # fills the cache of the CDK's own packages, which both sides use
    rounds = [(*in_process(), by_default(cli)) for _ in range(ROUNDS)]
    ratio = median([further / peer for _, further, peer in rounds])
    ratio_of_first = median([first / peer for first, _, peer in rounds])
    firsts, furthers, peers = (median(times) for times in zip(*rounds, strict=True))
    yield Row(
        number="11",
        what=f"synthesis in process, without checks / {'`cdk synth`' if cli else 'what `cdk synth` starts'} by default",
        ours=f"{furthers:.1f} s; the first of a process {firsts:.1f} s",
        peer=f"{peers:.1f} s",
        ratio=f"{ratio:.2f}; the first {ratio_of_first:.2f}",
        limit="for the first 0.2: Node.js and the imports",
        goal=f"<= {GOAL}",
        met=ratio <= GOAL,
    )


def main() -> None:
    for row in rows():
        print(*row, sep=" | ")


if __name__ == "__main__":
    main()
