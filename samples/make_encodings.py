"""Make the corpus of encodings again: `python -m samples.make_encodings [NAME ...]`, half a minute.

Writes samples/encodings/ with the commands of samples/encoding_commands.py, and samples/encodings.json: for each file
the command, the programs' versions, and the result of FFmpeg's decoder (PyAV). With names, only these files are made.
It needs the programs below, from Debian; fdkaac is in contrib, and its library in non-free.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samples.encoding_commands import COMMANDS
from samples.hearing import heard

SAMPLES = Path(__file__).parent
ENCODINGS, MANIFEST = SAMPLES / "encodings", SAMPLES / "encodings.json"
# Program -> the option that prints its version, and Debian's packages.
_PROGRAMS = {
    "ffmpeg": ("-version", "ffmpeg"),
    "sox": ("--version", "sox libsox-fmt-all"),
    "flac": ("--version", "flac"),
    "lame": ("--version", "lame"),
    "fdkaac": ("--help", "fdkaac"),
    "opusenc": ("--version", "opus-tools"),
    "oggenc": ("--version", "vorbis-tools"),
    "speexenc": ("--version", "speex"),
    "mkvmerge": ("--version", "mkvtoolnix"),
    "gst-launch-1.0": ("--version", "gstreamer1.0-tools gstreamer1.0-plugins-{base,good,ugly,bad}"),
}
_SHELL = """
set -o pipefail
ffmpeg() {
    command ffmpeg -nostdin -hide_banner -loglevel error -y -fflags +bitexact "${@:1:$#-1}" \
        -fflags +bitexact -flags:a +bitexact "${@: -1}"
}
gst() { gst-launch-1.0 -q filesrc location="$1" ! wavparse ! audioconvert ! audioresample "${@:2}"; }
edit() { "$PYTHON" -m samples.encoding_edits "$@"; }
"""


def main(names: list[str]) -> None:
    if missing := {name: packages for name, (_, packages) in _PROGRAMS.items() if shutil.which(name) is None}:
        sys.exit("\n".join(f"{name} is missing: apt-get install {packages}" for name, packages in missing.items()))
    kept = [name for name in COMMANDS if not name.startswith("[")]
    if unknown := set(names) - set(kept):
        sys.exit(f"no command makes {sorted(unknown)}; samples/encoding_commands.py lists all")
    old = json.loads(MANIFEST.read_text("utf-8")) if names else {}
    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as done:
        for name, command in COMMANDS.items():
            run(command, Path(work))
            if name in kept:
                shutil.copy(Path(work) / name, done)
        programs = versions()
        anew = {name: described(name, programs, Path(done), Path(work)) for name in names or kept}
        ENCODINGS.mkdir(exist_ok=True)
        for name in anew:
            shutil.copy(Path(done) / name, ENCODINGS)
    for path in ENCODINGS.iterdir():
        if path.name not in kept:
            path.unlink()
    manifest = {name: entry for name in kept if (entry := anew.get(name) or old.get(name))}
    lines = (f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in manifest.items())
    MANIFEST.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    size = sum(path.stat().st_size for path in ENCODINGS.iterdir())
    print(f"{len(anew)} of {len(manifest)} encodings made, {size / 1e6:.2f} MB in all")


def run(command: str, folder: Path) -> None:
    """Run a command in `folder`."""
    environment = os.environ | {
        "MEDIA": str(SAMPLES / "media"),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(SAMPLES.parent),
    }
    answer = subprocess.run(["bash", "-euc", _SHELL + command], cwd=folder, env=environment, check=False)
    if answer.returncode:
        sys.exit(f"this command ended with {answer.returncode}, and nothing was written: {command}")


def versions() -> dict[str, str]:
    """Program -> its name and version."""
    found = {}
    for name, (option, _) in _PROGRAMS.items():
        answer = subprocess.run([name, option], capture_output=True, text=True, check=False)
        number = re.search(r"(?<![\w-])v?(\d+\.\d[\w.+~-]*)", answer.stdout + answer.stderr)
        found[name] = f"{name} {number[1] if number else 'of an unknown version'}"
    return found


def described(name: str, programs: dict[str, str], done: Path, work: Path) -> dict[str, Any]:
    """The manifest's entry; for a file that FFmpeg can't decode, it describes the encoder's input instead."""
    command = COMMANDS[name]
    decoder = heard((done / name).read_bytes())
    entry = {"command": command, "made_by": [programs[used] for used in used_by(command)], "decoder": decoder}
    if decoder is None:
        (source,) = (word for word in re.findall(r"\S+\.(?:wav|m4a)", command)[-2:] if word != name)
        entry["encoded"] = heard((work / source).read_bytes())
    return entry


def used_by(command: str) -> Iterator[str]:
    """The programs that the command runs."""
    words = [word.replace("gst", "gst-launch-1.0") for word in re.findall(r"(?:^|[;|(])\s*([\w.-]+)", command)]
    return (program for program in _PROGRAMS if program in words)


if __name__ == "__main__":
    main(sys.argv[1:])
