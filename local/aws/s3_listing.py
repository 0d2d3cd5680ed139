"""Listings below a prefix that compare names only; moto copies all keys of the bucket and inspects each.

With ten thousand objects, that takes most of the time for a recording.

moto's listing of versions copies all objects, too. It leaves out the first version behind a key that is given without a
version, and repeats what is behind a marker that is a folder.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html

Open on AWS: a listing from a key alone begins behind that key here, as those of other listings do, and a page's markers
are the last that it has, not the first that it hasn't. A marker whose version is gone continues behind its key.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend

_moto_list_objects = S3Backend.list_objects
_moto_list_object_versions = S3Backend.list_object_versions


def list_objects(
    self: S3Backend, bucket: FakeBucket, prefix: str | None, delimiter: str | None, marker: str | None, max_keys: Any
) -> Any:
    """S3Backend.list_objects of a bucket that holds only the objects below the prefix."""
    if not prefix:
        return _moto_list_objects(self, bucket, prefix, delimiter, marker, max_keys)
    # A copy: other threads write meanwhile.
    names = [name for name in list(dict.keys(bucket.keys)) if name.startswith(prefix)]
    found = {name: key for name in names if (key := bucket.keys.get(name)) is not None}
    below: Any = SimpleNamespace(keys=found)
    return _moto_list_objects(self, below, prefix, delimiter, marker, max_keys)


class _Listed(NamedTuple):
    """One entry of a listing of versions: a version, or a folder (without one)."""

    name: str
    version: FakeKey | FakeDeleteMarker | None


def list_object_versions(
    self: S3Backend,
    bucket_name: str,
    delimiter: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = 1000,
    prefix: str = "",
    version_id_marker: str | None = None,
) -> tuple[list[FakeKey], list[str], list[FakeDeleteMarker], str | None, str | None]:
    """S3Backend.list_object_versions."""
    bucket, most = self.get_bucket(bucket_name), min(1000, 1000 if max_keys is None else max_keys)
    page: list[_Listed] = []
    for found in _behind(bucket, prefix, delimiter, key_marker, version_id_marker):
        if len(page) == most:
            last = page[-1] if page else found
            break
        page.append(found)
    else:
        last = None
    versions = [one.version for one in page if isinstance(one.version, FakeKey)]
    markers = [one.version for one in page if isinstance(one.version, FakeDeleteMarker)]
    folders = [one.name for one in page if one.version is None]
    next_version = _id(last.version) if last and last.version else None
    return versions, folders, markers, last.name if last else None, next_version


def _behind(
    bucket: FakeBucket, prefix: str, delimiter: str | None, key: str | None, version_id: str | None
) -> Iterator[_Listed]:
    """What is listed behind the markers, in order: by key, the newest version first."""
    folder = ""
    # A copy: other threads write meanwhile. Strings are in the order of their UTF-8 bytes.
    for name in sorted(name for name in list(dict.keys(bucket.keys)) if name.startswith(prefix)):
        if key and (name < key or (name == key and not version_id)):
            continue
        end = name.find(delimiter, len(prefix)) if delimiter else -1
        if delimiter and end >= 0:
            begin, folder = folder, name[: end + len(delimiter)]
            if folder != begin and folder != key:
                yield _Listed(folder, None)
            continue
        versions = _newest_first(bucket, name)
        if name == key:
            versions = versions[[*map(_id, versions), version_id].index(version_id) + 1 :]
        yield from (_Listed(name, version) for version in versions)


def _newest_first(bucket: FakeBucket, name: str) -> list[FakeKey | FakeDeleteMarker]:
    versions = list(reversed(bucket.keys.getlist(name, [])))
    for number, version in enumerate(versions):
        version.is_latest = number == 0
    return versions


def _id(version: FakeKey | FakeDeleteMarker) -> str:
    return "null" if version.version_id is None else str(version.version_id)


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    S3Backend.list_objects = list_objects  # type: ignore[method-assign]
    S3Backend.list_object_versions = list_object_versions  # type: ignore[method-assign]
