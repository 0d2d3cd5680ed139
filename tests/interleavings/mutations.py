"""Faults that somebody might make in the functions: each has to be found, or the check is worth nothing."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

import greenlet  # type: ignore[import-untyped]
import pytest

from lambdas import (
    clean_rooms_ml,
    collect_entities,
    comprehend_medical,
    index_records,
    plan_batch,
    prepare_cohorts,
    prepare_documents,
    select_seeds,
    summarize_batch,
    transcribe_medical,
)
from lambdas.cohorts.indexes import Index, Indexes, read_indexes, reconciled
from lambdas.entities import jobs as entity_jobs
from lambdas.entities import new_jobs
from lambdas.planning import claims, versions
from lambdas.shared import claim_items, ledger_keys, object_items
from lambdas.shared.identity import digest
from lambdas.shared.layout import object_id_of
from lambdas.shared.ledger import Change, write, write_together, write_with
from lambdas.shared.members import Membership
from lambdas.shared.object_items import ObjectItem, plan, read_object, replace
from lambdas.shared.storage import find_head
from tests.simulation.rest import (
    CONSENT,
    COUNTS,
    ELSEWHERE,
    GENERATED,
    LOST,
    MEMBERS,
    NAMINGS,
    OLD,
    OTHER_WORDS,
    OUTCOMES,
    PAID,
    TRANSCRIBED,
)

Plant = Callable[[pytest.MonkeyPatch], None]
# Where the first execution fails, and the scenario in which a recording is replaced while two work on it.
NOWHERE, START, POLL, COLLECT = "", "StartEntityDetection", "PollEntityDetection", "CollectEntities"
REPLACED = "replaced meanwhile"
REBUILT = "rules that come back"


class Mutation(NamedTuple):
    """What is planted, the scenario that finds it, and as what.

    `step` says where the first execution has to fail, empty for nowhere; None for wherever it may.
    """

    name: str
    plant: Plant
    scenario: str
    kinds: tuple[str, ...]
    step: str | None = None


# Claims


def claim_without_condition(patch: pytest.MonkeyPatch) -> None:
    def together(changes: Sequence[Change]) -> bool:
        return write_together([change._replace(expected={}) if change.put else change for change in changes])

    patch.setattr(claims, "write_together", together)


def taker_that_does_not_fence(patch: pytest.MonkeyPatch) -> None:
    """It takes an execution's recordings without moving that on."""

    def move_on(execution: str, expected: int | None = None) -> Change:
        return Change(ledger_keys.execution_key(execution), add={"generation": 1 if expected is None else 0})

    patch.setattr(claim_items, "_move_on", move_on)


def jobs_that_are_not_inherited(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claims.Claims, "_covering", lambda self, pool, jobs: {})


def patients_that_are_not_noted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan_batch, "note_patients", lambda pool, execution, recordings: None)


# Jobs


def job_at_any_generation(patch: pytest.MonkeyPatch) -> None:
    def answer_for(execution: str, job: str, generation: int) -> bool:
        return write(Change(ledger_keys.execution_key(execution), add={"jobs": {job}})) is not None

    patch.setattr(comprehend_medical, "answer_for", answer_for)


def job_that_is_answered_for_after_its_start(patch: pytest.MonkeyPatch) -> None:
    start = comprehend_medical.start
    patch.setattr(comprehend_medical, "answer_for", lambda execution, job, generation: True)

    def late(event: dict[str, Any], context: object) -> Any:
        started = start(event, context)
        documents = event["documents"]
        if base := documents["new"]["base"]:
            claim_items.answer_for(event["batch_id"], base, documents["generation"])
        return started

    patch.setattr(comprehend_medical, "start", late)


def finished_document_that_is_not_covered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entity_jobs, "finished_documents", lambda bucket, output: set())


def missing_document_that_is_covered(patch: pytest.MonkeyPatch) -> None:
    """As if a job that has ended had looked at all its documents."""
    patch.setattr(entity_jobs, "finished_documents", lambda bucket, output: None)


def base_that_does_not_tell_what_was_tried(patch: pytest.MonkeyPatch) -> None:
    def forgetful(*parts: str) -> str:
        return digest(*parts[: parts.index("known")] if "known" in parts else parts)

    patch.setattr(new_jobs, "digest", forgetful)


