"""The removal of pointers to a cohort's seed."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.searching.categories import Category
from lambdas.searching.versions import list_versions
from operations.deployed import Connection, Deployed
from operations.forgetting.removal import seed_pointers
from operations.forgetting.survey import Findings, Object
from tests.operations.buckets import BUCKETS

AUDIENCE = "audience"
POINTER = "seeds/c/latest.json"
DEPLOYED = Deployed(
    Connection(boto3.Session(region_name="us-east-1"), None),
    "prefix",
    BUCKETS,
    "ledger",
    "members",
    "machine",
    {},
)


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=AUDIENCE)
        client.put_bucket_versioning(Bucket=AUDIENCE, VersioningConfiguration={"Status": "Enabled"})
        client.put_object(Bucket=AUDIENCE, Key="seeds/c/theirs.jsonl", Body=b'{"user_id": "p-1"}\n')
        yield client


def point(s3: Any, body: str) -> None:
    s3.put_object(Bucket=AUDIENCE, Key=POINTER, Body=body.encode())


def named(seed: str) -> str:
    return json.dumps({"seed_uri": f"s3://{AUDIENCE}/seeds/c/{seed}.jsonl"})


def gone(s3: Any) -> int:
    """How many versions of the pointer are removed with a patient who is in one seed."""
    (seed,) = list_versions(s3, AUDIENCE, "seeds/c/theirs.jsonl")
    return len(seed_pointers(DEPLOYED, Findings([], [Object(seed, Category("seeds", "lines"))])))


def test_a_pointer_to_a_seed_with_the_patient_goes_with_all_its_versions(s3: Any) -> None:
    for seed in ("others", "theirs"):
        point(s3, named(seed))
    assert gone(s3) == 2


def test_a_pointer_to_a_seed_without_the_patient_stays(s3: Any) -> None:
    """Without a pointer, the next batch would make a seed that may differ only by one new patient."""
    for seed in ("theirs", "others"):
        point(s3, named(seed))
    assert gone(s3) == 0


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"seed_uri": 5}', "\\xff"])
def test_a_pointer_that_can_not_be_read_goes(s3: Any, body: str) -> None:
    point(s3, body)
    assert gone(s3) == 1


def test_without_a_seed_that_holds_the_patient_no_pointer_goes(s3: Any) -> None:
    point(s3, named("others"))
    assert seed_pointers(DEPLOYED, Findings([], [])) == []
