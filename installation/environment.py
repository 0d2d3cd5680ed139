"""The virtual environment: made by venv, with uv by pip, and with everything else by uv."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from installation.pip_settings import Settings, in_words_of_uv

ROOT = Path(__file__).parents[1]
# `make` looks for these files. Each is written last, when its packages are complete.
STAMPS = {"local": "installed", "checks": "installed-checks"}
LOCKS = {"local": ROOT / "requirements.lock", "checks": ROOT / "requirements-checks.lock"}
# uv prints a line with one of these beginnings for each package; they aren't shown.
_PER_PACKAGE = (" + ", " - ", " ~ ")
# For the functions' runtime, whatever this machine is; infra/function_code.py takes it from there into their zips. The
# runtime's glibc is 2.34 (Amazon Linux 2023): https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_FOR_LAMBDA = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.13", "--only-binary", ":all:")
# Folder in the environment -> its requirements.
_LAMBDA_PACKAGES = {
    "lambda-packages": "requirements-lambda.txt",
    "lambda-packages-analysis": "requirements-lambda-analysis.txt",
}

Say = Callable[[str], None]


class Environment:
    """The virtual environment in `folder`; `say` shows the progress."""

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder = folder
        self._say = say
        self._python = folder / "bin" / "python"
        self._uv = folder / "bin" / "uv"
        # This file exists while the environment is incomplete.
        self._unfinished = folder / "unfinished"

    def install(self, wanted: str) -> None:
        """Install the packages of `wanted`, "local" or "checks"; the latter has those of the former too.

        Raises:
            subprocess.CalledProcessError: a package is missing in the indexes, or has another hash than the lock.
        """
        self.prepare()
        if wanted == "local" or not self._stamp("local").exists():
            self._install("local")
        if wanted == "checks":
            self._install("checks")

    def prepare(self) -> None:
        """Make the environment with this Python and the uv of requirements.lock, unless it exists and is complete.

        Raises:
            subprocess.CalledProcessError: venv can't make it, or pip can't install uv.
        """
        if self._unfinished.exists():
            self._make("The last installation did not come to its end. Starting over")
        elif not self._python.exists():
            self._make("Making it")
        elif self._python_version() != sys.version_info[:2]:
            self._make("It is of another Python. Making it anew")
        if not self._has_uv():
            self._unfinished.touch()
            self._say("Installing uv, by pip.")
            self._bootstrap()
            self._unfinished.unlink()

    def uv(self, *arguments: str) -> None:
        """Run uv, with the indexes, proxies and certificates that pip is configured for.

        Raises:
            subprocess.CalledProcessError: uv has failed; its own error is shown.
        """
        settings = self._settings()
        command = [str(self._uv), *arguments, *settings.arguments]
        # The locks have one version of each package; uv refuses constraints that have no hashes beside ones that have.
        environment = {name: value for name, value in os.environ.items() if name != "UV_CONSTRAINT"}
        with subprocess.Popen(
            command, cwd=ROOT, env=environment | settings.variables, stderr=subprocess.PIPE, text=True, errors="replace"
        ) as process:
            assert process.stderr
            for line in process.stderr:
                if not line.startswith(_PER_PACKAGE):
                    self._say(f"  {line.rstrip()}")
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)

    def _stamp(self, which: str) -> Path:
        return self._folder / STAMPS[which]

    def _install(self, which: str) -> None:
        self._stamp(which).unlink(missing_ok=True)
        self._unfinished.touch()
        self._say(f"Installing the packages of {LOCKS[which].name}, by uv.")
        self.uv("pip", "sync", "--python", str(self._python), "--require-hashes", str(LOCKS[which]))
        if which == "local":
            self._install_for_lambda()
        self._unfinished.unlink()
        self._stamp(which).touch()

    def _install_for_lambda(self) -> None:
        for folder, requirements in _LAMBDA_PACKAGES.items():
            target = self._folder / folder
            shutil.rmtree(target, ignore_errors=True)
            self._say(f"Installing the packages of {requirements}, for the functions.")
            options = ("--require-hashes", "--no-deps", "--target", str(target), *_FOR_LAMBDA)
            file = str(ROOT / requirements)
            self.uv("pip", "install", "--python", str(self._python), *options, "--requirement", file)

    def _make(self, why: str) -> None:
        self._say(f"{why}, with Python {sys.version.split()[0]}.")
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(self._folder)])
        self._unfinished.touch()
        _run([sys.executable, "-m", "venv", str(self._folder)])

    def _python_version(self) -> tuple[int, ...]:
        """The version of the environment's Python; empty if it doesn't run, for example because it was uninstalled."""
        code = "import sys; print(*sys.version_info[:2])"
        try:
            return tuple(map(int, _output([str(self._python), "-c", code]).split()))
        except (OSError, subprocess.CalledProcessError):
            return ()

    def _has_uv(self) -> bool:
        pin, *_ = uv_requirement()
        try:
            return _output([str(self._uv), "--version"]).split()[1] == pin.split()[0].removeprefix("uv==")
        except (OSError, subprocess.CalledProcessError):
            return False

    def _bootstrap(self) -> None:
        with TemporaryDirectory() as folder:
            requirements = Path(folder, "uv.txt")
            requirements.write_text("\n".join(uv_requirement()))
            options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--only-binary", "uv"]
            _run([str(self._python), "-m", "pip", "install", *options, "--requirement", str(requirements)])

    def _settings(self) -> Settings:
        return in_words_of_uv(_output([str(self._python), "-m", "pip", "config", "list"]), os.environ)


def uv_requirement() -> list[str]:
    """The lines of requirements.lock that pin uv and its hashes."""
    lines = LOCKS["local"].read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("uv=="))
    end = next(number for number, line in enumerate(lines[begin:], begin) if not line.endswith("\\"))
    return lines[begin : end + 1]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
