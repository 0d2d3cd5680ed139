import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.entities.jobs import (
    Coverage,
    Documents,
    EntityJob,
    documents_of,
    find_coverage,
    note_ended,
    note_started,
    read_entity_jobs,
    transcript_of,
    write_documents_of,
)
from lambdas.shared.state import EntityOutput

CLINICAL = "clinical-bucket"


def output(job_id: str) -> EntityOutput:
    """What PollEntityDetection notes of a job that has ended."""
    prefix = f"entities/{job_id}/"
    return {
        "service_status": "COMPLETED",
        "model_version": None,
        "output_uri": f"s3://{CLINICAL}/{prefix}",
        "manifest_path": f"{prefix}Manifest",
    }


def end(s3: Any, base: str, *documents: str) -> None:
    """The job has ended with outputs of these documents."""
    for name in [*(f"{document}.out" for document in documents), "Manifest"]:
        s3.put_object(Bucket=CLINICAL, Key=f"entities/{base}/{name}", Body=b"{}")
    note_ended(base, output(base))


def cover(*bases: str) -> Coverage:
    with ThreadPoolExecutor(2) as pool:
        return find_coverage(pool, CLINICAL, bases)


def test_a_job_is_remembered_from_its_documents_to_its_end(s3: Any) -> None:
    write_documents_of(CLINICAL, "b", Documents(["t-how-0000.txt"], units=3))
    assert documents_of(CLINICAL, "b") == (["t-how-0000.txt"], 3)
    assert read_entity_jobs(["b"]) == {"b": EntityJob()}
    note_started("b", "job-1", 2)
    note_ended("b", output("job-1"))
    assert read_entity_jobs(["b"]) == {"b": EntityJob("job-1", 2, output("job-1"))}


def test_documents_that_have_expired_are_none(s3: Any) -> None:
    assert documents_of(CLINICAL, "b") == Documents()
    assert cover("b").job_of == {}


def test_a_document_s_name_tells_its_transcript() -> None:
    assert transcript_of("media-settings-how-0012.txt") == "media-settings"


@pytest.mark.parametrize("is_started", [False, True])
def test_a_job_that_has_not_ended_covers_all_its_documents(s3: Any, is_started: bool) -> None:
    write_documents_of(CLINICAL, "b", Documents(["one", "two"], 2))
    if is_started:
        note_started("b", "job-1", 1)
    coverage = cover("b")
    assert coverage.job_of == {"one": "b", "two": "b"}
    assert coverage.documents["b"].units == 2


def test_a_job_that_has_ended_covers_what_it_has_an_output_of(s3: Any) -> None:
    write_documents_of(CLINICAL, "b", Documents(["one", "two"]))
    end(s3, "b", "one", "of another list")
    assert cover("b").job_of == {"one": "b"}


def test_a_job_whose_output_has_expired_covers_all_so_that_nobody_pays_without_being_asked(s3: Any) -> None:
    write_documents_of(CLINICAL, "b", Documents(["one", "two"]))
    end(s3, "b", "one")
    s3.delete_object(Bucket=CLINICAL, Key="entities/b/Manifest")
    assert cover("b").job_of == {"one": "b", "two": "b"}


def test_of_several_jobs_the_one_that_has_an_output_counts(s3: Any) -> None:
    for base in ("a", "b", "c"):
        write_documents_of(CLINICAL, base, Documents(["one", "two"]))
    end(s3, "b", "one")
    assert cover("c", "b", "a").job_of == {"one": "b", "two": "a"}


def test_what_is_noted_of_the_end_is_kept_as_it_is(s3: Any) -> None:
    note_ended("b", output("j"))
    assert json.loads(json.dumps(read_entity_jobs(["b"])["b"].output)) == output("j")
