"""The synthesized stack on the local AWS: the real definition and the real handlers; only the engines are instant."""

import io
import json
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lambdas.shared.identity import digest
from lambdas.shared.layout import RECORDS, object_id_of, records_key
from lambdas.shared.ledger_keys import INDEXES_KEY, patient_key, patient_sort_key
from lambdas.shared.uris import uri_of
from local.engines.speech import Word
from local.pipeline import STACK_NAME, Pipeline, start_pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models
from tests.statemachine.assembly import local_assembly

PATIENCE_SECONDS = 100
# The keys of the records that `Run.remember` has written.
PEOPLE_KEYS: set[str] = set()


class Engines:
    """What the engines of the running services say.

    A recording made by `recording` carries the number of its text as its loudness. The entity engine finds each of the
    words in `conditions`.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.seconds_per_job = 0.0
        self.entity_errors: list[Exception] = []
        self.documents: list[str] = []
        self.conditions = ("hypertension", "diabetes", "asthma", "fever")

    def recording(self, text: str) -> bytes:
        self.texts.append(text)
        body = io.BytesIO()
        with wave.open(body, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(np.full(16_000, len(self.texts) * 8, np.int16).tobytes())
        return body.getvalue()

    def transcribe(self, samples: NDArray[np.int16]) -> list[Word]:
        time.sleep(self.seconds_per_job)
        number = round(float(np.median(samples)) / 8)
        words = self.texts[number - 1].split() if number else []
        return [
            Word(word.rstrip("."), index / 4, (index + 1) / 4, 0.9, "." if word.endswith(".") else "")
            for index, word in enumerate(words)
        ]

    def speakers(self, samples: NDArray[np.int16], words: Sequence[Word], most: int) -> list[int]:
        """Each sentence is said by the next person, `most` of them in turn."""
        ends = [bool(word.punctuation) for word in words]
        return [sum(ends[:position]) % most for position in range(len(words))]

    def detect(self, text: str) -> dict[str, Any]:
        self.documents.append(text)
        if self.entity_errors:
            raise self.entity_errors.pop()
        found = [(text.lower().find(word), word) for word in self.conditions if word in text.lower()]
        negated = [{"Name": "NEGATION", "Score": 0.9}] if "no " in text.lower() else []
        return {
            "Entities": [
                {
                    "Id": number,
                    "BeginOffset": begin,
                    "EndOffset": begin + len(word),
                    "Score": 0.9,
                    "Text": text[begin : begin + len(word)],
                    "Category": "MEDICAL_CONDITION",
                    "Type": "DX_NAME",
                    "Traits": negated,
                    "Attributes": [],
                }
                for number, (begin, word) in enumerate(sorted(found))
            ],
            "UnmappedAttributes": [],
            "ModelVersion": "test",
        }


class Run:
    """The pipeline as a person uses it: drop recordings, start executions, wait, look."""

    def __init__(self, pipeline: Pipeline, engines: Engines) -> None:
        self.pipeline, self.engines = pipeline, engines
        self.s3 = pipeline.aws.client("s3")
        self.stepfunctions = pipeline.aws.client("stepfunctions")
        self._media: dict[str, frozenset[str]] = {}

    def drop(self, key: str, body: bytes, consent: bool = False) -> str:
        metadata = {"audience-consent": "true"} if consent else {}
        self.s3.put_object(Bucket=self.pipeline.media_bucket, Key=key, Body=body, Metadata=metadata)
        return f"s3://{self.pipeline.media_bucket}/{key}"

    @contextmanager
    def before_the_policy(self, bucket: str) -> Iterator[None]:
        """While the bucket has no policy, as it had none when somebody wrote what its policy refuses now."""
        policy = self.s3.get_bucket_policy(Bucket=bucket)["Policy"]
        self.s3.delete_bucket_policy(Bucket=bucket)
        try:
            yield
        finally:
            self.s3.put_bucket_policy(Bucket=bucket, Policy=policy)

    def remember(self, users: list[str]) -> None:
        """Records of earlier batches, in which exactly these people consented and have hypertension.

        The next execution finds no indexes of cohorts, and reads all records.
        """
        bucket, media = self.pipeline.clinical_bucket, self.pipeline.media_bucket
        wanted = {records_key(digest(media, f"media/{user}/earlier.wav")): user for user in users}
        listed = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=RECORDS)
        there = PEOPLE_KEYS & {item["Key"] for page in listed for item in page.get("Contents", ())}
        PEOPLE_KEYS.update(wanted)
        for key in there - wanted.keys():
            self.s3.delete_object(Bucket=bucket, Key=key)
        found = {"category": "MEDICAL_CONDITION", "text": "hypertension", "score": 0.9, "traits": []}
        (stack,) = self.pipeline.aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        dynamodb = self.pipeline.aws.client("dynamodb")
        for key in wanted.keys() - there:
            user, media_id = wanted[key], digest(key)
            uri = uri_of(media, f"media/{user}/earlier.wav")
            line = found | {"user_id": user, "media_id": media_id, "media_uri": uri, "audience_consent": True}
            self.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(line).encode())
            # PlanBatch has noted that they were in a batch.
            noted = {
                "pk": patient_key(user),
                "sk": patient_sort_key(media_id, "earlier"),
                "user_id": user,
                "object_id": object_id_of(key),
                "transcript_id": f"{media_id}-0123abcd",
            }
            item = {name: {"S": value} for name, value in noted.items()}
            dynamodb.put_item(TableName=outputs["MembersTableName"], Item=item)
        dynamodb.delete_item(TableName=outputs["LedgerTableName"], Key={"pk": {"S": INDEXES_KEY}})

    def executions(self) -> list[dict[str, Any]]:
        return [self.stepfunctions.describe_execution(executionArn=arn) for arn in self._arns()]

    def _arns(self) -> list[str]:
        pages = self.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self.pipeline.state_machine_arn
        )
        return [item["executionArn"] for page in pages for item in page["executions"]]

    def media_of(self, arn: str) -> frozenset[str]:
        """The recordings that the execution was started with, which never change: asked for once."""
        if arn not in self._media:
            request = json.loads(self.stepfunctions.describe_execution(executionArn=arn)["input"])
            self._media[arn] = frozenset(request.get("media", ()))
        return self._media[arn]

    def execution_of(self, uri: str) -> dict[str, Any]:
        """The ended execution that the drop of `uri` started."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            for arn in self._arns():
                if uri in self.media_of(arn):
                    return self.ended(arn)
            time.sleep(0.05)
        raise AssertionError(f"no execution took up {uri}")

    def start(self, **request: Any) -> dict[str, Any]:
        """A new execution by hand, ended."""
        return self.ended(self.begin(**request))

    def begin(self, **request: Any) -> str:
        """The ARN of a new execution by hand."""
        answer = self.stepfunctions.start_execution(
            stateMachineArn=self.pipeline.state_machine_arn, input=json.dumps(request)
        )
        arn: str = answer["executionArn"]
        return arn

    def compact(self, rebuild: bool = False) -> dict[str, Any]:
        """A compaction, ended."""
        answer = self.stepfunctions.start_execution(
            stateMachineArn=self.pipeline.analysis_arn, input=json.dumps({"rebuild": rebuild})
        )
        return self.ended(answer["executionArn"])

    def until(self, happened: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert time.monotonic() < end
            time.sleep(0.02)

    def ended(self, arn: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            execution: dict[str, Any] = self.stepfunctions.describe_execution(executionArn=arn)
            if execution["status"] != "RUNNING":
                return execution
            time.sleep(0.05)
        raise AssertionError(f"{arn} did not end")

    def events(self, arn: str) -> list[dict[str, Any]]:
        pages = self.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]

    def children(self, execution: dict[str, Any], of: str = "TranscribeMedia") -> list[dict[str, Any]]:
        """The children of the execution's Map with the label `of`."""
        listed = self.stepfunctions.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        (run,) = (run for run in listed if f"/{of}:" in run["mapRunArn"])
        pages = self.stepfunctions.get_paginator("list_executions").paginate(mapRunArn=run["mapRunArn"])
        return [
            self.stepfunctions.describe_execution(executionArn=item["executionArn"])
            for page in pages
            for item in page["executions"]
        ]

    def states(self, arn: str) -> list[str]:
        events = self.events(arn)
        return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]

    def clinical(self, key: str) -> str:
        body: bytes = self.s3.get_object(Bucket=self.pipeline.clinical_bucket, Key=key)["Body"].read()
        return body.decode()

    def causes(self, execution: dict[str, Any]) -> list[tuple[str, str]]:
        """Error and cause of what failed, the children of the Maps included."""
        listed = self.stepfunctions.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        labels = [run["mapRunArn"].rpartition("/")[2].partition(":")[0] for run in listed]
        failed = [execution, *(child for label in labels for child in self.children(execution, of=label))]
        return [(item["error"], item.get("cause", "")) for item in failed if "error" in item]

    def summary(self, execution: dict[str, Any]) -> dict[str, Any]:
        assert execution["status"] == "SUCCEEDED", self.causes(execution)
        summary: dict[str, Any] = json.loads(self.clinical(f"batches/{execution['name']}/summary.json"))
        return summary

    def documents(self, prefix: str) -> list[dict[str, Any]]:
        """The JSON documents below a prefix of the clinical bucket."""
        listed = self.s3.list_objects_v2(Bucket=self.pipeline.clinical_bucket, Prefix=prefix).get("Contents", ())
        return [json.loads(self.clinical(item["Key"])) for item in listed]

    def records(self, user_id: str) -> list[dict[str, Any]]:
        listed = self.s3.list_objects_v2(Bucket=self.pipeline.clinical_bucket, Prefix="records/").get("Contents", ())
        rows = [json.loads(line) for item in listed for line in self.clinical(item["Key"]).splitlines()]
        return [row for row in rows if row["user_id"] == user_id]


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    pipeline = start_pipeline(local_assembly(), time_scale=0.002, longest_wait=0.1)
    yield pipeline
    pipeline.aws.stop()


@pytest.fixture(scope="module")
def instant(pipeline: Pipeline) -> Iterator[Engines]:
    engines = Engines()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcription_models, "engine", engines.transcribe)
        patch.setattr(transcription_models, "speakers", engines.speakers)
        patch.setattr(entity_jobs, "engine", engines.detect)
        yield engines


@pytest.fixture
def run(pipeline: Pipeline, instant: Engines) -> Iterator[Run]:
    yield Run(pipeline, instant)
    instant.seconds_per_job = 0.0
    instant.entity_errors = []
