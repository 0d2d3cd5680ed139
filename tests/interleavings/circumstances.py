"""What a schedule begins with besides its scenario."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

# What may go wrong with any call of an execution: its step fails for good, or is repeated, each before the call is made
# or after it; or the SDK repeats a write whose answer was lost.
REPEATED = "sdk repeat"
CALL_FAULTS = ("outage", "outage after", "killed", "killed after", REPEATED)
# What may become of a job.
JOB_FAULTS = ("transcription", "entity detection", "last document")


@dataclass
class Options:
    """What AWS leaves open, and how many faults of each kind chance may bring."""

    etags_by_content: bool = False
    reads_late: bool = False
    faults: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        words = [name for name, is_so in (("content", self.etags_by_content), ("late", self.reads_late)) if is_so]
        return ", ".join([*words, *sorted(self.faults.elements())])

    @staticmethod
    def read(text: str) -> "Options":
        words = Counter(word for word in text.split(", ") if word)
        return Options(bool(words.pop("content", 0)), bool(words.pop("late", 0)), words)


class Failure(NamedTuple):
    """The so manyth call of an execution fails for good: before it is made, or (`after`) only its answer is lost."""

    execution: str
    call: int
    after: bool
