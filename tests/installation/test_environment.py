import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from installation import environment as module
from installation.environment import Environment, uv_requirement


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def made(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment of this Python, whole, with uv, that installs nothing in truth."""
    (tmp_path / "bin").mkdir()
    for name in ("python", "uv"):
        (tmp_path / "bin" / name).touch()
    version, *_ = (line.split()[0].removeprefix("uv==") for line in uv_requirement())

    def output(command: Sequence[str]) -> str:
        return f"uv {version} (somewhere)" if command[0].endswith("uv") else "{} {}".format(*sys.version_info[:2])

    monkeypatch.setattr(module, "_output", output)
    monkeypatch.setattr(module, "_run", lambda command: said.append(" ".join(command)))
    monkeypatch.setattr(Environment, "uv", lambda self, *arguments: said.append(" ".join(arguments)))
    return Environment(tmp_path, said.append)


def test_the_local_packages_are_installed_with_hashes_and_those_for_lambda(
    made: Environment, tmp_path: Path, said: list[str]
) -> None:
    made.install("local")
    local, functions, analysis = (line for line in said if line.startswith("pip "))
    assert local.startswith("pip sync") and "--require-hashes" in local and local.endswith("/requirements.lock")
    assert "--require-hashes" in functions and functions.endswith("/requirements-lambda.txt")
    assert "--require-hashes" in analysis and analysis.endswith("/requirements-lambda-analysis.txt")
    assert "/lambda-packages-analysis " in analysis and "/lambda-packages " in functions
    assert (tmp_path / "installed").exists() and not (tmp_path / "installed-checks").exists()
    assert not (tmp_path / "unfinished").exists()


def test_the_checks_come_after_the_local_packages(made: Environment, tmp_path: Path, said: list[str]) -> None:
    made.install("checks")
    assert [line.split("/")[-1] for line in said if line.startswith("pip sync")] == [
        "requirements.lock",
        "requirements-checks.lock",
    ]
    said.clear()
    made.install("checks")
    assert len([line for line in said if line.startswith("pip sync")]) == 1
    assert (tmp_path / "installed").stat().st_mtime_ns <= (tmp_path / "installed-checks").stat().st_mtime_ns


@pytest.mark.parametrize("error", [KeyboardInterrupt(), subprocess.CalledProcessError(1, ["uv"])])
def test_an_installation_that_does_not_end_leaves_no_stamp_and_the_next_starts_over(
    made: Environment, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    made.install("local")

    def fail(self: Environment, *arguments: str) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Environment, "uv", fail)
        with pytest.raises(type(error)):
            made.install("local")
    assert not (tmp_path / "installed").exists()
    said.clear()
    made.install("local")
    assert "did not come to its end" in said[0]
    assert any("-m venv --clear" in line for line in said)
    assert (tmp_path / "installed").exists()


def test_an_environment_of_another_python_is_made_anew(
    made: Environment, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made.prepare()
    assert said == []
    monkeypatch.setattr(module, "_output", lambda command: "3 10")
    made.prepare()
    assert said[0].startswith("It is of another Python.")


def test_uv_is_installed_by_pip_with_the_hashes_of_the_lock(
    made: Environment, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []

    def run(command: Sequence[str]) -> None:
        assert {"pip", "--require-hashes"} <= set(command)
        installed.append(Path(command[-1]).read_text())

    output = module._output
    monkeypatch.setattr(module, "_run", run)
    monkeypatch.setattr(module, "_output", lambda command: "uv 0.1.0" if command[0].endswith("uv") else output(command))
    made.prepare()
    (requirement,) = installed
    pin, *hashes = requirement.split("\\\n")
    assert pin.startswith("uv==")
    assert hashes and all(line.strip().startswith("--hash=sha256:") for line in hashes)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "wheels" / "thing-1-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing.py", "")
        archive.writestr("thing-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
        archive.writestr("thing-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("thing-1.dist-info/RECORD", "thing.py,,\n")
    return path


@pytest.mark.parametrize("tampered", [False, True])
def test_uv_finds_what_pip_finds_and_refuses_a_file_that_the_lock_does_not_mean(
    tmp_path: Path, said: list[str], wheel: Path, monkeypatch: pytest.MonkeyPatch, tampered: bool
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CONSTRAINT", str(tmp_path / "constraints.txt"))
    (tmp_path / "constraints.txt").write_text("other<2\n")
    lock = tmp_path / "lock"
    lock.write_text(f"thing==1 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    if tampered:
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("more.py", "")
    target = ("--python", sys.executable, "--target", str(tmp_path / "target"))
    arguments = ("pip", "install", *target, "--require-hashes", "--requirement", str(lock))
    environment = Environment(Path(sys.prefix), said.append)
    if tampered:
        with pytest.raises(subprocess.CalledProcessError):
            environment.uv(*arguments)
        assert any("Hash mismatch" in line for line in said)
    else:
        environment.uv(*arguments)
        assert not any("thing==1" in line for line in said)
    assert (tmp_path / "target" / "thing.py").exists() != tampered
