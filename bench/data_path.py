"""Measures speed and memory of the functions' data processing against plain code with the standard library.

    python -m bench.data_path

Each side runs in its own process, in turn, and reads files through S3's response type (botocore's StreamingBody); only
the network is missing. Processor time counts. Both sides must have the same result. Our side is the functions' own
code. Both sides use the same code to find an entity's words in the transcript: row 9 leaves it out, and also gives the
ratio with it.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from botocore.response import StreamingBody

from bench.peers import plain_data_path as plain
from bench.table import Row

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
# Importing the functions reads settings from the environment; no call is made.
from lambdas import index_records
from lambdas.cohorts.cohort_rules import Cohort, checks_of, met, rules_of
from lambdas.entities import documents
from lambdas.entities.detected import read_output
from lambdas.entities.records import entity_records
from lambdas.shared import storage
from lambdas.shared.state import IndexLine, PlannedRecording
from lambdas.transcript.transcripts import read_speech
from lambdas.transcript.words import Words

ROUNDS = 3
# These take seconds and run once; the others are repeated, and the quickest counts.
ONCE = ("flatten", "placed", "seeds")
PEAK_GOAL_MIB = 64
GROWTH_GOAL = 1.1
GOALS = {"flatten": 5.0, "transcript": 20.0, "cut": 7.0, "seeds": 5.0}
LIMIT_BYTES = 40_000

WRITTEN = datetime(2026, 11, 27, tzinfo=UTC)
SENTENCE = (
    "patient reports a history of hypertension and diabetes with chest pain denies fever takes metformin daily "
    "lisinopril blood pressure lungs clear follow up in two weeks"
)
WORDS = SENTENCE.split()
CATEGORIES = (
    ("MEDICAL_CONDITION", "DX_NAME"),
    ("MEDICATION", "GENERIC_NAME"),
    ("ANATOMY", "SYSTEM_ORGAN_SITE"),
    ("TEST_TREATMENT_PROCEDURE", "TEST_NAME"),
    ("PROTECTED_HEALTH_INFORMATION", "DATE"),
)
RECORDING: PlannedRecording = {
    "object_id": "c" * 32,
    "reused": False,
    "user_id": "p-001",
    "media_id": "a" * 32,
    "uri": "s3://media/media/p-001/visit.wav",
    "uploaded_at": "2026-11-22T10:00:00+00:00",
    "audience_consent": True,
    "transcript_id": "b" * 32,
}
DOCUMENT: IndexLine = {
    "document": f"{'a' * 32}-0000.txt",
    "media_id": "a" * 32,
    "offset": 0,
    "characters": 0,
    "job": None,
}
WITHOUT_WORDS = Words({"results": {"transcripts": [{"transcript": ""}]}})
COHORTS: list[Cohort] = [
    {
        "name": "hypertension",
        "category": "MEDICAL_CONDITION",
        "terms": ["hypertension", "high blood *"],
        "excluded_traits": ["NEGATION", "PERTAINS_TO_FAMILY"],
        "minimum_score": 0.5,
        "minimum_seed_size": 25,
        "export": None,
    },
    {
        "name": "metformin",
        "category": "MEDICATION",
        "terms": ["metformin"],
        "excluded_traits": ["NEGATION"],
        "minimum_score": 0.5,
        "minimum_seed_size": 25,
        "export": None,
    },
]


class Folder:
    """The part of S3's client that the functions use, over a folder; each object's content is repeated `times`."""

    def __init__(self, folder: Path, times: int = 1) -> None:
        self._folder, self._times = folder, times
        self.bytes_read = 0
        self.bytes_written = 0
        self.last = b""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        path = self._folder / Key
        size = path.stat().st_size
        self.bytes_read += size
        body = StreamingBody(path.open("rb", buffering=0), size)
        return {"Body": body, "Metadata": {}, "LastModified": WRITTEN}

    def put_object(self, *, Body: bytes, **_: Any) -> None:
        self.bytes_written += len(Body)
        self.last = Body

    def get_paginator(self, _: str) -> "Folder":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[Mapping[str, Any]]:
        # Most prefixes have no objects.
        paths = (self._folder / Prefix).iterdir() if (self._folder / Prefix).is_dir() else ()
        keys = sorted(path.relative_to(self._folder).as_posix() for path in paths)
        for _ in range(self._times):
            yield {"Contents": [{"Key": key} for key in keys]}


def transcript(words: int) -> bytes:
    """A transcript of so many words, in the shape of Transcribe Medical."""
    chosen = random.Random(words)
    items: list[dict[str, Any]] = []
    text, seconds = "", 0.0
    for number in range(words):
        word, length = chosen.choice(WORDS), chosen.uniform(0.1, 0.5)
        alternative = {"confidence": f"{chosen.random():.4f}", "content": word}
        times = {"start_time": f"{seconds:.3f}", "end_time": f"{seconds + length:.3f}"}
        items.append({"type": "pronunciation", "alternatives": [alternative], **times})
        text += f" {word}" if text else word
        seconds += length
        if number % 12 == 11:
            items.append({"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": "."}]})
            text += "."
    results = {"transcripts": [{"transcript": text}], "items": items}
    return json.dumps({"jobName": "job", "status": "COMPLETED", "results": results}, separators=(",", ":")).encode()


def output(words: Words, entities: int, seed: int) -> bytes:
    """An output of Comprehend Medical over a transcript; a quarter of them has two words, a fifth an attribute."""
    chosen = random.Random(seed)
    found = []
    for number in range(entities):
        first = chosen.randrange(len(words.words) - 1)
        last = first + (chosen.random() < 0.25)
        begin, end = words.words[first].begin, words.words[last].end
        category, kind = chosen.choice(CATEGORIES)
        place = {"BeginOffset": begin, "EndOffset": end}
        traits = [{"Name": chosen.choice(("NEGATION", "DIAGNOSIS", "SYMPTOM")), "Score": chosen.random()}]
        entity = {
            "Id": number,
            **place,
            "Score": chosen.random(),
            "Text": words.text[begin:end],
            "Category": category,
            "Type": kind,
        }
        entity["Traits"] = traits if chosen.random() < 0.5 else []
        if category == "MEDICATION":
            dose = {"Type": "DOSAGE", "Category": category, "Text": "500 mg", "Id": number, "Score": chosen.random()}
            relation = {"RelationshipType": "DOSAGE", "RelationshipScore": chosen.random(), "Traits": []}
            entity["Attributes"] = [{**dose, **relation, **place}]
        found.append(entity)
    return json.dumps({"Entities": found, "UnmappedAttributes": [], "ModelVersion": "2.1.0"}).encode()


def make_inputs(folder: Path) -> None:
    """Write the inputs: outputs, transcripts and records, some 100 MB."""
    (folder / "outputs").mkdir()
    (folder / "records").mkdir()
    (folder / "document.json").write_bytes(transcript(5_000))
    (folder / "transcript.json").write_bytes(transcript(160_000))
    words = words_in(folder)
    for number in range(50):
        (folder / f"outputs/{number:03}").write_bytes(output(words, 500, number))
    for number in range(1_000):
        body = output(words, 100, 1_000 + number)
        records = plain.flatten({**RECORDING, "user_id": f"p-{number:06}"}, DOCUMENT, body, words)
        (folder / f"records/{number:03}").write_bytes(records)


def words_in(folder: Path) -> Words:
    return Words(json.loads((folder / "document.json").read_bytes()))


def flatten_ours(folder: Path, megabytes: int, words: Words = WITHOUT_WORDS) -> Any:
    s3 = use(Folder(folder))

    def run() -> list[Any]:
        for key in keys(s3, megabytes):
            found = read_output(storage.read_bytes("clinical", key))
            records = list(entity_records(RECORDING, DOCUMENT, found, words))
            storage.write_json_lines("clinical", "records", records)
        return written_and_last(s3)

    return run


def flatten_plain(folder: Path, megabytes: int, words: Words = WITHOUT_WORDS) -> Any:
    s3 = Folder(folder)

    def run() -> list[Any]:
        for key in keys(s3, megabytes):
            body = s3.get_object(Bucket="clinical", Key=key)["Body"].read()
            s3.put_object(Body=plain.flatten(RECORDING, DOCUMENT, body, words))
        return written_and_last(s3)

    return run


def written_and_last(s3: Folder) -> list[Any]:
    """About how much was written, and the last object, parsed because numbers may be written differently."""
    return [round(s3.bytes_written, -6), [json.loads(line) for line in s3.last.splitlines()]]


def keys(s3: Folder, megabytes: int) -> Iterator[str]:
    while True:
        for page in s3.paginate(Bucket="clinical", Prefix="outputs"):
            for item in page["Contents"]:
                yield item["Key"]
                if s3.bytes_read >= megabytes * 1e6:
                    return


def use(s3: Folder) -> Folder:
    storage.s3 = s3  # type: ignore[assignment]
    return s3


def transcript_ours(folder: Path, _: int) -> Any:
    body = (folder / "transcript.json").read_bytes()
    return lambda: list(read_speech(body))


def transcript_plain(folder: Path, _: int) -> Any:
    body = (folder / "transcript.json").read_bytes()
    return lambda: list(plain.speech(body))


def cut_ours(folder: Path, _: int) -> Any:
    text = read_speech((folder / "transcript.json").read_bytes()).text * 10
    return lambda: sum(1 for _ in documents.cut(text, LIMIT_BYTES))


def cut_plain(folder: Path, _: int) -> Any:
    text = read_speech((folder / "transcript.json").read_bytes()).text * 10
    return lambda: sum(1 for _ in plain.cut(text, LIMIT_BYTES))


def seeds_ours(folder: Path, _: int) -> Any:
    """As a rebuild reads records into the indexes, without the ledger's calls, which the peer doesn't make."""
    use(Folder(folder, times=10))
    checks = checks_of({cohort["name"]: rules_of(cohort) for cohort in COHORTS})

    def run() -> dict[str, list[str]]:
        members: dict[str, set[str]] = {cohort["name"]: set() for cohort in COHORTS}
        for key in storage.list_keys("clinical", "records"):
            found = index_records.read_records("clinical", key).found
            for name in met(checks, found):
                members[name].add(found[0].user_id)
        return sorted_members(members)

    return run


def seeds_plain(folder: Path, _: int) -> Any:
    s3 = Folder(folder, times=10)

    def lines() -> Iterator[bytes]:
        for page in s3.paginate(Bucket="clinical", Prefix="records"):
            for item in page["Contents"]:
                yield from s3.get_object(Bucket="clinical", Key=item["Key"])["Body"].iter_lines(chunk_size=1 << 20)

    return lambda: sorted_members(plain.members(COHORTS, lines()))


def sorted_members(members: Mapping[str, set[str]]) -> dict[str, list[str]]:
    return {name: sorted(user_ids) for name, user_ids in members.items()}


SIDES: Mapping[str, tuple[Callable[[Path, int], Any], Callable[[Path, int], Any]]] = {
    "flatten": (flatten_ours, flatten_plain),
    "placed": (
        lambda folder, megabytes: flatten_ours(folder, megabytes, words_in(folder)),
        lambda folder, megabytes: flatten_plain(folder, megabytes, words_in(folder)),
    ),
    "transcript": (transcript_ours, transcript_plain),
    "cut": (cut_ours, cut_plain),
    "seeds": (seeds_ours, seeds_plain),
}


def measure_here(task: str, side: int, folder: Path, megabytes: int) -> dict[str, Any]:
    """Processor seconds, peak memory and the result of one side, for the process that was started for it."""
    run = SIDES[task][side](folder, megabytes)
    times = []
    for _ in range(1 if task in ONCE else 3):
        begin = time.process_time()
        result = run()
        times.append(time.process_time() - begin)
    return {"seconds": min(times), "peak_mib": peak_mib(), "result": result}


def peak_mib() -> float:
    """The peak memory of this process since its program started."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts what the process that started this one had
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def measure(task: str, side: int, folder: Path, megabytes: int = 100) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.data_path", "--one", task, str(side), str(folder), str(megabytes)]
    environment = os.environ | {"AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_METRICS_NAMESPACE": "Bench"}
    answer = subprocess.run(command, env=environment, capture_output=True, check=True, cwd=Path(__file__).parents[1])
    measured: dict[str, Any] = json.load(BytesIO(answer.stdout))
    return measured


