"""S3 with versions and conditional writes, in memory."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple

from tests.simulation.aws import Refused

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Version(NamedTuple):
    version_id: str
    body: bytes
    metadata: Mapping[str, str]
    etag: str
    modified: datetime
    is_marker: bool = False


class Body(BytesIO):
    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield self.getvalue()


class Buckets:
    """Buckets with versions. `written` is called with every place that is written, `now` gives a version its time.

    With `by_content` an ETag follows the content, as it does without KMS; else every version has another.
    """

    def __init__(
        self,
        written: Callable[[str], None],
        *,
        by_content: bool = False,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._written, self._by_content, self._now = written, by_content, now
        self._objects: dict[str, dict[str, list[Version]]] = {}
        self._puts = 0
        # No version has the name of one that was taken back.
        self._numbers: Counter[str] = Counter()
        # The versions that were taken back, by their object.
        self.taken_back: defaultdict[str, list[Version]] = defaultdict(list)
        self.archived: set[tuple[str, str, str]] = set()
        # How often a version has become the current one.
        self.turns: Counter[tuple[str, str, str]] = Counter()

    def put(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> Version:
        self._puts += 1
        versions = self._objects.setdefault(bucket, {}).setdefault(key, [])
        etag = hashlib.md5(body).hexdigest() if self._by_content else f"e{self._puts}"
        number = self.next_number(bucket, key)
        self._numbers[f"{bucket}/{key}"] = number
        modified = self._now() if self._now else _BEGIN + timedelta(seconds=self._puts)
        versions.append(Version(f"v{number}", body, dict(metadata), f'"{etag}"', modified))
        self._begin(bucket, key)
        return versions[-1]

    def next_number(self, bucket: str, key: str) -> int:
        return self._numbers[f"{bucket}/{key}"] + 1

    def mark_deleted(self, bucket: str, key: str) -> None:
        """As DeleteObject does without a version: the older ones are still there."""
        marker = self.put(bucket, key, b"", {})
        self._objects[bucket][key][-1] = marker._replace(is_marker=True)

    def archive(self, bucket: str, key: str) -> None:
        """As a lifecycle rule does with the current version, until somebody restores it."""
        if there := self.current(bucket, key):
            self.archived.add((bucket, key, there.version_id))

    def remove_newest(self, bucket: str, key: str) -> None:
        """As a person does who takes an upload back: the version before it is the current one again."""
        self.taken_back[f"{bucket}/{key}"].append(self._objects[bucket][key].pop())
        self._begin(bucket, key)

    def _begin(self, bucket: str, key: str) -> None:
        """The turn of a version that is the current one by now."""
        if there := self.current(bucket, key):
            self.turns[bucket, key, there.version_id] += 1
        self._written(f"{bucket}/{key}")

    def current(self, bucket: str, key: str) -> Version | None:
        versions = self._objects.get(bucket, {}).get(key)
        return versions[-1] if versions and not versions[-1].is_marker else None

    def versions(self, bucket: str, key: str) -> list[Version]:
        return self._objects.get(bucket, {}).get(key, [])

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        return sorted(key for key, there in self._objects.get(bucket, {}).items() if there and key.startswith(prefix))

    def without_versions(self, bucket: str) -> list[str]:
        """The keys of objects that were there, and of which nothing is left."""
        return [key for key, there in self._objects.get(bucket, {}).items() if not there]

    def head_object(self, Bucket: str, Key: str, VersionId: str = "", **_: Any) -> dict[str, Any]:
        version = self._version(Bucket, Key, VersionId, "404")
        archived = (Bucket, Key, version.version_id) in self.archived
        return _described(version) | ({"StorageClass": "GLACIER"} if archived else {})

    def get_object(
        self, Bucket: str, Key: str, VersionId: str = "", IfMatch: str = "", Range: str = "", **_: Any
    ) -> dict[str, Any]:
        version = self._version(Bucket, Key, VersionId, "NoSuchKey")
        if (Bucket, Key, version.version_id) in self.archived:
            raise Refused("InvalidObjectState", "The object is archived.", StorageClass="GLACIER")
        if IfMatch and IfMatch != version.etag:
            raise Refused("PreconditionFailed")
        body = version.body
        if Range:
            first, _dash, last = Range.removeprefix("bytes=").partition("-")
            body = body[int(first) : int(last) + 1 if last else None]
        return _described(version) | {"Body": Body(body)}

    def put_object(
        self,
        Bucket: str,
        Key: str,
        Body: Any = b"",
        Metadata: Mapping[str, str] | None = None,
        IfMatch: str = "",
        IfNoneMatch: str = "",
        **_: Any,
    ) -> dict[str, Any]:
        there = self.current(Bucket, Key)
        if IfMatch and there is None:
            raise Refused("NoSuchKey")
        if (IfNoneMatch and there) or (IfMatch and there and there.etag != IfMatch):
            raise Refused("PreconditionFailed")
        version = self.put(Bucket, Key, bytes(Body), Metadata or {})
        return {"ETag": version.etag, "VersionId": version.version_id}

    def delete_object(self, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        self.mark_deleted(Bucket, Key)
        return {}

    def delete_objects(self, Bucket: str, Delete: Mapping[str, Any]) -> dict[str, Any]:
        for item in Delete["Objects"]:
            versions = self._objects[Bucket][item["Key"]]
            versions[:] = [version for version in versions if version.version_id != item["VersionId"]]
        return {}

    def list_objects_v2(self, Bucket: str, Prefix: str = "", **_: Any) -> dict[str, Any]:
        there = ((key, self.current(Bucket, key)) for key in self.keys(Bucket, Prefix))
        listed = [{"Key": key, "ETag": version.etag} for key, version in there if version]
        return {"IsTruncated": False, "Contents": listed}

    def list_object_versions(
        self, Bucket: str, Prefix: str = "", KeyMarker: str = "", Delimiter: str = "", **_: Any
    ) -> dict[str, Any]:
        keys = [key for key in self.keys(Bucket, Prefix) if key > KeyMarker]
        folders = {key: Prefix + key.removeprefix(Prefix).partition(Delimiter)[0] for key in keys} if Delimiter else {}
        listed = [key for key in keys if folders.get(key, key) == key]
        found: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
        for key in listed:
            for version in reversed(self._objects[Bucket][key]):
                described = {
                    "Key": key,
                    "VersionId": version.version_id,
                    "IsLatest": version is self._objects[Bucket][key][-1],
                    "LastModified": version.modified,
                }
                found[version.is_marker].append(described)
        prefixes = sorted({folder + Delimiter for key, folder in folders.items() if folder != key})
        return {
            "IsTruncated": False,
            "Versions": found[False],
            "DeleteMarkers": found[True],
            "CommonPrefixes": [{"Prefix": prefix} for prefix in prefixes],
        }

    def list_multipart_uploads(self, Bucket: str, **_: Any) -> dict[str, Any]:
        return {"IsTruncated": False}

    def _version(self, bucket: str, key: str, version_id: str, missing: str) -> Version:
        found = [item for item in self.versions(bucket, key) if version_id in ("", item.version_id)]
        if not found or found[-1].is_marker:
            raise Refused(missing)
        return found[-1]


def _described(version: Version) -> dict[str, Any]:
    return {
        "ETag": version.etag,
        "Metadata": dict(version.metadata),
        "LastModified": version.modified,
        "ContentLength": len(version.body),
        "VersionId": version.version_id,
    }
