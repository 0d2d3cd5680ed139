"""What people and services do in a scenario, in either world; after each step the world has come to rest."""

from typing import Protocol

from tests.simulation.jobs import CORRUPT

# Jobs that may fail, and the services that a permission may be missing for.
TRANSCRIPTION, DETECTION, LAST_DOCUMENT, GENERATION = (
    *("transcription", "entity detection", "last document"),
    "audience generation",
)
TRANSCRIBE, S3, CLEAN_ROOMS_ML = "transcribe", "s3", "cleanroomsml"
SAYS, LONG, SILENT, EMPTY, CORRUPT_FILE = "says", "long", "silent", "empty", "corrupt"
# The bodies that are the same bytes in both worlds.
BODIES = {EMPTY: b"", CORRUPT_FILE: CORRUPT}


def key(name: str) -> str:
    return f"media/p-{name}/{name}.wav"


def said(name: str, number: int, how: str) -> str:
    """The words of a recording's version, which are in no other; the sentences of a long one fill two documents."""
    if how == SILENT:
        return " "
    sentences = 2 if how == LONG else 1
    return " ".join(f"{name}-{number}-{part}-{'x' * 20} {name}-{number}-{part}-end." for part in range(sentences))


class Steps(Protocol):
    """People are called by three digits: the model's population has them."""

    def upload(self, name: str, how: str = SAYS, *, consent: bool = False) -> None:
        """A new version of somebody's recording, and S3's event, which starts an execution."""

    def put(self, name: str, how: str = SAYS, *, consent: bool = False) -> None:
        """A new version, about which no event comes."""

    def send_again(self, name: str) -> None:
        """S3's event about the last upload comes once more."""

    def start(self, *names: str, reprocess: bool = False) -> None:
        """An execution by hand."""

    def start_and_stop(self, *names: str) -> None:
        """An execution by hand that is stopped while it watches all of its transcription jobs."""

    def redrive(self) -> None:
        """The last execution that is red."""

    def start_anew(self) -> None:
        """A new execution with the input of the last one that is red."""

    def fail_next(self, kind: str) -> None:
        """The next job of this kind fails for a reason on the service's side, or the last document of the next job."""

    def deny(self, service: str) -> None:
        """No function has a permission for the service."""

    def allow(self, service: str) -> None: ...

    def suppress(self, name: str) -> None: ...

    def forget(self, name: str) -> None: ...
