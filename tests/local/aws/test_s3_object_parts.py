import uuid
from typing import Any

import pytest

from local.server import LocalAws

PARTS = [b"a" * 5 * 1024 * 1024, b"b" * 10]


@pytest.fixture
def s3(local_aws: LocalAws) -> Any:
    return local_aws.client("s3")


def uploaded(s3: Any) -> dict[str, str]:
    """Bucket and key of an object that was uploaded in `PARTS`."""
    here = {"Bucket": f"bucket-{uuid.uuid4().hex[:8]}", "Key": "in parts"}
    s3.create_bucket(Bucket=here["Bucket"])
    upload = {**here, "UploadId": s3.create_multipart_upload(**here)["UploadId"]}
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(PARTS, start=1)
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    return here


def attributes(s3: Any, here: dict[str, str], wanted: tuple[str, ...]) -> Any:
    return s3.get_object_attributes(**here, ObjectAttributes=list(wanted))


def test_the_number_of_parts_is_answered(s3: Any) -> None:
    found = attributes(s3, uploaded(s3), ("ObjectParts", "ObjectSize"))
    assert (found["ObjectSize"], found["ObjectParts"]) == (sum(map(len, PARTS)), {"TotalPartsCount": 2})
    assert attributes(s3, uploaded(s3), ("ObjectParts",))["ObjectParts"] == {"TotalPartsCount": 2}


def test_an_object_that_was_uploaded_at_once_has_no_parts(s3: Any) -> None:
    here = {"Bucket": f"bucket-{uuid.uuid4().hex[:8]}", "Key": "whole"}
    s3.create_bucket(Bucket=here["Bucket"])
    s3.put_object(**here, Body=b"x")
    assert "ObjectParts" not in attributes(s3, here, ("ObjectParts", "ObjectSize"))
    assert "ObjectParts" not in attributes(s3, uploaded(s3), ("ObjectSize",))
