"""Faults that somebody might make: each has to be found by storms, or a million of them prove little.

Those of the interleavings, and some that only the whole shows: of the queue, the turns, redrives and forgetting.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from lambdas import ingest, prepare_documents, select_seeds, transcribe_medical
from lambdas.entities.findings import findings
from lambdas.planning import turns
from lambdas.searching.traces import Traces
from lambdas.shared import jobs
from lambdas.shared.errors import JobFailed
from lambdas.shared.storage import list_keys, read_bytes
from operations.forgetting import at_work, ledger, removal
from operations.forgetting.found import search_and_remove
from tests.interleavings import mutations
from tests.interleavings.mutations import Plant
from tests.storms.history import play


class Mutation(NamedTuple):
    """`is_frequent` if a few hundred histories find it."""

    name: str
    plant: Plant
    is_frequent: bool = False


class Found(NamedTuple):
    """`seed` is the first history that violates something which it doesn't without the mutation."""

    mutation: str
    seed: int | None
    kind: str
    seconds: float


def find(mutation: Mutation, most: int, first: int = 0) -> Found:
    begun = time.process_time()
    for seed in range(first, first + most):
        with pytest.MonkeyPatch.context() as patch:
            mutation.plant(patch)
            history = play(seed)
        if history.violations and not play(seed).violations:
            return Found(mutation.name, seed, history.violations[0].kind, time.process_time() - begun)
    return Found(mutation.name, None, "", time.process_time() - begun)


# The queue and the turns


def message_that_is_done_whatever_came_of_it(patch: pytest.MonkeyPatch) -> None:
    handler = ingest.handler

    def done(event: Any, context: object) -> dict[str, Any]:
        return {**handler(event, context), "batchItemFailures": []}

    patch.setattr(ingest, "handler", done)


def turn_for_everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(turns, "has_room", lambda holders, recordings, jobs: True)


def token_that_nobody_answers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(turns, "answer", lambda execution, token: None)
    patch.setattr("lambdas.wait_for_turn.answer", lambda execution, token: None)
    patch.setattr("lambdas.share_jobs.answer", lambda execution, token: None)


# Redrives


def failed_job_that_stays_failed(patch: pytest.MonkeyPatch) -> None:
    """A redrive finds the failed job and starts no other."""

    def failed(job: jobs.Job, redrive_count: int, reason: str) -> jobs.Job:
        raise JobFailed(reason)

    patch.setattr(jobs, "failed", failed)


def attempt_that_is_always_the_first(patch: pytest.MonkeyPatch) -> None:
    """The next attempt has the name of the one that failed."""
    job_name = transcribe_medical.job_name
    patch.setattr(transcribe_medical, "job_name", lambda recording, attempt: job_name(recording, 0))


# People


def seed_that_keeps_who_has_left(patch: pytest.MonkeyPatch) -> None:
    current_seed = select_seeds.current_seed

    def kept(audience: str, cohort: str, user_ids: set[str], last: Any) -> Any:
        return last.seed or current_seed(audience, cohort, user_ids, last)

    patch.setattr(select_seeds, "current_seed", kept)


def functions_that_forgetting_does_not_wait_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(at_work, "wait_for_functions", lambda deployed, user_ids, say: None)
    patch.setattr(at_work, "holding", lambda deployed, executions, user_ids: [])


def older_versions_that_are_left(patch: pytest.MonkeyPatch) -> None:
    """Forgetting removes the current versions only."""
    remove_whole = removal.remove_whole

    def newest(deployed: Any, objects: Any, tick: Any) -> int:
        return remove_whole(deployed, [one for one in objects if one.version.is_latest], tick)

    patch.setattr(removal, "remove_whole", newest)


def memberships_that_are_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "delete_items", lambda deployed, items: None)


def search_that_is_believed_unseen(patch: pytest.MonkeyPatch) -> None:
    """Forgetting follows its items and searches for nothing more."""

    def nothing(deployed: Any, traces: Any, report: Any, done: Any) -> Any:
        return search_and_remove(deployed, Traces(["nobody"]), report, done)

    patch.setattr("operations.forgetting.forget.search_and_remove", nothing)


def rejection_that_names_its_patient(patch: pytest.MonkeyPatch) -> None:
    reject = transcribe_medical.reject

    def naming(recording: Any, job: jobs.Job, reason: str) -> jobs.Job:
        return reject(recording, job, f"{recording['uri']}: {reason}")

    patch.setattr(transcribe_medical, "reject", naming)


# What was said


def text_in_the_state(patch: pytest.MonkeyPatch) -> None:
    handler = prepare_documents.handler

    def telling(event: Any, context: object) -> Any:
        prepared = handler(event, context)
        bucket = event["batch"]["bucket"]
        key = next(list_keys(bucket, "documents/"), "")
        return {**prepared, "first": read_bytes(bucket, key).decode() if key else ""}

    patch.setattr(prepare_documents, "handler", telling)


def text_in_an_error(patch: pytest.MonkeyPatch) -> None:
    """Something that can't be used is shown in the error about it."""

    def telling(*given: Any) -> Any:
        found = findings(*given)
        if found.records and len(found.records) > 1:
            raise ValueError(str(found.records[0]))
        return found

    patch.setattr("lambdas.collect_entities.findings", telling)


_OWN: list[tuple[str, Callable[[pytest.MonkeyPatch], None]]] = [
    ("a message is done, whatever came of it", message_that_is_done_whatever_came_of_it),
    ("everybody has a turn", turn_for_everybody),
    ("nobody answers a token", token_that_nobody_answers),
    ("a failed job stays failed", failed_job_that_stays_failed),
    ("the next attempt has the first one's name", attempt_that_is_always_the_first),
    ("a seed keeps who has left", seed_that_keeps_who_has_left),
    ("forgetting waits for no function", functions_that_forgetting_does_not_wait_for),
    ("older versions are left", older_versions_that_are_left),
    ("items of a forgotten patient are left", memberships_that_are_left),
    ("a search looks for nobody", search_that_is_believed_unseen),
    ("a rejection names its patient", rejection_that_names_its_patient),
    ("what was said is in the state", text_in_the_state),
    ("what was said is in an error", text_in_an_error),
]
# What more than two hundred histories find; the others take thousands, or two calls in an order that only the
# interleavings try.
_RARE = {
    *("a claim is written without its condition", "a taker doesn't fence", "a job is answered for at any generation"),
    *("a job is answered for after its start", "an entity detection job isn't found again", "a replacement isn't seen"),
    *("an older version is planned over a newer one", "what was recorded outlives its version"),
    *("records are looked at after the ledger", "a recording is finished at any sequence"),
    *("a commit reads the list of indexes early", "a rebuild reads the list of indexes early"),
    *("a rebuild writes at any sequence", "everybody has a turn", "forgetting waits for no function"),
    *("older versions are left", "a search looks for nobody", "a rejection names its patient"),
}
MUTATIONS = [
    Mutation(name, plant, name not in _RARE)
    for name, plant in (*((item.name, item.plant) for item in mutations.MUTATIONS), *_OWN)
]
