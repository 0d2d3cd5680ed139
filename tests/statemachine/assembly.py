"""The stack of the environment `local`, synthesized once for all tests of a process."""

import functools
from pathlib import Path
from tempfile import TemporaryDirectory

from local.deployment import synthesize

_folder = TemporaryDirectory()


@functools.cache
def local_assembly() -> Path:
    """The cloud assembly, which nobody may change. It goes with the process."""
    return synthesize("local", Path(_folder.name, "local"))
