"""How long a synthesis takes: in process, without the checks (tests, local AWS), and as `cdk synth` runs it by default.

    python -m bench.synth

The peer is this very app, run by the CDK CLI's rule: a new process, every check on. `npx aws-cdk` itself is left out
since it would have to be downloaded: it would only make the peer slower.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.table import Row

ROOT = Path(__file__).parents[1]
ROUNDS = 3
GOAL = 0.35


def synthesize(directory: str | Path, *, validated: bool) -> None:
    """Synthesize the app of the environment `dev` into `directory`, in a process of its own.

    Raises:
        subprocess.CalledProcessError: the synthesis failed.
    """
    environment = os.environ | {"CDK_OUTDIR": str(directory), "CDK_CONTEXT_JSON": '{"env": "dev"}'}
    environment.pop("CDK_VALIDATION", None)
    if not validated:
        environment["CDK_VALIDATION"] = "false"
    subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, check=True, capture_output=True)


def seconds(*, validated: bool) -> float:
    with tempfile.TemporaryDirectory() as directory:
        begin = time.perf_counter()
        synthesize(directory, validated=validated)
        return time.perf_counter() - begin


def rows() -> Iterator[Row]:
    """One row: the median ratio of pairs that are run one after the other."""
    seconds(validated=False)  # fills the cache of the CDK's own packages, which both sides use
    pairs = [(seconds(validated=False), seconds(validated=True)) for _ in range(ROUNDS)]
    ratio = median(ours / peer for ours, peer in pairs)
    yield Row(
        number="11",
        what="synthesis of the app without the checks / as `cdk synth` runs it",
        ours=f"{median(ours for ours, _ in pairs):.1f} s",
        peer=f"{median(peer for _, peer in pairs):.1f} s",
        ratio=f"{ratio:.2f}",
        limit="about 0.15: Node.js and the imports alone",
        goal=f"<= {GOAL}",
        met=ratio <= GOAL,
    )


def main() -> None:
    for row in rows():
        print(*row, sep=" | ")


if __name__ == "__main__":
    main()
