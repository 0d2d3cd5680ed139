import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moto.backend_index
import moto.backends
import pytest

from local.aws import backends
from local.server import LocalAws

MODELS = """
from moto.core.base_backend import BackendDict, BaseBackend

class EchoBackend(BaseBackend):
    pass

{name}_backends = BackendDict(EchoBackend, "{name}", additional_regions=["us-east-1"])
"""
RESPONSES = """
import json
from moto.core.responses import ActionResult, BaseResponse
from moto.core.exceptions import JsonRESTError

class EchoResponse(BaseResponse):
    seen = []

    def __init__(self):
        super().__init__(service_name="{name}")

    def {operation}(self):
        body = json.loads(self.body) if self.body else None
        self.seen.append((self.headers.get("Content-Type"), body, self.uri_match))
        if self._get_param("{failing}") == "missing":
            raise JsonRESTError("{error}", "there is no such thing")
        return ActionResult({answer})
"""
URLS = """
from .responses import EchoResponse

url_bases = [r"https?://{host}\\.(.+)\\.amazonaws\\.com"]
url_paths = {{path: EchoResponse.dispatch for path in ("{{0}}/$", "{{0}}/.*$")}}
"""


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """serve(name, host, ...) -> (server, the response class): a server with an echoing backend of the service"""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(backends, "_packages", {})
    monkeypatch.setattr(moto.backends, "_import_backend", moto.backends._import_backend)
    monkeypatch.setattr(moto.backend_index, "backend_url_patterns", [*moto.backend_index.backend_url_patterns])
    running = []

    def start(name: Any, host: Any, operation: Any, failing: Any, error: Any, answer: Any) -> Any:
        package = f"echo_{name}"
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text(f"from .models import {name}_backends")
        (folder / "models.py").write_text(MODELS.format(name=name))
        fields = {"name": name, "operation": operation, "failing": failing, "error": error, "answer": answer}
        (folder / "responses.py").write_text(RESPONSES.format(**fields))
        (folder / "urls.py").write_text(URLS.format(host=host))
        running.append(LocalAws.start(services={name: package}))
        return running[0], sys.modules[f"{package}.responses"].EchoResponse

    yield start
    for aws in running:
        aws.stop()
    for module in [module for module in sys.modules if module.startswith("echo_")]:
        del sys.modules[module]


def test_comprehend_medical_is_spoken_in_json(serve: Any) -> None:
    aws, response = serve(
        "comprehendmedical",
        "comprehendmedical",
        "detect_entities_v2",
        "Text",
        "InvalidEncodingException",
        {"Entities": [], "ModelVersion": "2.4.0"},
    )
    client = aws.client("comprehendmedical")
    assert client.detect_entities_v2(Text="aspirin")["ModelVersion"] == "2.4.0"
    assert response.seen == [("application/x-amz-json-1.1", {"Text": "aspirin"}, {})]
    with pytest.raises(client.exceptions.InvalidEncodingException, match="no such thing"):
        client.detect_entities_v2(Text="missing")


def test_clean_rooms_ml_is_spoken_in_rest_json_with_parameters_in_the_path(serve: Any) -> None:
    arn = "arn:aws:cleanrooms-ml:us-east-1:123456789012:training-dataset/1"
    aws, response = serve(
        "cleanroomsml",
        "cleanrooms-ml",
        "get_training_dataset",
        "trainingDatasetArn",
        "ResourceNotFoundException",
        {"name": "interactions"},
    )
    assert aws.client("cleanroomsml").get_training_dataset(trainingDatasetArn=arn)["name"] == "interactions"
    assert response.seen[0][2] == {"trainingDatasetArn": arn}


def test_a_package_takes_the_place_of_motos_own_service(serve: Any) -> None:
    answer = {"MedicalTranscriptionJob": {"MedicalTranscriptionJobName": "ours"}}
    aws, response = serve(
        "transcribe",
        "transcribe",
        "get_medical_transcription_job",
        "MedicalTranscriptionJobName",
        "NotFoundException",
        answer,
    )
    client = aws.client("transcribe")
    job = client.get_medical_transcription_job(MedicalTranscriptionJobName="x")["MedicalTranscriptionJob"]
    assert job["MedicalTranscriptionJobName"] == "ours"
    assert response.seen[0][0] == "application/x-amz-json-1.1"
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_medical_transcription_job(MedicalTranscriptionJobName="missing")


def test_a_package_that_does_not_exist_cannot_be_registered() -> None:
    with pytest.raises(ImportError, match="no_such_package"):
        backends.register("comprehendmedical", "no_such_package")


def test_a_package_without_its_backends_cannot_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("hollow")
    package.__path__ = [str(Path(__file__).parent)]
    monkeypatch.setitem(sys.modules, "hollow", package)
    monkeypatch.setitem(sys.modules, "hollow.urls", types.ModuleType("hollow.urls"))
    with pytest.raises(AttributeError, match="hollow must export comprehendmedical_backends"):
        backends.register("comprehendmedical", "hollow")
