"""Every command that a page shows is carried out, in the page's order, by a shell on the local AWS.

Written otherwise than on the page are only names: placeholders become what they stand for, an environment becomes
`local`. Not carried out are the commands in NOT_SERVED, TOO_LATE and NOT_RUN, and make says only what it would do: its
targets are what continuous integration runs, or need an account. That all these are understood is shown by
test_commands.py.
"""

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lambdas.shared.stages import TRANSCRIPTION, is_run_of
from local.engines.speech import Word
from local.pipeline import configured_audience_model_arn, start_pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models
from tests.docs.pages import examples, sections
from tests.docs.shell import ROOT, Answer, Shell, opened
from tests.docs.test_commands import PAGES, SHOWN
from tests.operations.conftest import clear_access_logs, deliver_access_logs
from tests.statemachine.assembly import local_assembly
from tests.statemachine.conftest import Engines, Run

# What moto has not; a test proves that it still has it not.
NOT_SERVED = (
    "cleanrooms create-configured-audience-model-association",
    "sqs start-message-move-task",
)
# The Map Runs of this reader's executions have ended; a test shows that nothing else is wrong with the command.
TOO_LATE = ("stepfunctions update-map-run",)
# Measurements of many minutes; tests/bench runs their parts.
NOT_RUN = re.compile(r"^python -m bench\b.*$", re.MULTILINE)
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
WORDS = ["Patient", "has", "hypertension", "and", "asthma."]
ACCOUNT = "123456789012"


class Reader:
    """Somebody who does what the pages say, page by page."""

    def __init__(self, run: Run, shell: Shell) -> None:
        self.run, self.shell = run, shell
        outputs = run.pipeline.aws.client("cloudformation").describe_stacks(StackName="clinical-media-local")
        self.outputs = {item["OutputKey"]: item["OutputValue"] for item in outputs["Stacks"][0]["Outputs"]}
        self.succeeded = self.process()

    def process(self) -> dict[str, Any]:
        """An execution that has ended, with enough people for an audience unless there is one already."""
        self.run.remember([f"p-{number}" for number in range(300, 325)])
        execution = self.run.execution_of(self.drop())
        self.run.summary(execution)
        return execution

    def failed(self) -> dict[str, Any]:
        """An execution that a redrive repairs."""
        self.run.engines.entity_errors = [RuntimeError("out of order")]
        execution = self.run.execution_of(self.drop())
        assert execution["status"] == "FAILED"
        return execution

    def drop(self) -> str:
        body = self.run.engines.recording("sound")
        return self.run.drop(f"media/p-{400 + len(self.run.engines.texts)}/visit.wav", body, consent=True)

    def read(self, page: Path) -> Answer:
        # docs/deploy.md says how to take everything down.
        if not self.run.documents(f"batches/{self.succeeded['name']}/jobs/audience_generation/"):
            self.succeeded = self.process()
        blocks = [
            self.filled_in(text) if language == "sh" else shlex.join(["python", "-c", text])
            for language, text in BLOCK.findall(page.read_text())
        ]
        answer = self.shell.run("\n".join(blocks), NOT_SERVED + TOO_LATE)
        self.run.until(lambda: all(execution["status"] != "RUNNING" for execution in self.run.executions()))
        return answer

    def filled_in(self, block: str) -> str:
        """The block with what its placeholders stand for."""
        block = NOT_RUN.sub("", block)
        block = re.sub(r"--env (local|dev|staging|prod|ENV)\b", f"--env local --endpoint-url {self.endpoint}", block)
        block = re.sub(r"clinical-media-(dev|staging|prod|ENV)\b", "clinical-media-local", block)
        block = block.replace("clinical_media_ENV", "clinical_media_local")
        block = block.replace("http://127.0.0.1:4566", self.endpoint)
        # As many people as it takes to see it work.
        block = block.replace("--population 120000", "--population 2000")
        names = self.names
        execution: list[dict[str, Any]] = []

        def value(found: re.Match[str]) -> str:
            if not execution:
                execution.append(self.failed() if re.search(r"\b(redrive|again)\b", block) else self.succeeded)
            return names[found[0]](execution[0])

        placeholder = "|".join(sorted(names, key=len, reverse=True))
        # Variables of the shell are the page's own.
        return re.sub(rf"\b(?<!\$)({placeholder})\b(?!=)", value, block)

    @property
    def endpoint(self) -> str:
        return self.run.pipeline.aws.endpoint

    @property
    def names(self) -> dict[str, Callable[[dict[str, Any]], str]]:
        """Placeholder -> what it stands for in a block about an execution."""
        of_outputs = {
            name.strip("`"): self.outputs[output.strip("`")] for name, output in sections("README.md")["The commands"]
        }
        return {
            **{name: always(value) for name, value in of_outputs.items()},
            "AUDIENCE_BUCKET": lambda _: "model-owners-audiences",
            "DEAD_LETTER_QUEUE_ARN": lambda _: self.queue_arn("IngestDeadLetterQueueUrl"),
            "ENTITY_DETECTION_JOB_ID": lambda execution: self.job(execution, "entity_detection", "JobId"),
            "EXECUTION": lambda execution: str(execution["name"]),
            "EXECUTION_ARN": lambda execution: str(execution["executionArn"]),
            "EXECUTION_NAME": lambda execution: str(execution["name"]),
            "GENERATION_ARN": lambda execution: self.job(execution, "audience_generation", "audienceGenerationJobArn"),
            "MAP_RUN_ARN": self.map_run,
            "MEMBERSHIP_ID": lambda _: "00000000-0000-0000-0000-000000000000",
            "MODEL_ARN": lambda _: configured_audience_model_arn(),
            "QUERY_EXECUTION_ID": lambda _: self.query(),
            "QUEUE_ARN": lambda _: self.queue_arn("IngestQueueUrl"),
            "TRAINING_BUCKET": lambda _: "model-owners-training-data",
            "TRANSCRIPTION_JOB": lambda execution: self.job(execution, "transcription", "MedicalTranscriptionJobName"),
        }

    def job(self, execution: dict[str, Any], stage: str, member: str) -> str:
        """What the service calls the execution's job of a stage, by a member of its own description."""
        (described,) = self.run.documents(f"batches/{execution['name']}/jobs/{stage}/")
        return str(described[member])

    def map_run(self, execution: dict[str, Any]) -> str:
        runs = self.run.stepfunctions.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        (arn,) = (run["mapRunArn"] for run in runs if is_run_of(run["mapRunArn"], TRANSCRIPTION.state))
        return str(arn)

    def queue_arn(self, output: str) -> str:
        return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{self.outputs[output].rpartition('/')[2]}"

    def query(self) -> str:
        athena = self.run.pipeline.aws.client("athena")
        started = athena.start_query_execution(QueryString="SELECT 1", WorkGroup="clinical-media-local")
        query = str(started["QueryExecutionId"])

        def has_ended() -> bool:
            status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            return status["State"] not in ("QUEUED", "RUNNING")

        self.run.until(has_ended)
        return query


