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


def test_moto_itself_still_goes_through_all_keys() -> None:
    assert "bucket.keys.items()" in inspect.getsource(s3_listing._moto_list_objects)
