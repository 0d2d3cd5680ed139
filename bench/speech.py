"""Measure the local speech engine: `python -m bench.speech`.

Word error rate, words per clinical term found, speed, memory, and whether two threads are faster than one.
The sample recordings are synthetic and the engine's vocabulary was tried on them; the human speech is read prose
from Debian's pocketsphinx-testdata (left out if not installed) and the moonshine-voice package, not clinical.
"""

import json
import re
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from moonshine_voice import get_assets_path  # type: ignore[import-untyped]
from numpy.typing import NDArray

from local.engines import speech
from local.engines.media import SAMPLE_RATE, decode
from local.engines.speech_pronunciation import spoken_words
from local.engines.speech_vocabulary import TERMS_FILE

_SAMPLES = Path(__file__).parents[1] / "samples"
_LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
_SHIPPED_WITH_MOONSHINE = {
    "beckett.wav": "ever tried ever failed no matter try again fail again fail better",
    "two_cities.wav": (
        "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness "
        "it was the epoch of belief it was the epoch of incredulity it was the season of light it was the season of "
        "darkness it was the spring of hope it was the winter of despair we had everything before us we had nothing "
        "before us we were all going direct to heaven we were all going direct the other way in short the period was "
        "so far like the present period that some of its noisiest authorities insisted on its being received for good "
        "or for evil in the superlative degree of comparison only"
    ),
}


@dataclass(frozen=True)
class Recording:
    text: str
    samples: NDArray[np.int16]


def main() -> None:
    before = time.perf_counter()
    speech.warm_up()
    print(f"models loaded in {time.perf_counter() - before:.2f} s")
    terms = {line.split("\t")[0] for line in TERMS_FILE.read_text("utf-8").splitlines() if not line.startswith("#")}
    for name, recordings in (("samples (synthetic)", _samples()), ("human (read prose)", _human())):
        _report(name, recordings, terms)
    _compare_threads(_samples()[:16])
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def word_errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """The number of substitutions, insertions and deletions between the two."""
    previous = list(range(len(heard) + 1))
    for row, expected in enumerate(reference, 1):
        current = [row]
        for column, word in enumerate(heard, 1):
            current.append(
                min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (0 if expected == word else 1))
            )
        previous = current
    return previous[-1]


def _report(name: str, recordings: list[Recording], terms: set[str]) -> None:
    errors = words = found = wanted = 0
    before, used = time.perf_counter(), time.process_time()
    heard = [[word.text for word in speech.transcribe(recording.samples)] for recording in recordings]
    elapsed, used = time.perf_counter() - before, time.process_time() - used
    for recording, hypothesis in zip(recordings, heard, strict=True):
        reference, actual = _normalized(recording.text.split()), _normalized(hypothesis)
        errors += word_errors(reference, actual)
        words += len(reference)
        said = f" {' '.join(reference)} "
        for term in terms:
            if f" {term} " in said:
                wanted += 1
                found += f" {term} " in f" {' '.join(actual)} "
    seconds = sum(len(recording.samples) for recording in recordings) / SAMPLE_RATE
    print(
        f"{name}: {len(recordings)} files, {seconds:.0f} s, {words} words: WER {errors / words:.1%}, clinical terms "
        f"{found}/{wanted}, real-time factor {elapsed / seconds:.2f} (processor time {used / seconds:.2f})"
    )


def _compare_threads(recordings: list[Recording]) -> None:
    samples = [recording.samples for recording in recordings]
    for threads in (1, 2):
        with ThreadPoolExecutor(threads, initializer=speech.warm_up) as pool:
            list(pool.map(speech.transcribe, samples[:threads]))
            before = time.perf_counter()
            list(pool.map(speech.transcribe, samples))
            print(f"{threads} thread(s): {len(samples)} recordings in {time.perf_counter() - before:.1f} s")


def _samples() -> list[Recording]:
    listed = json.loads((_SAMPLES / "recordings.json").read_text("utf-8"))
    return [
        _recording(_SAMPLES / "media" / entry["user_id"] / entry["file"], entry["text"])
        for entry in listed
        if entry["expected"] == "transcribed"
    ]


def _human() -> list[Recording]:
    recordings = [_recording(Path(get_assets_path()) / file, text) for file, text in _SHIPPED_WITH_MOONSHINE.items()]
    if _LIBRIVOX.exists():
        for line in (_LIBRIVOX / "transcription").read_text().splitlines():
            if match := re.fullmatch(r"<s> (.*) </s> \((.*)\)", line):
                recordings.append(_recording(_LIBRIVOX / f"{match[2]}.wav", match[1]))
    return recordings


def _recording(file: Path, text: str) -> Recording:
    return Recording(text, decode(file.read_bytes()).mono())


def _normalized(words: Sequence[str]) -> list[str]:
    """Lower case, no punctuation, numbers and units in words, title abbreviations as spoken."""
    spoken = [each for word in words for each in spoken_words(word.replace("-", " "))]
    return ["mister" if word == "mr" else word for word in spoken]


if __name__ == "__main__":
    main()
