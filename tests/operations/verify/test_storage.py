"""TLS, which the local AWS doesn't speak."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.deployed import Connection, Deployed
from operations.verify import storage
from operations.verify.checks import Verdict, finding
from tests.operations.buckets import BUCKETS

(PLAIN_HTTP,) = [check for check in storage.CHECKS if check.point == "plain-http"]


class Session:
    """A session whose S3 answers with this status; it records how its client was made."""

    def __init__(self, status: int) -> None:
        self.status, self.options = status, dict[str, Any]()

    def client(self, service: str, **options: Any) -> Any:
        self.options = options
        return self

    def head_bucket(self, Bucket: str) -> None:
        if self.status != 200:
            raise ClientError({"Error": {"Code": str(self.status), "Message": ""}}, "HeadBucket")


def observed(session: Session, endpoint_url: str | None = None) -> Any:
    connection = Connection(session, endpoint_url)
    deployed = Deployed(connection, "clinical-media-dev", BUCKETS, "ledger", "members", "", {})
    return SimpleNamespace(deployed=deployed)


@pytest.mark.parametrize(("status", "verdict"), [(403, Verdict.HOLDS), (200, Verdict.REFUTED), (503, Verdict.NOT_SEEN)])
def test_a_bucket_that_answers_without_tls_is_refuted(status: int, verdict: Verdict) -> None:
    session = Session(status)
    assert finding(PLAIN_HTTP, observed(session)).verdict is verdict
    assert session.options["use_ssl"] is False


def test_another_endpoint_is_not_s3() -> None:
    found = finding(PLAIN_HTTP, observed(Session(200), "http://127.0.0.1:4566"))
    assert found.verdict is Verdict.NOT_SEEN