def job_that_is_not_found_again(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(comprehend_medical, "digest", lambda *parts: f"token-{next(numbers)}")
    patch.setattr(comprehend_medical, "find_jobs", lambda wanted: [])


def transcription_under_another_name(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(transcribe_medical, "job_name", lambda event, attempt: f"clinical-media-test-{next(numbers)}")


def generation_under_another_name(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(clean_rooms_ml, "name_of", lambda *parts: f"clinical-media-test-{next(numbers)}")


# Objects and their records


def version_over_a_newer_one(patch: pytest.MonkeyPatch) -> None:
    """What is planned is written, whatever was planned since the bucket was looked at."""
    _change_plans(patch, lambda change: change._replace(expected={}))


def records_that_outlive_their_version(patch: pytest.MonkeyPatch) -> None:
    """What was recorded isn't taken away when another version is planned."""
    _change_plans(patch, lambda change: change._replace(remove=[name for name in change.remove if name == "indexes"]))


def _change_plans(patch: pytest.MonkeyPatch, otherwise: Callable[[Change], Change]) -> None:
    _change_objects(patch, lambda change: otherwise(change) if "version" in change.put else change)


def _change_objects(patch: pytest.MonkeyPatch, otherwise: Callable[[Change], Change]) -> None:
    patch.setattr(object_items, "write_with", lambda change, others: write_with(otherwise(change), others))


def finished_work_that_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(versions, "_recorded", lambda found, seen: "")


def head_after_the_ledger(patch: pytest.MonkeyPatch) -> None:
    """The records are looked at after the item, so they may be others than those that it tells of."""
    items: dict[object, ObjectItem] = {}

    def late(bucket: str, key: str) -> Mapping[str, Any] | None:
        items[greenlet.getcurrent()] = read_object(object_id_of(key))
        return find_head(bucket, key)

    patch.setattr(collect_entities, "find_head", late)
    patch.setattr(collect_entities, "read_object", lambda object_id: items[greenlet.getcurrent()])


def recorded_at_any_sequence(patch: pytest.MonkeyPatch) -> None:
    _change_objects(patch, lambda change: change if "version" in change.put else change._replace(expected={}))


def records_of_any_version(patch: pytest.MonkeyPatch) -> None:
    """Whether a newer version was planned meanwhile isn't looked at when the records are written."""

    class Any_(str):
        def __ne__(self, other: object) -> bool:
            return False

    patch.setattr(collect_entities, "read_object", lambda one: read_object(one)._replace(version=Any_()))


def records_that_are_not_written(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(collect_entities, "write_records", lambda *given, **named: True)


def replacement_that_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(prepare_documents, "replaced", lambda recording: False)


# People and summaries


def suppression_that_is_not_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(select_seeds, "read_suppressed", lambda audience: {})


def consent_that_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    """Only the records say who has consented."""

    def planned(object_id: str, seen: ObjectItem, version: str, recorded: str, *, consents: bool) -> bool:
        return plan(object_id, seen, version, recorded, consents=True)

    patch.setattr(versions, "plan", planned)


# Indexes of cohorts


def list_of_indexes_before_the_records(patch: pytest.MonkeyPatch) -> None:
    """A commit reads which indexes there are before it writes the records."""
    read: dict[object, Indexes] = {}

    def early(bucket: str, key: str) -> Mapping[str, Any] | None:
        read[greenlet.getcurrent()] = read_indexes()
        return find_head(bucket, key)

    patch.setattr(collect_entities, "find_head", early)
    patch.setattr(collect_entities, "read_indexes", lambda: read[greenlet.getcurrent()])


def list_of_indexes_at_the_beginning(patch: pytest.MonkeyPatch) -> None:
    """A rebuild reads which indexes there are before it reads the first object."""
    read: dict[object, Indexes] = {}
    index = index_records.handler

    def early(event: Any, context: object) -> Any:
        read[greenlet.getcurrent()] = read_indexes()
        return index(event, context)

    patch.setattr(index_records, "handler", early)
    patch.setattr(index_records, "read_indexes", lambda: read[greenlet.getcurrent()])


def rebuild_at_any_sequence(patch: pytest.MonkeyPatch) -> None:
    """A rebuild writes what it has read, whatever was committed since."""

    def replaced(object_id: str, seen: ObjectItem, attributes: Any, membership: Membership | None) -> bool:
        now = read_object(object_id)
        return replace(object_id, now, attributes, membership)

    patch.setattr(index_records, "replace", replaced)


def finished_before_it_is_read(patch: pytest.MonkeyPatch) -> None:
    """An index counts as complete as soon as it is listed."""

    def listed(indexes: list[Index], *given: Any) -> list[Index]:
        return [{**index, "state": "ready"} for index in reconciled(indexes, *given)]

    patch.setattr(prepare_cohorts, "reconciled", listed)


def rejections_that_are_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(summarize_batch, "rejections", lambda *given: iter(()))


def attempts_that_all_count(patch: pytest.MonkeyPatch) -> None:
    """The counts of each attempt of a child are added up."""
    patch.setattr(summarize_batch, "last_attempts", list)


MUTATIONS = [
    Mutation("a claim is written without its condition", claim_without_condition, "overlap", (PAID,), POLL),
    Mutation("a taker doesn't fence", taker_that_does_not_fence, "part", (PAID,), START),
    Mutation("jobs aren't inherited", jobs_that_are_not_inherited, "part", (PAID,), POLL),
    Mutation("a job is answered for at any generation", job_at_any_generation, "part", (PAID,), START),
    Mutation("a job is answered for after its start", job_that_is_answered_for_after_its_start, "part", (PAID,), START),
    Mutation("a finished document isn't covered", finished_document_that_is_not_covered, "buttons", (PAID,), COLLECT),
    Mutation("a missing document is covered", missing_document_that_is_covered, "partial success", (LOST,)),
    Mutation("a base doesn't tell what was tried", base_that_does_not_tell_what_was_tried, "partial success", (LOST,)),
    Mutation("an entity detection job isn't found again", job_that_is_not_found_again, "part", (PAID,), START),
    Mutation(
        "a transcription has another name each time",
        transcription_under_another_name,
        "buttons",
        (TRANSCRIBED,),
        "StartTranscription",
    ),
    Mutation("a generation has another name each time", generation_under_another_name, "same audience", (GENERATED,)),
    Mutation("an older version is planned over a newer one", version_over_a_newer_one, REPLACED, (OUTCOMES,), NOWHERE),
    Mutation("what was recorded outlives its version", records_that_outlive_their_version, "restored", (OLD,), COLLECT),
    Mutation("finished work isn't seen", finished_work_that_is_not_seen, "twice", (OUTCOMES,)),
    Mutation("records are looked at after the ledger", head_after_the_ledger, REPLACED, (OLD, OUTCOMES), NOWHERE),
    Mutation("a recording is finished at any sequence", recorded_at_any_sequence, REPLACED, (OUTCOMES,), NOWHERE),
    Mutation("older records replace newer ones", records_of_any_version, REPLACED, (OLD,), NOWHERE),
    Mutation("records aren't written", records_that_are_not_written, "overlap", (LOST,)),
    Mutation("a replacement isn't seen", replacement_that_is_not_seen, REPLACED, (OTHER_WORDS,), NOWHERE),
    Mutation("the suppression list isn't read", suppression_that_is_not_read, "same audience", (CONSENT,)),
    Mutation("consent isn't looked at", consent_that_is_not_looked_at, "withdrawn", (CONSENT,)),
    Mutation("a commit reads the list of indexes early", list_of_indexes_before_the_records, "rules", (MEMBERS,)),
    Mutation(
        "a rebuild reads the list of indexes early", list_of_indexes_at_the_beginning, "rules", (MEMBERS,), NOWHERE
    ),
    Mutation("a rebuild writes at any sequence", rebuild_at_any_sequence, REBUILT, (MEMBERS, CONSENT), NOWHERE),
    Mutation("no item leads to a patient's executions", patients_that_are_not_noted, "rules", (NAMINGS,)),
    Mutation("an index is complete at once", finished_before_it_is_read, "rules", (MEMBERS,)),
    Mutation("each attempt of a child counts", attempts_that_all_count, "stopped", (COUNTS,), COLLECT),
    Mutation("rejections aren't told", rejections_that_are_not_told, "corrupt", (COUNTS, LOST, ELSEWHERE)),
]
