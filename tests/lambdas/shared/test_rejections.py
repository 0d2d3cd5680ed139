import json
from typing import Any

from lambdas.shared.rejections import read_rejections, rejected_media, write_rejection

BUCKET = "clinical-bucket"


def recording(number: int) -> dict[str, Any]:
    return {"media_id": f"m{number}", "user_id": f"p-{number}", "uri": f"s3://b/media/p-{number}/a.wav"}


def test_what_is_rejected_is_read_again_in_the_order_of_the_plan(s3: Any) -> None:
    for number in (1, 2):
        write_rejection(BUCKET, "batch", recording(number), f"reason {number}")
    write_rejection(BUCKET, "another", recording(3), "reason 3")
    assert rejected_media(BUCKET, "batch") == {"m1", "m2"}
    planned = [recording(number) for number in (4, 2, 3, 1)]
    assert list(read_rejections(BUCKET, "batch", planned)) == [
        {**recording(number), "reason": f"reason {number}"} for number in (2, 1)
    ]


def test_a_rejection_that_cannot_be_read_is_told_with_whose_it_is(s3: Any) -> None:
    write_rejection(BUCKET, "batch", recording(1), "reason")
    for body in (b"", b"\xff", b"{}", b"[]", json.dumps({"reasons": 5}).encode()):
        s3.put_object(Bucket=BUCKET, Key="batches/batch/rejections/m1.json", Body=body)
        (rejection,) = read_rejections(BUCKET, "batch", [recording(1)])
        assert rejection["uri"] == recording(1)["uri"]
        assert rejection["reason"].startswith(
            "Its reason can't be told: s3://clinical-bucket/batches/batch/rejections/"
        )
