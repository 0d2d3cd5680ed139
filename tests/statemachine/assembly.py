"""The stack of the environment `local`, synthesized once for all tests of a run."""

import fcntl
import functools
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.deployment import synthesize
from local.pipeline import PROJECT

_own = TemporaryDirectory()


@functools.cache
def local_assembly() -> Path:
    """The cloud assembly, which nobody may change. It goes with the run, so that it is always of the present code.

    The first process of the run makes it, and the others wait for that.
    """
    folder = Path(os.environ.get("SHARED_BY_TESTS", _own.name))
    assembly, done = folder / "local", folder / "synthesized"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            synthesize("local", assembly)
            done.touch()
    return assembly


def assembly_with(folder: Path, **generation: Any) -> Path:
    """The cloud assembly, made in `folder`, of `local` with these parameters of StartAudienceGenerationJob in cdk.json.

    app.py reads the cdk.json beside it; linked into the folder, it finds the changed one.
    """
    content = json.loads((PROJECT / "cdk.json").read_text())
    content["context"]["environments"]["local"]["parameters"]["StartAudienceGenerationJob"].update(generation)
    (folder / "cdk.json").write_text(json.dumps(content))
    (folder / "app.py").symlink_to(PROJECT / "app.py")
    return synthesize("local", folder / "assembly", folder / "app.py")
