"""DivideSearch and SearchRange: search everything that is stored for the traces of patients.

DivideSearch divides the stored objects and the ledger's tables into ranges, each of which a child of the Map
SearchRanges searches in steps. State has the search's id and numbers only: what is searched for and what was found are
in files (`lambdas/searching/files.py`).

An attempt of a step may still run when its repetition does. The first one that writes counts, and the other takes over
what it finds, so that all children work by the same ranges, and each step begins where the one before has ended.
"""

import os
from typing import Any, Protocol, TypedDict, TypeVar

from botocore.exceptions import ClientError

from lambdas.searching.categories import Buckets
from lambdas.searching.dividing import Range, Segment, divide_buckets, divide_tables
from lambdas.searching.files import Part, Request, traces_of
from lambdas.searching.objects import search_range
from lambdas.searching.reading import Places, Search
from lambdas.searching.tables import search_segment
from lambdas.shared.layout import search_part_key, search_ranges_key, search_request_key
from lambdas.shared.ledger import dynamodb
from lambdas.shared.observability import logger
from lambdas.shared.storage import CONDITION_NOT_MET, find_json, read_json, s3, unchanged, write_json

# A step ends when it has less time left than this, in which it finishes the objects that it has begun to read.
SHORT_MILLISECONDS = 180_000

_File = TypeVar("_File")


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


class DivideSearchEvent(TypedDict):
    search_id: str


class Divided(TypedDict):
    """`numbers` are those of the ranges."""

    search_id: str
    numbers: list[int]


class SearchRangeEvent(TypedDict):
    """A range's number, and the number of the step of its search; the first one is 0."""

    search_id: str
    number: int
    step: int


class Searched(TypedDict):
    """`step` is the next one's number; `more` is whether there is one."""

    search_id: str
    number: int
    step: int
    more: bool


def divide(event: DivideSearchEvent, context: object) -> Divided:
    """Write the ranges of the search that the request asks for."""
    search_id = event["search_id"]
    logger.set_correlation_id(search_id)
    bucket, places = os.environ["CLINICAL_BUCKET"], _places()
    request: Request = read_json(bucket, search_request_key(search_id))
    ranges: list[Range | Segment] = []
    if request["scope"] == "logs":
        ranges += divide_buckets(s3, [places.buckets.access_logs])
    else:
        ranges += divide_buckets(s3, places.buckets)
        ranges += divide_tables(dynamodb, [os.environ["LEDGER_TABLE"], os.environ["MEMBERS_TABLE"]])
    ranges = _written(bucket, search_ranges_key(search_id), ranges)
    logger.info("The search is divided", ranges=len(ranges), scope=request["scope"])
    return {"search_id": search_id, "numbers": list(range(len(ranges)))}


def search(event: SearchRangeEvent, context: LambdaContext) -> Searched:
    """Search a range from where the step before has ended, and write what was found.

    Raises:
        botocore.exceptions.ClientError: something can't be read for a missing right or an outage.
    """
    search_id, number, step = event["search_id"], event["number"], event["step"]
    logger.set_correlation_id(search_id)
    bucket, key = os.environ["CLINICAL_BUCKET"], search_part_key(search_id, number, step)
    part: Part | None = find_json(bucket, key)
    if part is None:
        begin = read_json(bucket, search_part_key(search_id, number, step - 1))["next"] if step else None
        part = _written(bucket, key, _search(bucket, event, begin, context))
    logger.info("A step of a range is searched", range=number, step=step, looked_at=part["looked_at"])
    return {"search_id": search_id, "number": number, "step": step + 1, "more": part["next"] is not None}


def _search(bucket: str, event: SearchRangeEvent, begin: dict[str, str] | None, context: LambdaContext) -> Part:
    request: Request = read_json(bucket, search_request_key(event["search_id"]))
    ranges: list[Any] = read_json(bucket, search_ranges_key(event["search_id"]))
    within = ranges[event["number"]]

    def is_short() -> bool:
        return context.get_remaining_time_in_millis() < SHORT_MILLISECONDS

    if "table" in within:
        return search_segment(dynamodb, traces_of(request), within, begin, is_short)
    return search_range(s3, Search(s3, _places(), request), within, begin, is_short)


def _written(bucket: str, key: str, document: _File) -> _File:
    """The document, or the one that another attempt has written meanwhile."""
    try:
        write_json(bucket, key, document, **unchanged(None))
    except ClientError as error:
        if error.response["Error"]["Code"] not in CONDITION_NOT_MET:
            raise
        earlier: _File = read_json(bucket, key)
        return earlier
    return document


def _places() -> Places:
    buckets = Buckets(
        os.environ["MEDIA_BUCKET"],
        os.environ["CLINICAL_BUCKET"],
        os.environ["AUDIENCE_BUCKET"],
        os.environ["OPERATIONS_BUCKET"],
        os.environ["ACCESS_LOGS_BUCKET"],
    )
    keys = {
        buckets.clinical: os.environ["CLINICAL_KEY_ARN"],
        buckets.audience: os.environ["AUDIENCE_KEY_ARN"],
        buckets.operations: os.environ["OPERATIONS_KEY_ARN"],
    }
    return Places(buckets, keys)