def compared(task: str, folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Our runs and the peer's, taken in turn.

    Raises:
        ValueError: the results differ.
    """
    ours, peer = [], []
    for _ in range(ROUNDS):
        ours.append(measure(task, 0, folder))
        peer.append(measure(task, 1, folder))
        # Both cut at sentence ends, but ours fills documents further, so the numbers differ slightly.
        if task != "cut" and ours[-1]["result"] != peer[-1]["result"]:
            raise ValueError(f"{task}: the two sides come to different results.")
    return ours, peer


def speed(ours: list[dict[str, Any]], peer: list[dict[str, Any]]) -> float:
    """The peer's time divided by ours: the median of the pairs."""
    ratios = [other["seconds"] / own["seconds"] for own, other in zip(ours, peer, strict=True)]
    return float(median(ratios))


WHAT = {
    "flatten": ("9", "100 MB of Comprehend Medical's output to records", "36 (only reading)"),
    "transcript": ("10", "text and length out of a transcript of 25 MB", "going over it once"),
    "cut": ("10", "10 MB of text cut into documents", "encoding it once"),
    "seeds": ("10", "members of two cohorts among 1,000,000 records", "reading the lines"),
}


def rows() -> Iterator[Row]:
    """Row 9 and the three of 10; the ratio is how many times as fast, the median of pairs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder)
        for task, (number, what, limit) in WHAT.items():
            ours, peer = compared(task, folder)
            ratio = speed(ours, peer)
            met, goal, memory = ratio >= GOALS[task], f">= {GOALS[task]:g}", ""
            if task == "flatten":
                peak = median(one["peak_mib"] for one in ours)
                growth = measure(task, 0, folder, 1_000)["peak_mib"] / peak
                placed = compared("placed", folder)
                memory = (
                    f", peak {peak:.0f} MiB, with 1 GB {growth:.2f} times that; with the words {speed(*placed):.1f}"
                )
                goal += f", <= {PEAK_GOAL_MIB} MiB, <= {GROWTH_GOAL} times that"
                met = met and peak <= PEAK_GOAL_MIB and growth <= GROWTH_GOAL
            yield Row(
                number=number,
                what=what,
                ours=f"{median(one['seconds'] for one in ours):.3f} s{memory}",
                peer=f"{median(one['seconds'] for one in peer):.3f} s",
                ratio=f"{ratio:.1f} times as fast",
                limit=limit,
                goal=goal,
                met=met,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and memory of the functions' data path.")
    parser.add_argument("--one", nargs=4, metavar=("TASK", "SIDE", "FOLDER", "MEGABYTES"), help="one side of one task")
    one = parser.parse_args().one
    if one:
        task, side, folder, megabytes = one
        print(json.dumps(measure_here(task, int(side), Path(folder), int(megabytes))))
        return
    for row in rows():
        print(*row, sep=" | ")


if __name__ == "__main__":
    main()
