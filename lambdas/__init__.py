"""What runs in AWS Lambda: one module per job, one per pipeline step, `shared` for what several of them use."""

import os
import sys
from pathlib import Path

_root = Path(__file__).parent.parent
# Both are beside this package in the functions' zip only (infra/function_code.py). The packages come last, so that a
# machine of another kind uses its own; the SDK's models come first by botocore's rule.
sys.path.append(str(_root / "packages"))
if (_root / "sdk_models").is_dir():
    os.environ.setdefault("AWS_DATA_PATH", str(_root / "sdk_models"))
