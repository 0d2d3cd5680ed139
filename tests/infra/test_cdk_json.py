import json
from pathlib import Path

import pytest

from infra.cdk_json import CDK_JSON, read_context
from infra.settings import ConfigurationError


def test_it_is_the_projects_cdk_json_with_its_nulls() -> None:
    context = read_context()
    assert context == json.loads(CDK_JSON.read_text())["context"]
    assert context["environments"]["prod"]["recordings_expire_after_days"] is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "No such file"),
        ("{", "Expecting property name"),
        ("{}", "'context'"),
        ('{"context": {}}', "'environments'"),
        ('{"context": {"environments": []}}', "environments and defaults must be objects"),
        ('{"context": {"environments": {}, "defaults": null}}', "environments and defaults must be objects"),
        ('{"context": {"environments": {"dev": {"a": 1, "b": 2, "a": 1}}}}', "a is there twice in one object"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_file_and_the_reason(
    tmp_path: Path, text: str | None, reason: str
) -> None:
    path = tmp_path / "cdk.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_context(path)
    assert str(raised.value).startswith(f"The environments can't be read from {path} (")
    assert reason in str(raised.value)
