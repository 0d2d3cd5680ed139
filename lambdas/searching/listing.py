"""Lists the versions of a bucket page by page, from any key on.

S3 lists keys in the order of their UTF-8 bytes, in which Python compares strings, too.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from lambdas.searching.versions import Version

# Where a listing begins: behind all versions of the key "key", at the markers of an earlier page ("key" and
# "version_id", which is empty behind a folder), or at the beginning (empty).
Marker = Mapping[str, str]


class Entry(NamedTuple):
    """A listed version, and its LastModified."""

    version: Version
    written: datetime


class Page(NamedTuple):
    """Up to 1,000 versions, by key; with a delimiter, also the `folders` instead of what is in them.

    `following` is where the next page begins, None after the last one.
    """

    entries: list[Entry]
    folders: list[str]
    following: dict[str, str] | None


def read_page(s3: Any, bucket: str, begin: Marker, *, prefix: str = "", delimiter: str = "") -> Page:
    """The page that begins at `begin`.

    S3's reference has KeyMarker as "the key to start with", and NextKeyMarker as "the first key not returned". In other
    listings such markers are excluded. Here a page behind a key hasn't that key in either case, and the markers of an
    earlier page are returned to S3 unchanged.

    Raises:
        botocore.exceptions.ClientError: the listing was refused.
    """
    markers = {"KeyMarker": begin.get("key"), "VersionIdMarker": begin.get("version_id")}
    optional = {"Prefix": prefix, "Delimiter": delimiter, **markers}
    answer = s3.list_object_versions(Bucket=bucket, **{name: value for name, value in optional.items() if value})
    behind = begin.get("key", "") if "version_id" not in begin else ""
    entries = [
        Entry(Version(bucket, item["Key"], item["VersionId"], item["IsLatest"], is_marker), item["LastModified"])
        for member, is_marker in (("Versions", False), ("DeleteMarkers", True))
        for item in answer.get(member, ())
        if item["Key"] > behind
    ]
    following = None
    if answer["IsTruncated"]:
        following = {"key": answer["NextKeyMarker"], "version_id": answer.get("NextVersionIdMarker", "")}
    folders = [item["Prefix"] for item in answer.get("CommonPrefixes", ())]
    return Page(sorted(entries, key=lambda entry: entry.version.key), folders, following)
