from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from lambdas.planning.media_headers.s3_source import S3Source
from tests.lambdas.conftest import MEDIA
from tests.lambdas.planning.media_headers.recordings import encode

KEY = "media/p-1/a b+c%20é.wav"


def test_a_recording_in_s3_is_read(s3: Any) -> None:
    s3.put_object(Bucket=MEDIA, Key=KEY, Body=encode("wav", "pcm_s16le"))
    source = S3Source(MEDIA, KEY, s3.head_object(Bucket=MEDIA, Key=KEY))
    assert read_header(source) == Header("wav", 3.0, 3.0, 16_000, 1)


def test_only_the_range_is_read(s3: Any) -> None:
    s3.put_object(Bucket=MEDIA, Key=KEY, Body=b"0123456789")
    source = S3Source(MEDIA, KEY, s3.head_object(Bucket=MEDIA, Key=KEY))
    assert (source.size, source.read(3, 4), source.read(9, 1)) == (10, b"3456", b"9")


def test_an_object_that_was_replaced_is_an_error(s3: Any) -> None:
    s3.put_object(Bucket=MEDIA, Key=KEY, Body=b"old")
    source = S3Source(MEDIA, KEY, s3.head_object(Bucket=MEDIA, Key=KEY))
    assert source.read(0, 3) == b"old"
    s3.put_object(Bucket=MEDIA, Key=KEY, Body=b"new")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        source.read(0, 3)
