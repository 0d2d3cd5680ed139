"""A shell in which `aws` and `python` are ours: at once, and against the local AWS only."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.docs.interpreter import CLIENT, PROGRAMS

ROOT = Path(__file__).parent.parent.parent
# With all of a page, on a machine that is busy with much else.
PATIENCE_SECONDS = 500

# Functions come before everything on the PATH, which a page may change. make says what it would do, and does nothing.
FUNCTIONS = """\
set -euo pipefail
aws() {{
  case "$* " in {unserved}) echo "$*" >> {skipped}; return 0;; esac
  # Version 1 has an endpoint of its own for SQS, whatever AWS_ENDPOINT_URL says (docs/local.md).
  case "$1" in sqs) set -- "$@" --endpoint-url "$AWS_ENDPOINT_URL";; esac
  {client}/aws.sock "$@"
}}
python() {{ {client}/python.sock "$@"; }}
make() {{ command make --directory {root} --dry-run "$@" > made.txt; }}
"""


class Answer(NamedTuple):
    """`skipped` are the arguments of `aws` that were not carried out."""

    code: int
    output: str
    error: str
    skipped: list[str]


class Shell(NamedTuple):
    """`folder` is where it starts, and its home; in `interpreters` are the sockets of ours."""

    folder: Path
    environment: Mapping[str, str]
    interpreters: Path

    def run(self, script: str, unserved: tuple[str, ...] = ()) -> Answer:
        """Run `script` with bash until a command fails; leave out `aws` where its arguments begin as in `unserved`."""
        skipped = self.folder / "skipped.txt"
        skipped.write_text("")
        functions = FUNCTIONS.format(
            client=shlex.join([sys.executable, "-IS", f"{self.interpreters}/client.py", str(self.interpreters)]),
            root=shlex.quote(str(ROOT)),
            skipped=shlex.quote(str(skipped)),
            unserved="|".join(f'"{words} "*' for words in unserved) or '""',
        )
        done = subprocess.run(
            ["bash", "-c", functions + script],
            cwd=self.folder,
            env=self.environment,
            # To every question that a command asks; whichever asks takes some thousand answers into its buffer.
            input="y\n" * 100_000,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        return Answer(done.returncode, done.stdout, done.stderr, skipped.read_text().splitlines())


@contextmanager
def opened(folder: Path, environment: Mapping[str, str]) -> Iterator[Shell]:
    """A shell in `folder`, which has to be there, with nothing but `environment` in its own."""
    # The path of a socket must be short.
    with TemporaryDirectory(prefix="docs-", dir="/tmp") as name:
        short = Path(name)
        (short / "client.py").write_text(CLIENT)
        sockets = {program: short / f"{program}.sock" for program in PROGRAMS}
        command = [sys.executable, "-m", "tests.docs.interpreter"]
        interpreters = [subprocess.Popen([*command, program, path], cwd=ROOT) for program, path in sockets.items()]
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not all(path.exists() for path in sockets.values()):
                assert time.monotonic() < deadline, "the interpreters don't start"
                assert not any(interpreter.poll() for interpreter in interpreters)
                time.sleep(0.02)
            yield Shell(folder, environment, short)
        finally:
            for interpreter in interpreters:
                interpreter.terminate()
                interpreter.wait()
