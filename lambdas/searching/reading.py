"""Decides whether a version names a patient: by its key, or by what is read of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Literal, NamedTuple

from botocore.exceptions import ClientError

from lambdas.searching.categories import Buckets, Category, category_of, execution_of
from lambdas.searching.contents import names_them
from lambdas.searching.files import Request, traces_of
from lambdas.searching.listing import Entry
from lambdas.searching.versions import Version, head_of, pieces, read
from lambdas.shared import layout
from lambdas.shared.object_faults import refused_read

# What is read of an object, by its kind of content. "pieces" is for what needn't fit into memory.
_READ: Mapping[layout.Content, Literal["nothing", "metadata", "pieces", "whole"]] = {
    "recording": "metadata",
    "speech": "pieces",
    "document": "whole",
    "job": "whole",
    "lines": "whole",
    "page": "whole",
    "table": "whole",
    "access log": "whole",
    "query result": "pieces",
    "search": "nothing",
    "suppression": "nothing",
    "unknown": "pieces",
}


class Places(NamedTuple):
    """The buckets that are searched.

    `keys` has the ARN of the KMS key of each bucket whose objects are read; access logs have none.
    """

    buckets: Buckets
    keys: Mapping[str, str]


class Search:
    """The search that a request asks for, in the given places.

    Something that can't be read for a missing right or an outage raises botocore.exceptions.ClientError: without it
    there is no proof. An object that can't be read for its own sake (it is archived, or encrypted with another key than
    its bucket's) doesn't stop the search of all others: it counts as one that names a patient, so that a person looks
    at it.
    """

    def __init__(self, s3: Any, places: Places, request: Request) -> None:
        self._s3, self._places = s3, places
        self._traces, self._scope = traces_of(request), request["scope"]
        # Files of analysis tables may have hundreds of megabytes, so one of them is read at a time.
        self._one_table = Lock()
        since = request["logs_since"]
        # S3 gives LastModified in whole seconds.
        self._logs_since = datetime.fromisoformat(since).astimezone(UTC).replace(microsecond=0) if since else None

    def is_in_key(self, version: Version) -> bool:
        traces, key = self._traces, version.key
        if traces.owns(key):
            return True
        category = self._category(version)
        if category.content == "recording":
            return False  # another patient's recording
        if category.content == "unknown":
            return traces.anywhere(key.encode())
        execution = execution_of(key)
        return execution is not None and traces.anywhere(execution.encode())

    def needs_reading(self, entry: Entry) -> bool:
        """Whether the key alone doesn't decide."""
        category = self._category(entry.version)
        if entry.version.is_marker or _READ[category.content] == "nothing":
            return False
        if category.content == "access log":
            return self._logs_since is None or entry.written >= self._logs_since
        if self._scope == "logs":
            return False
        about_one = category.content == "recording" or category.one_recording
        return self._scope == "every byte" or not about_one

    def is_in_content(self, version: Version) -> bool:
        """Whether the metadata or the content names a patient, or can't be read; False if the version is gone."""
        category = self._category(version)
        try:
            if version.bucket == self._places.buckets.media:
                return self._is_in_head(version, category)
            if category.content == "table":
                with self._one_table:
                    return self._is_in_whole(version, category)
            if _READ[category.content] == "pieces":
                return self._traces.anywhere_in(pieces(self._s3, version), words=not category.one_recording)
            return self._is_in_whole(version, category)
        except ClientError as error:
            if self._is_own_fault(version, error):
                return True
            raise

    def _is_in_head(self, version: Version, category: Category) -> bool:
        """No right to the key of the media bucket is needed. Of a recording, the sound is never searched.

        The content of any other object there can't be searched: it counts as naming a patient unless it is empty.
        """
        head = head_of(self._s3, version)
        if head is None:
            return False
        if self._traces.in_json(dict(head["Metadata"])):
            return True
        return category.content != "recording" and head["ContentLength"] > 0

    def _is_in_whole(self, version: Version, category: Category) -> bool:
        content = read(self._s3, version)
        if content is None:
            return False
        if self._traces.in_json(dict(content.metadata)):
            return True
        try:
            return names_them(self._traces, category, content)
        except ValueError:
            return self._traces.anywhere(content.body)  # the content isn't of its kind

    def _is_own_fault(self, version: Version, error: ClientError) -> bool:
        if error.operation_name == "HeadObject":
            # HeadObject's answer has no body: 400 is its refusal of a customer's key (SSE-C).
            return error.response["Error"]["Code"] == "400"
        key = self._places.keys.get(version.bucket, "")
        if refused_read(error, {}, key) is not None:
            return True
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            return False
        head = head_of(self._s3, version)
        return head is not None and refused_read(error, head, key) is not None

    def _category(self, version: Version) -> Category:
        return category_of(self._places.buckets, version.bucket, version.key)
