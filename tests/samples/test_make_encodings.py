"""The corpus of encodings: what is committed is what the commands say, and what the decoder hears today."""

import json
import shutil
from typing import Any

import pytest

from samples import make_encodings
from samples.encoding_commands import COMMANDS
from samples.hearing import heard
from samples.make_encodings import ENCODINGS, MANIFEST

ENTRIES: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text("utf-8"))


def test_the_manifest_lists_every_file_of_the_folder_and_no_other() -> None:
    assert {path.name for path in ENCODINGS.iterdir()} == set(ENTRIES)


def test_the_manifest_has_the_commands_as_they_are() -> None:
    kept = {name: command for name, command in COMMANDS.items() if not name.startswith("[")}
    assert {name: entry["command"] for name, entry in ENTRIES.items()} == kept


def test_the_decoder_still_hears_what_the_manifest_says() -> None:
    found = {name: heard((ENCODINGS / name).read_bytes()) for name in ENTRIES}
    assert found == {name: entry["decoder"] for name, entry in ENTRIES.items()}


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in ENCODINGS.iterdir()) < 3_000_000


def test_every_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def which(name: str) -> str | None:
        return None if name in ("fdkaac", "opusenc") else f"/usr/bin/{name}"

    monkeypatch.setattr(shutil, "which", which)
    with pytest.raises(SystemExit) as ended:
        make_encodings.main([])
    assert ended.value.code == (
        "fdkaac is missing: apt-get install fdkaac\nopusenc is missing: apt-get install opus-tools"
    )


def test_an_unknown_name_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    with pytest.raises(SystemExit, match=r"no command makes \['song\.wav'\]"):
        make_encodings.main(["song.wav"])
