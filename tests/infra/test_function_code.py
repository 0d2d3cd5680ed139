import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.function_code import write_function_code
from infra.sdk_models import OPERATIONS
from infra.settings import ConfigurationError


def test_the_code_is_the_same_whenever_it_is_put_together(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_function_code(tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        digests.append(
            [(path.relative_to(tmp_path / name), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
        )
    assert digests[0] == digests[1]


def test_the_functions_use_the_sdks_models_beside_them_and_their_machines_own_packages(tmp_path: Path) -> None:
    write_function_code(tmp_path)
    program = (
        "import lambdas.shared.transcripts as transcripts, boto3, json; client = boto3.client('s3', 'eu-west-1'); "
        "print(json.dumps([transcripts.__file__, client.meta.service_model.operation_names]))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    module, operations = json.loads(answer.stdout)
    assert Path(module) == tmp_path / "lambdas/shared/transcripts.py"
    assert operations == sorted(OPERATIONS["s3"])


def test_without_its_packages_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"lacks msgspec.*run `make setup`"):
        write_function_code(tmp_path, packages=tmp_path / "nowhere")


def test_functions_and_the_local_aws_use_the_same_version_of_a_package() -> None:
    root = Path(__file__).parents[2]
    pinned = re.findall(r"^([\w-]+==\S+)", (root / "requirements-lambda.txt").read_text(), re.MULTILINE)
    assert pinned
    assert set(pinned) <= set((root / "requirements.lock").read_text().split())
