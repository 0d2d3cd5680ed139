"""Finds the objects that name patients, by the patients' ids and executions, before anything is changed."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from lambdas.searching import categories
from lambdas.searching.contents import names_them
from lambdas.searching.traces import Traces
from lambdas.searching.versions import Version, list_versions, read
from lambdas.shared import layout
from lambdas.shared.parallel import mapped
from lambdas.shared.uris import parse_uri
from operations.deployed import Deployed
from operations.forgetting import ledger
from operations.forgetting.known import Known, Tick

# Recordings are removed first. Objects that hold the patients' ids are removed last, and the plans at the very end:
# after an interruption the next run looks the ids up in them.
_FIRST, _LAST = ("recordings",), ("records", "pages of batches", "batch files")
# The prefixes of results whose names begin with a recording's id.
_BY_MEDIA_ID = [row.prefix for row in layout.CLINICAL_OBJECTS if row.content == "speech" and row.expiry == "results"]
# Contents that may name several patients.
_SEVERAL = ("document", "job", "lines", "page", "table", "query result", "access log")


class Object(NamedTuple):
    version: Version
    category: categories.Category


class Findings(NamedTuple):
    """`whole` objects are one patient's alone, `parts` name other patients too."""

    whole: list[Object]
    parts: list[Object]


def in_turn(found: Object) -> tuple[int, bool]:
    """The order in which objects are removed."""
    kind = found.category.kind
    if kind in _LAST:
        return 1 + _LAST.index(kind), categories.is_plan(found.version.key)
    return -1 if kind in _FIRST else 0, False


def object_of(deployed: Deployed, version: Version) -> Object:
    return Object(version, categories.category_of(deployed.buckets, version.bucket, version.key))


def survey(deployed: Deployed, known: Known, tick: Tick) -> Findings:
    """The objects that the patients' ids and executions lead to, all seeds, and all results of queries."""
    s3 = deployed.client("s3")
    of_recordings = [
        *(prefix + media_id for prefix in _BY_MEDIA_ID for media_id in sorted(known.media_ids)),
        *(layout.records_key(object_id) for object_id in sorted(known.object_ids)),
    ]
    of_batches = list(map(layout.batch_prefix, sorted(known.executions)))
    of_analysis = sorted(
        {
            place
            for found in ledger.analysed(deployed, known.object_ids)
            for place in layout.analysis_places(found.object_id, found.months)
        }
    )
    places = [
        *((deployed.clinical, prefix, "") for prefix in [*of_recordings, *of_batches, layout.QUERIES]),
        *((deployed.clinical, prefix, end) for prefix, end in of_analysis),
        (deployed.audience, layout.SEEDS, ""),
    ]

    def listed(place: tuple[str, str, str]) -> list[Object]:
        bucket, prefix, end = place
        versions = [version for version in list_versions(s3, bucket, prefix) if version.key.endswith(end)]
        tick(len(versions))
        return [object_of(deployed, version) for version in versions]

    first = sort(s3, known.traces, chain.from_iterable(mapped(listed, places)), tick)
    bases = sorted({base for found in first.parts for base in _bases(s3, found.version)})
    of_jobs = [
        *((deployed.clinical, layout.documents_prefix(base), "") for base in bases),
        *((deployed.clinical, layout.job_documents_key(base), "") for base in bases),
        *((*parse_uri(uri), "") for uri in ledger.outputs_of_jobs(deployed, bases)),
    ]
    second = sort(s3, known.traces, chain.from_iterable(mapped(listed, of_jobs)), tick)
    recordings = [object_of(deployed, version) for version in known.recordings]
    return Findings([*recordings, *first.whole, *second.whole], [*first.parts, *second.parts])


def sort(s3: Any, traces: Traces, listed: Iterable[Object], tick: Tick) -> Findings:
    """Those of the objects that are one patient's alone, and those that name a patient in their content."""
    whole: list[Object] = []

    def to_be_read() -> Iterator[Object]:
        for found in listed:
            if traces.owns(found.version.key):
                whole.append(found)
            elif not found.version.is_marker and _may_name_several(found.category):
                yield found

    parts = []
    for found, is_part in mapped(lambda one: (one, names(s3, traces, one)), to_be_read()):
        tick(1)
        if is_part:
            parts.append(found)
    return Findings(whole, parts)


def _may_name_several(category: categories.Category) -> bool:
    return category.content in _SEVERAL and not category.one_recording


def _bases(s3: Any, version: Version) -> set[str]:
    """The entity detection jobs that an index of documents names."""
    if not version.key.rpartition("/")[2].startswith("documents-"):
        return set()
    content = read(s3, version)
    lines = content.body.splitlines() if content else ()
    return {str(job) for line in lines if line.strip() and (job := json.loads(line).get("job"))}


def names(s3: Any, traces: Traces, found: Object) -> bool:
    """Whether the content of the object names a patient, if it is of the object's kind."""
    content = read(s3, found.version)
    try:
        return content is not None and names_them(traces, found.category, content)
    except ValueError:
        return False  # the content isn't of its kind; the search looks at its bytes
