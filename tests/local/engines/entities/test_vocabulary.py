import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.engines.entities import vocabulary as module
from local.engines.entities.tokens import phrase_key
from local.engines.entities.vocabulary import Term, vocabulary

ASTHMA = Term("MEDICAL_CONDITION", "DX_NAME", "DIAGNOSIS", 0.9)


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """An empty cache directory and a compiler of one term, which notes its calls in the list."""
    calls: list[str] = []

    def compile_one() -> dict[str, object]:
        calls.append("compiled")
        time.sleep(0.02)
        return {"kinds": [ASTHMA], "terms": {"asthma": 0}}

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "_compile", compile_one)
    module._load.cache_clear()
    yield calls
    module._load.cache_clear()


def test_it_is_compiled_once_and_then_read_from_the_cache(compiled: list[str]) -> None:
    for _ in range(2):
        assert vocabulary().terms == {"asthma": ASTHMA}
        module._load.cache_clear()
    assert compiled == ["compiled"]


def test_threads_that_ask_at_once_share_one_compilation(compiled: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: vocabulary(), range(8)))
    assert all(one is found[0] for one in found)
    assert compiled == ["compiled"]


def test_a_damaged_cache_file_is_compiled_anew(compiled: list[str], tmp_path: Path) -> None:
    vocabulary()
    (file,) = tmp_path.rglob("*.json")
    file.write_text("{")
    module._load.cache_clear()
    assert vocabulary().terms == {"asthma": ASTHMA}
    assert compiled == ["compiled", "compiled"]
    assert json.loads(file.read_text())["terms"] == {"asthma": 0}


def test_a_cache_that_cannot_be_written_is_done_without(
    compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert vocabulary().terms == {"asthma": ASTHMA}


@pytest.mark.parametrize(
    ("phrase", "kind"),
    [
        ("hypertension", "DX_NAME"),  # ours
        ("cholangitis", "DX_NAME"),  # ICD-10-CM, reworded
        ("bladder cancer", "DX_NAME"),
        ("dapagliflozin", "GENERIC_NAME"),  # the drug dictionary
        ("Lipitor", "BRAND_NAME"),
        ("type two diabetes", "DX_NAME"),  # number words and plurals need no entries
        ("chest x-rays", "TEST_NAME"),
    ],
)
def test_terms_of_every_source_are_known(phrase: str, kind: str) -> None:
    assert vocabulary().terms[phrase_key(phrase)].type == kind


@pytest.mark.parametrize("word", ["water", "disease", "pain of", "other", "the", "today", "control", "relief", "taco"])
def test_everyday_words_are_no_terms(word: str) -> None:
    assert phrase_key(word) not in vocabulary().terms
