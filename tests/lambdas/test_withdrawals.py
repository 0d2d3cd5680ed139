from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.recordings import Recording
from lambdas.shared.identity import digest
from lambdas.withdrawals import read_withdrawals, withdraw

MEDIA, CLINICAL, KEY = "media-bucket", "clinical-bucket", "media/p-1/a.wav"
OBJECT_ID = digest(MEDIA, KEY)
EARLIER, LATER = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"


def version(**more: Any) -> Recording:
    known: dict[str, Any] = {"uploaded_at": EARLIER, **more}
    return Recording(f"s3://{MEDIA}/{KEY}", "p-1", OBJECT_ID, "m", **known)


def withdrawn(*versions: Recording) -> dict[str, str]:
    with ThreadPoolExecutor(2) as pool:
        withdraw(pool, versions)
    return read_withdrawals(CLINICAL)


def test_a_version_that_consents_withdraws_nothing(s3: Any) -> None:
    assert withdrawn(version(audience_consent=True)) == {}


@pytest.mark.parametrize("rejected", [None, "The file is empty (0 bytes)."])
def test_a_version_that_does_not_consent_withdraws_whatever_becomes_of_it(s3: Any, rejected: str | None) -> None:
    assert withdrawn(version(rejected=rejected)) == {OBJECT_ID: EARLIER}


def test_the_last_withdrawal_counts_in_whatever_order_they_come(s3: Any) -> None:
    assert withdrawn(version(uploaded_at=LATER), version()) == {OBJECT_ID: LATER}


def test_a_version_of_which_s3_tells_no_head_withdraws_from_when_it_is_listed(s3: Any) -> None:
    s3.put_object(Bucket=MEDIA, Key=KEY, Body=b"")
    (moment,) = withdrawn(version(uploaded_at=None, rejected="denied", unseen=True)).values()
    assert moment == s3.head_object(Bucket=MEDIA, Key=KEY)["LastModified"].isoformat()


def test_a_recording_that_is_gone_withdraws_nothing(s3: Any) -> None:
    for unseen in (True, False):
        assert withdrawn(version(uploaded_at=None, rejected="gone", unseen=unseen)) == {}


def test_an_object_that_is_nobody_s_recording_withdraws_nothing(s3: Any) -> None:
    nobody = version()._replace(user_id=None)
    assert withdrawn(nobody) == {}
