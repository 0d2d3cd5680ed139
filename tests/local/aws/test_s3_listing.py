import inspect
from typing import Any

import pytest
from moto.s3.models import S3Backend

from local.aws import s3_listing
from local.server import LocalAws

KEYS = ["a/1", "a/2", "a/b/3", "a/gone", "ab", "b/1"]


@pytest.fixture(scope="module")
def s3(local_aws: LocalAws) -> Any:
    client = local_aws.client("s3")
    client.create_bucket(Bucket="listed")
    client.put_bucket_versioning(Bucket="listed", VersioningConfiguration={"Status": "Enabled"})
    for key in [*KEYS, "a/1"]:
        client.put_object(Bucket="listed", Key=key, Body=b"x")
    client.delete_object(Bucket="listed", Key="a/gone")
    return client


def told(answer: dict[str, Any]) -> tuple[list[str], list[str], bool]:
    names = [item["Key"] for item in answer.get("Contents", ())]
    return names, [item["Prefix"] for item in answer.get("CommonPrefixes", ())], answer["IsTruncated"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"Prefix": "a/"}, (["a/1", "a/2", "a/b/3"], [], False)),
        ({"Prefix": "a"}, (["a/1", "a/2", "a/b/3", "ab"], [], False)),
        ({"Prefix": "a/1"}, (["a/1"], [], False)),
        ({"Prefix": "c/"}, ([], [], False)),
        ({"Prefix": "a/", "Delimiter": "/"}, (["a/1", "a/2"], ["a/b/"], False)),
        ({"Prefix": "a/", "StartAfter": "a/1"}, (["a/2", "a/b/3"], [], False)),
        ({"Prefix": "a/", "MaxKeys": 2}, (["a/1", "a/2"], [], True)),
        ({}, (["a/1", "a/2", "a/b/3", "ab", "b/1"], [], False)),
    ],
)
def test_a_listing_is_as_moto_makes_it(
    s3: Any, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], expected: tuple[list[str], list[str], bool]
) -> None:
    assert told(s3.list_objects_v2(Bucket="listed", **asked)) == expected
    monkeypatch.setattr(S3Backend, "list_objects", s3_listing._moto_list_objects)
    assert told(s3.list_objects_v2(Bucket="listed", **asked)) == expected


def test_pages_follow_one_another(s3: Any) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="listed", Prefix="a", PaginationConfig={"PageSize": 1})
    assert [item["Key"] for page in pages for item in page["Contents"]] == ["a/1", "a/2", "a/b/3", "ab"]


def versions(answer: dict[str, Any]) -> list[tuple[str, bool]]:
    """Key, and whether it is the newest version, in the order of the keys."""
    items = [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]
    return sorted(((item["Key"], item["IsLatest"]) for item in items), key=lambda item: (item[0], not item[1]))


@pytest.mark.parametrize(
    ("asked", "expected", "folders"),
    [
        ({"Prefix": "a/1"}, [("a/1", True), ("a/1", False)], []),
        ({"KeyMarker": "a/1"}, ["a/2", "a/b/3", "a/gone", "a/gone", "ab", "b/1"], []),
        ({"KeyMarker": "a/0"}, ["a/1", "a/1", "a/2", "a/b/3", "a/gone", "a/gone", "ab", "b/1"], []),
        ({"KeyMarker": "a/3"}, ["a/b/3", "a/gone", "a/gone", "ab", "b/1"], []),
        ({"KeyMarker": "c"}, [], []),
        ({"Delimiter": "/"}, ["ab"], ["a/", "b/"]),
        ({"Delimiter": "/", "KeyMarker": "a/"}, ["ab"], ["b/"]),
        ({"Delimiter": "/", "KeyMarker": "ab"}, [], ["b/"]),
        ({"Delimiter": "/", "Prefix": "a/", "KeyMarker": "a/2"}, ["a/gone", "a/gone"], ["a/b/"]),
    ],
)
def test_versions_are_listed_behind_a_key(
    s3: Any, asked: dict[str, Any], expected: list[Any], folders: list[str]
) -> None:
    answer = s3.list_object_versions(Bucket="listed", **asked)
    found = versions(answer)
    assert (found if expected and isinstance(expected[0], tuple) else [key for key, _ in found]) == expected
    assert [item["Prefix"] for item in answer.get("CommonPrefixes", ())] == folders
    assert not answer["IsTruncated"]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_of_versions_have_each_once(s3: Any, size: int, delimiter: str) -> None:
    asked = {"Delimiter": delimiter} if delimiter else {}
    pages = list(
        s3.get_paginator("list_object_versions").paginate(
            Bucket="listed", Prefix="a", PaginationConfig={"PageSize": size}, **asked
        )
    )
    found = [item for page in pages for item in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]]
    folders = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ())]
    assert len({(item["Key"], item["VersionId"]) for item in found}) == len(found) == (1 if delimiter else 7)
    assert folders == (["a/"] if delimiter else [])
    assert {item["Key"] for item in found if item["IsLatest"]} == ({"ab"} if delimiter else {*KEYS} - {"b/1"})


def test_moto_itself_still_leaves_out_a_version_behind_a_key_that_is_not_there(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(S3Backend, "list_object_versions", s3_listing._moto_list_object_versions)
    answer = s3.list_object_versions(Bucket="listed", KeyMarker="a/3")
    assert "a/b/3" not in [key for key, _ in versions(answer)]


def test_moto_itself_still_goes_through_all_keys() -> None:
    assert "bucket.keys.items()" in inspect.getsource(s3_listing._moto_list_objects)