def always(value: str) -> Callable[[dict[str, Any]], str]:
    return lambda _: value


def transcribe(samples: NDArray[np.int16]) -> list[Word]:
    return [Word(word.strip("."), number / 4, (number + 1) / 4, 0.9, "") for number, word in enumerate(WORDS)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    engines = Engines()
    pipeline = start_pipeline(local_assembly(), time_scale=0.002, longest_wait=0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcription_models, "engine", transcribe)
        patch.setattr(entity_jobs, "engine", engines.detect)
        try:
            run = Run(pipeline, engines)
            deliver_access_logs(run, False)
            clear_access_logs(run)
            with opened(folder, environment(folder, pipeline.aws.endpoint)) as shell:
                provide_files(folder, engines)
                yield Reader(run, shell)
        finally:
            pipeline.aws.stop()


def environment(folder: Path, endpoint: str) -> dict[str, str]:
    """Of a person whose profiles are those of the pages, in the local AWS's account."""
    keys = "aws_access_key_id = local\naws_secret_access_key = local\nregion = us-east-1\n"
    (folder / "credentials").write_text(f"[default]\n{keys}[dev-admin]\n{keys}")
    (folder / "config").write_text("[profile dev-admin]\nregion = us-east-1\n")
    return {
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "HOME": str(folder),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }


def provide_files(folder: Path, engines: Engines) -> None:
    """What the pages take to be there."""
    (folder / "visit.wav").write_bytes(engines.recording("sound"))
    (folder / "recordings/p-200").mkdir(parents=True)
    shutil.copy(folder / "visit.wav", folder / "recordings/p-200/visit.wav")
    (folder / "samples").symlink_to(ROOT / "samples")
    (folder / "out").mkdir()
    policies = [document for document in examples("deploy.md") if "Version" in document]
    for name, action in (
        ("trust", "sts:AssumeRoleWithWebIdentity"),
        ("rights", "sts:AssumeRole"),
        ("policy", "cleanrooms-ml:StartAudienceGenerationJob"),
    ):
        (policy,) = (policy for policy in policies if policy["Statement"][0]["Action"] == action)
        text = json.dumps(policy).replace("ACCOUNT", ACCOUNT).replace("REGION", "us-east-1")
        (folder / f"{name}.json").write_text(text)


@pytest.mark.parametrize("page", [page for page in PAGES if BLOCK.search(page.read_text())], ids=str)
def test_what_a_page_shows_works_in_its_order(reader: Reader, page: Path) -> None:
    answer = reader.read(page)
    assert answer.code == 0, answer.error


def test_the_notebook_counts_what_the_pipeline_found(reader: Reader) -> None:
    answer = reader.read(Path("docs/analysis.md"))
    files = Path(reader.shell.folder, "records").glob("*.jsonl")
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    found = [row["user_id"] for row in rows if row["category"] == "MEDICAL_CONDITION"]
    (line,) = [line for line in answer.output.splitlines() if "MEDICAL_CONDITION" in line]
    assert [int(number) for number in re.findall(r"\d+", line)] == [len(found), len(set(found))]


@pytest.mark.parametrize("beginning", NOT_SERVED)
def test_what_is_left_out_is_what_the_local_aws_has_not(reader: Reader, beginning: str) -> None:
    command = next(command for _, command in SHOWN if command.startswith(f"aws {beginning} "))
    answer = reader.shell.run(reader.filled_in(command))
    assert answer.code and not re.search("Parameter validation|usage:", answer.error), answer


@pytest.mark.parametrize("beginning", TOO_LATE)
def test_what_comes_too_late_is_refused_for_that_alone(reader: Reader, beginning: str) -> None:
    command = next(command for _, command in SHOWN if command.startswith(f"aws {beginning} "))
    answer = reader.shell.run(reader.filled_in(command))
    assert re.search("ValidationException.* Map Run is SUCCEEDED", answer.error), answer
