"""Finds a patient's objects before anything is changed."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from lambdas.analysis import parquet
from operations.deployed import Deployed
from operations.forgetting import layout
from operations.forgetting.known import Known, Tick
from operations.forgetting.traces import Traces
from operations.forgetting.versions import Content, Version, list_versions, read
from operations.parallel import mapped


class Object(NamedTuple):
    version: Version
    category: layout.Category


class Findings(NamedTuple):
    """`whole` objects are the patient's alone, `parts` name other patients too."""

    whole: list[Object]
    parts: list[Object]


def in_turn(found: Object) -> tuple[int, bool]:
    """The order in which objects are removed."""
    return layout.rank(found.category.kind, found.version.key)


def access_logs(deployed: Deployed, known: Known, tick: Tick) -> list[Object]:
    """The access logs that name the patient."""
    s3 = deployed.client("s3")

    def delivered() -> Iterator[Object]:
        for bucket in deployed.buckets:
            # Access logs are delivered to the remaining bucket.
            if bucket in (deployed.media, deployed.clinical, deployed.audience):
                continue
            for version in list_versions(s3, bucket):
                category = layout.category_of(deployed, bucket, version.key)
                if category.content == "access log" and not version.is_marker:
                    tick(1)
                    yield Object(version, category)

    return [found for found in mapped(lambda item: _named_in(s3, item, known), delivered()) if found is not None]


def survey(deployed: Deployed, known: Known, tick: Tick) -> Findings:
    """List all objects, and read those that may name several patients, except access logs."""
    s3 = deployed.client("s3")
    whole: list[Object] = []

    def to_be_read() -> Iterator[Object]:
        for bucket in deployed.buckets:
            for version in list_versions(s3, bucket):
                tick(1)
                category = layout.category_of(deployed, bucket, version.key)
                if known.traces.owns(version.key):
                    whole.append(Object(version, category))
                elif not version.is_marker and _may_name_several(category, version.key, known):
                    yield Object(version, category)

    parts = [found for found in mapped(lambda item: _named_in(s3, item, known), to_be_read()) if found is not None]
    return Findings(whole, parts)


def names_them(traces: Traces, category: layout.Category, content: Content) -> bool:
    """Whether the content of an object names the patient.

    Raises:
        ValueError: the content isn't of the object's kind.
    """
    if category.content in ("document", "job"):
        return traces.in_json(json.loads(content.body))
    if category.content == "lines":
        return any(traces.in_line(json.loads(line)) for line in content.body.splitlines() if line.strip())
    if category.content == "table":
        return parquet.names(content.body, traces.in_row)
    if category.content == "page":
        return traces.in_page(content.body)
    if category.content == "access log":
        return traces.certain(content.body)
    return traces.anywhere(content.body)


def _may_name_several(category: layout.Category, key: str, known: Known) -> bool:
    if category.kind == "records":
        return key in known.mixed_records
    several = ("document", "job", "lines", "table", "page", "query result")
    return category.content in several


def _named_in(s3: Any, found: Object, known: Known) -> Object | None:
    content = read(s3, found.version)
    try:
        return found if content and names_them(known.traces, found.category, content) else None
    except ValueError:
        return None  # the content isn't of its kind; the proof searches its bytes
