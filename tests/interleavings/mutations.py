"""Faults that somebody might make in the functions: each has to be found, or the check is worth nothing."""

from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import pytest

from lambdas import (
    claims,
    clean_rooms_ml,
    collect_entities,
    comprehend_medical,
    plan_batch,
    prepare_documents,
    select_seeds,
    summarize_batch,
    transcribe_medical,
)
from lambdas.recordings import inspect_all
from lambdas.shared.storage import find_head, s3, write_json_lines
from tests.interleavings.rest import (
    CONSENT,
    COUNTS,
    ELSEWHERE,
    GENERATED,
    LOST,
    OLD,
    OUTCOMES,
    PAID,
    RED,
    TRANSCRIBED,
)

Plant = Callable[[pytest.MonkeyPatch], None]


class Mutation(NamedTuple):
    """What is planted, the scenario that finds it, and as what; `step` says where the first execution has to fail."""

    name: str
    plant: Plant
    scenario: str
    kinds: tuple[str, ...]
    step: str = ""


def unconditional_claim(patch: pytest.MonkeyPatch) -> None:
    def write(bucket: str, key: str, execution: str, head: object) -> bool:
        s3.put_object(Bucket=bucket, Key=key, Body=execution.encode(), Metadata={"execution": execution})
        return True

    patch.setattr(claims, "_write", write)


def claim_of_a_running_execution(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claims.Claims, "_works", lambda self, execution: False)


def keep_that_does_not_write(patch: pytest.MonkeyPatch) -> None:
    def keep(bucket: str, transcript_id: str, execution: str) -> str:
        head = find_head(bucket, claims.claim_key(transcript_id))
        return claims.owner_of(head) if head else execution

    patch.setattr(prepare_documents, "keep", keep)


def keep_that_takes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(prepare_documents, "keep", lambda bucket, transcript_id, execution: execution)


def takeover_that_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claims, "tell_takeover", lambda bucket, execution, by: None)


def takeover_that_is_not_looked_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(comprehend_medical, "check_ours", lambda batch_id, documents: None)


def finished_work_that_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan_batch, "is_recorded", lambda clinical, item, settings_id: False)


def job_that_is_not_found_again(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(comprehend_medical, "digest", lambda *parts: f"token-{next(numbers)}")
    patch.setattr(comprehend_medical, "documents_of", lambda job: next(numbers))


def transcription_under_another_name(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(transcribe_medical, "job_name", lambda event, attempt: f"clinical-media-test-{next(numbers)}")


def generation_under_another_name(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(clean_rooms_ml, "name_of", lambda *parts: f"clinical-media-test-{next(numbers)}")


def records_that_are_not_written(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(collect_entities, "write_records", lambda bucket, recording, records, complete: True)


def records_over_newer_ones(patch: pytest.MonkeyPatch) -> None:
    def write(bucket: str, recording: dict[str, Any], records: Any, complete: bool) -> bool:
        metadata = {"uploaded-at": recording["uploaded_at"], "transcript-id": recording["transcript_id"]}
        write_json_lines(bucket, f"records/{recording['object_id']}.jsonl", records, metadata)
        return True

    patch.setattr(collect_entities, "write_records", write)


def suppression_that_is_not_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(select_seeds, "read_suppressed", lambda audience: {})


def consent_that_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    """As if everybody had consented when the recording was planned."""

    def inspect(pool: Any, keys: Any, *given: Any) -> Any:
        return [item._replace(audience_consent=True) for item in inspect_all(pool, keys, *given)]

    patch.setattr(plan_batch, "inspect_all", inspect)


def rejections_that_are_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(summarize_batch, "rejections", lambda *given: iter(()))


MUTATIONS = [
    Mutation("a claim is written without its condition", unconditional_claim, "overlap", (PAID, OUTCOMES)),
    Mutation("a running execution counts as failed", claim_of_a_running_execution, "overlap", (PAID, OUTCOMES, RED)),
    Mutation("keep doesn't write", keep_that_does_not_write, "part", (PAID, OUTCOMES)),
    Mutation("keep takes what is another's", keep_that_takes, "part", (PAID,)),
    Mutation("a takeover isn't told", takeover_that_is_not_told, "part", (PAID, OUTCOMES)),
    Mutation("a takeover isn't looked for", takeover_that_is_not_looked_for, "part", (PAID, OUTCOMES)),
    Mutation("finished work isn't seen", finished_work_that_is_not_seen, "twice", (PAID, OUTCOMES)),
    Mutation("an entity detection job isn't found again", job_that_is_not_found_again, "buttons", (PAID,)),
    Mutation("a transcription has another name each time", transcription_under_another_name, "buttons", (TRANSCRIBED,)),
    Mutation("a generation has another name each time", generation_under_another_name, "same audience", (GENERATED,)),
    Mutation("records aren't written", records_that_are_not_written, "overlap", (LOST,)),
    Mutation("older records replace newer ones", records_over_newer_ones, "replaced", (OLD,)),
    Mutation("the suppression list isn't read", suppression_that_is_not_read, "same audience", (CONSENT,)),
    Mutation("consent isn't looked at", consent_that_is_not_looked_at, "same audience", (CONSENT,)),
    Mutation("rejections aren't told", rejections_that_are_not_told, "corrupt", (COUNTS, LOST, ELSEWHERE)),
]
