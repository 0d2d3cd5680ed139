import json
from typing import Any

import pytest

from lambdas.shared.rejections import most_alike, read_rejection, rejected_media, rejection, write_rejection
from lambdas.shared.state import NamedRecording

BUCKET = "clinical-bucket"


def recording(number: int) -> NamedRecording:
    return {"media_id": f"m{number}", "user_id": f"p-{number}", "uri": f"s3://b/media/p-{number}/a.wav"}


def test_what_is_rejected_is_read_again(s3: Any) -> None:
    for number in (1, 2):
        write_rejection(BUCKET, "batch", f"m{number}", f"reason {number}")
    write_rejection(BUCKET, "another", "m3", "reason 3")
    assert rejected_media(BUCKET, "batch") == {"m1", "m2"}
    assert read_rejection(BUCKET, "batch", recording(2)) == {**recording(2), "reason": "reason 2"}


def test_the_file_of_a_rejection_names_no_patient(s3: Any) -> None:
    write_rejection(BUCKET, "batch", "m1", "The object was deleted.")
    (key,) = (item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="batches/")["Contents"])
    written = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert written == {"media_id": "m1", "reason": "The object was deleted."}


def test_a_rejection_that_cannot_be_read_still_names_its_recording(s3: Any) -> None:
    begin = "The reason of the rejection can't be read: s3://clinical-bucket/batches/batch/rejections/m1.json "
    assert read_rejection(BUCKET, "batch", recording(1))["reason"].startswith(f"{begin}is not there")
    for body in (b"", b"\xff", b"{}", b"[]", json.dumps({"reasons": 5}).encode()):
        s3.put_object(Bucket=BUCKET, Key="batches/batch/rejections/m1.json", Body=body)
        unread = read_rejection(BUCKET, "batch", recording(1))
        assert unread == {**recording(1), "reason": unread["reason"]}
        assert unread["reason"].startswith(f"{begin}can't be understood")


@pytest.mark.parametrize(
    ("reasons", "most"),
    [
        ([], 0),
        (["The file is empty (0 bytes)."], 1),
        (["The recording is 14400.50 seconds long.", "The recording is 15000.00 seconds long."], 2),
        (["The file name ends in 'txt'; convert it.", "The file name ends in 'pdf'; convert it."], 2),
        (["s3://b/transcripts/x.json can't be understood.", "s3://b/transcripts/y.json can't be understood."], 2),
        (["The object is archived (GLACIER).", "The object is archived (DEEP_ARCHIVE)."], 1),
    ],
)
def test_reasons_are_alike_but_for_what_tells_one_recording_from_another(reasons: list[str], most: int) -> None:
    assert most_alike(rejection(recording(1), reason) for reason in reasons) == most
