"""The stack of the environment `local`, synthesized once for all tests of a process."""

import functools
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.deployment import synthesize
from local.pipeline import PROJECT

_folder = TemporaryDirectory()


@functools.cache
def local_assembly() -> Path:
    """The cloud assembly, which nobody may change. It goes with the process."""
    return synthesize("local", Path(_folder.name, "local"))


def assembly_with(folder: Path, **generation: Any) -> Path:
    """The cloud assembly, made in `folder`, of `local` with these parameters of StartAudienceGenerationJob in cdk.json.

    app.py reads the cdk.json beside it; linked into the folder, it finds the changed one.
    """
    content = json.loads((PROJECT / "cdk.json").read_text())
    content["context"]["environments"]["local"]["parameters"]["StartAudienceGenerationJob"].update(generation)
    (folder / "cdk.json").write_text(json.dumps(content))
    (folder / "app.py").symlink_to(PROJECT / "app.py")
    return synthesize("local", folder / "assembly", folder / "app.py")
