"""Benchmark 12: the local AWS's overhead per recording with instant engines, and its growth.

Recordings of a second go from the bucket through the synthesized stack to the summary; the engines answer at once, and
waits are minimal. Without consent no audience is generated, whose cost is per cohort, not per recording.

    python -m bench.local_pipeline [FEW MANY]
"""

import argparse
import io
import json
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from bench.table import Row, as_table
from local.deployment import synthesize
from local.engines.speech import Word
from local.pipeline import ENVIRONMENT, Pipeline, start_pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import models as transcription_models

FEW, MANY = 100, 1000
PATIENCE_SECONDS = 600
SPOKEN = ["patient", "has", "hypertension"]


def transcribe(samples: NDArray[np.int16]) -> list[Word]:
    return [Word(word, number / 4, (number + 1) / 4, 0.9, "") for number, word in enumerate(SPOKEN)]


def speakers(samples: NDArray[np.int16], words: Sequence[Word], most: int) -> list[int]:
    return [0] * len(words)


def detect(text: str) -> dict[str, Any]:
    begin = text.lower().find(SPOKEN[-1])
    entity = {
        "Id": 0,
        "BeginOffset": begin,
        "EndOffset": begin + len(SPOKEN[-1]),
        "Score": 0.9,
        "Text": SPOKEN[-1],
        "Category": "MEDICAL_CONDITION",
        "Type": "DX_NAME",
        "Traits": [],
        "Attributes": [],
    }
    return {"Entities": [entity], "UnmappedAttributes": [], "ModelVersion": "bench"}


def recording(number: int) -> bytes:
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.full(16_000, number, np.int16).tobytes())
    return body.getvalue()


def seconds_for(count: int, assembly: Path) -> float:
    """From the first upload to the end of the last execution, on a local AWS of its own.

    Raises:
        RuntimeError: an execution failed, or a recording has no transcript after ten minutes.
    """
    with (
        patch.object(transcription_models, "engine", transcribe),
        patch.object(transcription_models, "speakers", speakers),
        patch.object(entity_jobs, "engine", detect),
    ):
        pipeline = start_pipeline(assembly, time_scale=0.002, longest_wait=0.1)
        try:
            begun = time.monotonic()
            drop(pipeline, count)
            wait_for(pipeline, count)
            return time.monotonic() - begun
        finally:
            pipeline.aws.stop()


def drop(pipeline: Pipeline, count: int) -> None:
    s3 = pipeline.aws.client("s3")
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda number: s3.put_object(
                    Bucket=pipeline.media_bucket, Key=f"media/p-{number:04}/visit.wav", Body=recording(number)
                ),
                range(count),
            )
        )


def wait_for(pipeline: Pipeline, count: int) -> None:
    stepfunctions = pipeline.aws.client("stepfunctions")
    transcribed: dict[str, int] = {}
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        pages = stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=pipeline.state_machine_arn)
        for item in (item for page in pages for item in page["executions"]):
            if item["status"] == "RUNNING" or item["executionArn"] in transcribed:
                continue
            described = stepfunctions.describe_execution(executionArn=item["executionArn"])
            if item["status"] != "SUCCEEDED":
                raise RuntimeError(
                    f"execution {item['name']} of the local pipeline is {item['status']}: "
                    f"{described.get('error')}: {described.get('cause', '')[:200]}"
                )
            transcribed[item["executionArn"]] = json.loads(described["output"])["transcribed"]
        if sum(transcribed.values()) == count:
            return
        time.sleep(0.5)
    raise RuntimeError(f"{sum(transcribed.values())} of {count} recordings have a transcript after 10 minutes")


def rows(few: int = FEW, many: int = MANY) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        assembly = synthesize(ENVIRONMENT, Path(folder))
        small, large = seconds_for(few, assembly) / few, seconds_for(many, assembly) / many
    yield Row(
        "12",
        f"the local pipeline with instant engines: overhead per recording, {few} and {many:,} recordings",
        f"{1000 * small:.0f} and {1000 * large:.0f} ms",
        "",
        f"{large / small:.2f}",
        "",
        "growth <= 1.00",
        large <= small,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="The local pipeline's overhead per recording.")
    parser.add_argument("few", type=int, nargs="?", default=FEW)
    parser.add_argument("many", type=int, nargs="?", default=MANY)
    arguments = parser.parse_args()
    print(as_table(rows(arguments.few, arguments.many)))


if __name__ == "__main__":
    main()
