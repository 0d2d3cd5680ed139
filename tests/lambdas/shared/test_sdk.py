from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.utils import parse_timestamp

from lambdas.shared import sdk
from lambdas.shared.storage import s3 as client
from tests.lambdas.conftest import CLINICAL


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-27T10:00:00.000Z",
        "2026-11-27T10:00:00Z",
        "2026-11-27T10:00:00.123456Z",
        "2026-11-27T10:00:00+01:00",
        "Fri, 27 Nov 2026 10:00:00 GMT",
        "20261127T100000Z",
        "1764237600",
        1764237600,
        1764237600.5,
    ],
)
def test_a_time_is_read_as_the_sdk_itself_reads_it(value: Any) -> None:
    assert sdk._time(value) == parse_timestamp(value)
    assert sdk._time(value).isoformat() == parse_timestamp(value).isoformat()


def test_a_listing_has_times_in_utc(s3: Any) -> None:
    s3.put_object(Bucket=CLINICAL, Key="a", Body=b"")
    (item,) = client.list_objects_v2(Bucket=CLINICAL)["Contents"]
    assert item["LastModified"].utcoffset() == UTC.utcoffset(None)
    assert abs((datetime.now(UTC) - item["LastModified"]).total_seconds()) < 60
