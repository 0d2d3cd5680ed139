"""Every command that a page shows, and every one of ours that make would then run, is understood by what it calls.

Nothing is carried out here: make only says what it would do, and our modules and the AWS CLI are stopped when they have
read their arguments. What can be done on the local AWS is done in test_execution.py.
"""

import argparse
import importlib.util
import json
import re
import runpy
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.core
from awscli.clidriver import CLIOperationCaller, create_clidriver  # type: ignore[import-untyped]
from awscli.customizations.commands import BasicCommand  # type: ignore[import-untyped]
from botocore.model import ListShape, Shape, StructureShape
from botocore.validate import validate_parameters

from infra.cdk_json import read_context

PAGES = [Path("README.md"), *sorted(Path("docs").glob("*.md"))]
ENVIRONMENTS = read_context()["environments"]
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# What prepares a shell for our commands.
_UNCHECKED = ("cd", "export", "git", "pip")


class Understood(BaseException):
    """The arguments were read without an error; what would follow is not to happen. No handler may catch it."""


class WrongCommand(Exception):
    """What is wrong with a command."""


def commands(text: str) -> Iterator[str]:
    """The command lines of a page's `sh` blocks, each whole; those in `$(...)` follow on their own."""
    for block in re.findall(r"^```(?:sh|bash|shell)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in _whole_lines(block.replace("\\\n", " ")):
            for inner in _SUBSTITUTION.findall(line):
                yield from _pipeline(inner)
            yield from _pipeline(_SUBSTITUTION.sub("SUBSTITUTED", line))


def _whole_lines(block: str) -> Iterator[str]:
    """Lines, joined where a quotation goes on."""
    begun = ""
    for line in block.splitlines():
        begun += line
        try:
            shlex.split(begun, comments=True)
        except ValueError:
            begun += "\n"
        else:
            yield begun
            begun = ""
    if begun:
        raise WrongCommand(f"a quotation is not closed: {begun}")


def _pipeline(line: str) -> Iterator[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word.strip("|;&"):
            words.append(word)
        elif words:
            yield shlex.join(words)
            words = []
    if words:
        yield shlex.join(words)


SHOWN = sorted({(str(page), command) for page in PAGES for command in commands(page.read_text())})


def check(command: str) -> None:
    """Raise WrongCommand unless what `command` calls exists and understands it."""
    words = shlex.split(command)
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    if not words or words[0] in _UNCHECKED:
        return
    program, arguments = Path(words[0]).name, words[1:]
    if program not in _CHECKS:
        raise WrongCommand(f"no test knows the program {program}")
    for argument in arguments:
        if argument.startswith(("{", "[")):
            try:
                json.loads(argument)
            except ValueError as error:
                raise WrongCommand(f"{argument} is not JSON: {error}") from None
    _CHECKS[program](arguments)


def _check_make(arguments: list[str]) -> None:
    makefile = Path("Makefile").read_text()
    for name, value in (argument.split("=", 1) for argument in arguments if "=" in argument):
        if f"$({name})" not in makefile:
            raise WrongCommand(f"the Makefile has no variable {name}")
        if name == "ENV" and value not in ENVIRONMENTS:
            raise WrongCommand(f"cdk.json has no environment {value}")
    made = subprocess.run(["make", "--dry-run", *arguments], capture_output=True, text=True)
    if made.returncode:
        raise WrongCommand(made.stderr.strip())
    for line in made.stdout.splitlines():
        if re.match(r"([A-Z_]+=\S+ )*\.venv/bin/python ", line) and "-m pytest" not in line:
            check(line)


def _check_python(arguments: list[str]) -> None:
    if arguments[:1] == ["-c"]:
        try:
            compile(arguments[1], "-c", "exec")
        except SyntaxError as error:
            raise WrongCommand(f"{arguments[1]}: {error}") from None
        return
    if arguments[:1] == ["-m"]:
        module, arguments = arguments[1], arguments[2:]
        specification = _specification(module)
        if specification is None:
            raise WrongCommand(f"there is no module {module}")
        source, run = Path(specification), lambda: runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        source = Path(arguments.pop(0))
        if not source.exists():
            raise WrongCommand(f"there is no file {source}")
        run = lambda: runpy.run_path(str(source), run_name="__main__")  # noqa: E731
    # Only what reads its arguments stops there.
    read_by = source.parent.glob("*.py") if source.name == "__main__.py" else [source]
    if not any(re.search(r"^(import|from) (argparse|typer)", path.read_text(), re.M) for path in read_by):
        if arguments:
            raise WrongCommand(f"{source} takes no arguments")
        return
    _read_arguments(str(source), arguments, run)


def _specification(module: str) -> str | None:
    """The file that `python -m` runs."""
    try:
        if found := importlib.util.find_spec(f"{module}.__main__"):
            return found.origin
    except ModuleNotFoundError:
        pass
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return found.origin if found else None


def _read_arguments(program: str, arguments: list[str], run: Callable[[], Any]) -> None:
    read = argparse.ArgumentParser.parse_args

    def parse(self: argparse.ArgumentParser, args: Any = None, namespace: Any = None) -> Any:
        read(self, args, namespace)
        raise Understood

    def invoke(self: Any, context: Any) -> Any:
        raise Understood

    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        # A module that another test has imported is run a second time.
        warnings.simplefilter("ignore", RuntimeWarning)
        patched.setattr(sys, "argv", [program, *arguments])
        patched.setattr(argparse.ArgumentParser, "parse_args", parse)
        patched.setattr(typer.core.TyperCommand, "invoke", invoke)
        try:
            run()
        except Understood:
            return
        except SystemExit as stopped:
            if stopped.code == 0 and "--help" in arguments:
                return
    raise WrongCommand(f"{program} does not understand {shlex.join(arguments)}")


def _check_aws(arguments: list[str]) -> None:
    driver = create_clidriver()
    # What the reader is to write into a file first.
    arguments = ["{}" if argument.startswith("file://") else argument for argument in arguments]

    def invoke(self: Any, service: str, operation: str, parameters: dict[str, Any], _: Any) -> int:
        shape = self._session.get_service_model(service).operation_model(operation).input_shape
        if shape is not None:
            validate_parameters(_lengthened(parameters), shape)
            if wrong := list(_wrong_choices(shape, parameters)):
                raise WrongCommand(f"not among what the service knows: {', '.join(wrong)}")
        raise Understood

    def run(self: Any, parsed_args: Any, parsed_globals: Any) -> int:
        raise Understood

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CLIOperationCaller, "invoke", invoke)
        for command in _descendants(BasicCommand):
            if "_run_main" in vars(command) and not command.SUBCOMMANDS:
                patched.setattr(command, "_run_main", run)
        try:
            driver.main(arguments)
        except (Understood, SystemExit) as ended:
            if isinstance(ended, Understood):
                return
    raise WrongCommand(f"the AWS CLI does not understand {shlex.join(arguments)}")


def _is_placeholder(value: Any) -> bool:
    """Whether the reader is to write something else there: `BUCKET`, `s3://BUCKET/a`, `$MEDIA`."""
    return isinstance(value, str) and re.search(r"\$\w+|\b[A-Z]+(_[A-Z]+)*\b", value) is not None


def _wrong_choices(shape: Shape, value: Any) -> Iterator[str]:
    """Values that aren't in their enumeration, which botocore doesn't check."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from _wrong_choices(shape.members[name], member)
    elif isinstance(shape, ListShape):
        for item in value:
            yield from _wrong_choices(shape.member, item)
    elif "enum" in shape.metadata and value not in shape.metadata["enum"] and not _is_placeholder(value):
        yield value


def _lengthened(value: Any) -> Any:
    """With placeholders as long as what they stand for."""
    if isinstance(value, dict):
        return {name: _lengthened(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_lengthened(item) for item in value]
    return value.ljust(40) if _is_placeholder(value) else value


def _descendants(cls: Any) -> Iterator[Any]:
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)


_CHECKS: dict[str, Callable[[list[str]], None]] = {
    "make": _check_make,
    "python": _check_python,
    "python3": _check_python,
    "aws": _check_aws,
}


@pytest.mark.parametrize(("page", "command"), SHOWN)
def test_what_a_command_calls_exists_and_understands_it(page: str, command: str) -> None:
    check(command)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_targets_and_modules_that_a_page_mentions_exist(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", Path("Makefile").read_text(), re.M)
    for target in re.findall(r"`make ([a-z-]+)[^`]*`", page.read_text()):
        assert target in targets, f"{page}: make {target}"
    for module in re.findall(r"`python -m ([\w.]+)[^`]*`", page.read_text()):
        assert _specification(module), f"{page}: python -m {module}"


@pytest.mark.parametrize(
    "command",
    [
        "make nothing",
        "make demo MEDIUM=visit.wav",
        "make synth ENV=nowhere",
        "python -m nothing",
        "python -m nothing.at_all",
        "python -m local demo --medium visit.wav",
        "python -m local down",
        "python -m operations audience-model --name readers",
        "python samples/make_nothing.py",
        "python -c 'import'",
        "aws stepfunction list-executions",
        "aws stepfunctions list-execution --state-machine-arn ARN",
        "aws stepfunctions redrive-execution",
        "aws stepfunctions start-execution --state-machine-arn ARN --inputs '{}'",
        """aws stepfunctions start-execution --state-machine-arn ARN --input '{"prefix": }'""",
        "aws sqs get-queue-attributes --queue-url QUEUE_URL --attribute-names Messages",
        """aws glue create-table --database-name a --table-input '{"Name": "b", "Column": []}'""",
        "aws comprehendmedical list-entities-detection-v2-jobs --filter JobNames=x",
        "aws s3 cp visit.wav",
        "aws s3 cp visit.wav s3://BUCKET/visit.wav --meta-data a=b",
        "aws s3 ls s3://BUCKET --query '['",
        "cdk deploy",
    ],
)
def test_a_wrong_command_is_found(command: str) -> None:
    with pytest.raises(WrongCommand):
        check(command)


def test_the_arguments_of_a_typer_application_are_read_and_nothing_is_done(tmp_path: Path) -> None:
    lines = ["import typer", "app = typer.Typer()", "@app.command()", "def up(port: int = 1): raise RuntimeError"]
    lines += ["@app.command()", "def down(): raise RuntimeError", "app()"]
    (tmp_path / "app.py").write_text("\n".join(lines))
    check(f"python {tmp_path}/app.py up --port 2")
    check(f"python {tmp_path}/app.py down")
    for wrong in ("up --port x", "up --sport 2", "sideways", "down now"):
        with pytest.raises(WrongCommand):
            check(f"python {tmp_path}/app.py {wrong}")


def test_commands_are_found_whole_in_blocks_pipes_and_substitutions() -> None:
    page = "\n".join(
        ["```sh", "NAME=$(aws s3 ls)  # why", "make demo \\", "  MEDIA=x | python -m local up; cd /", "```", "```json"]
    )
    found = ["aws s3 ls", "NAME=SUBSTITUTED", "make demo MEDIA=x", "python -m local up", "cd /"]
    assert list(commands(page)) == found
    assert {program for program in _CHECKS if any(shown.startswith(program) for _, shown in SHOWN)} >= {"make", "aws"}


def test_make_alone_lists_every_target_with_what_it_is_for() -> None:
    listed = subprocess.run(["make"], capture_output=True, text=True, check=True).stdout
    (targets,) = re.findall(r"^\.PHONY: (.*)$", Path("Makefile").read_text(), re.M)
    assert sorted(re.findall(r"^  ([a-z-]+) +\S", listed, re.M)) == sorted(targets.split())
