"""What of each kind of object is searched, in each scope, and what of it names a patient."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

import pytest
from botocore.exceptions import ClientError

from lambdas.searching import reading
from lambdas.searching.categories import Buckets
from lambdas.searching.files import Request, Scope, request
from lambdas.searching.listing import Entry, read_page
from lambdas.searching.reading import Places, Search
from lambdas.searching.traces import Traces
from lambdas.shared.layout import Content
from local.aws import s3_customer_keys
from tests.lambdas.conftest import ACCESS_LOGS, AUDIENCE, CLINICAL, MEDIA, OPERATIONS

ID, OTHER = "0123456789abcdef" * 2, "f" * 32
LOG = "clinical/2026-11-27-10-00-00-0123456789ABCDEF"
TRACES = Traces(["p-1"], [ID], others=["p-1-b"])
PLACES = Places(
    Buckets(MEDIA, CLINICAL, AUDIENCE, OPERATIONS, ACCESS_LOGS),
    {bucket: f"arn:aws:kms:us-east-1:123456789012:key/{bucket}" for bucket in (CLINICAL, AUDIENCE, OPERATIONS)},
)
ALL: tuple[Scope, ...] = ("logs", "stored", "every byte")
STORED: tuple[Scope, ...] = ("stored", "every byte")
EVERY_BYTE: tuple[Scope, ...] = ("every byte",)
NEVER: tuple[Scope, ...] = ()


def found(s3: Any, scope: Scope, bucket: str, logs_since: str | None = None) -> list[bool]:
    """Of each version of the bucket, in the order of the listing, whether it names a patient."""
    search = Search(s3, PLACES, request(TRACES, scope, logs_since))
    return [is_found(search, entry) for entry in read_page(s3, bucket, {}).entries]


def is_found(search: Search, entry: Entry) -> bool:
    if search.is_in_key(entry.version):
        return True
    return search.needs_reading(entry) and search.is_in_content(entry.version)


class Case(NamedTuple):
    bucket: str
    key: str
    body: bytes
    scopes: tuple[Scope, ...]  # in which it is found
    metadata: Mapping[str, str] = MappingProxyType({})


THEIRS = json.dumps({"user_id": "p-1"}).encode()
NOBODY = json.dumps({"user_id": "p-2", "said": "p-1-b, not p-12"}).encode()
CASES = [
    # The key is enough.
    Case(MEDIA, "media/p-1/a.wav", b"", ALL),
    Case(MEDIA, "media/p-2/p-1.wav", b"p-1", NEVER),
    Case(MEDIA, "media/p-2/a.wav", b"", EVERY_BYTE, {"patient": "p-1"}),
    Case(MEDIA, "media/p-2/a.wav", b"p-1", NEVER, {"patient": "p-2"}),
    Case(CLINICAL, f"transcripts/{ID}-1.json", b"", ALL),
    Case(CLINICAL, f"batches/{OTHER}/rejections/{ID}.json", b"", ALL),
    Case(CLINICAL, "batches/visit of p-1/plan.json", b"{}", ALL),
    # An object about one other recording.
    Case(CLINICAL, f"transcripts/{OTHER}-1.json", b"we saw p-1", NEVER),
    Case(CLINICAL, f"transcripts/{OTHER}-1.json", f"see {ID}".encode(), EVERY_BYTE),
    Case(CLINICAL, f"transcripts/{OTHER}-1.json", b"", EVERY_BYTE, {"from": f"documents/{ID}"}),
    Case(CLINICAL, f"records/{OTHER}.jsonl", THEIRS, EVERY_BYTE),
    Case(CLINICAL, f"records/{OTHER}.jsonl", NOBODY, NEVER),
    Case(CLINICAL, f"batches/drop/rejections/{OTHER}.json", THEIRS, EVERY_BYTE),
    Case(CLINICAL, f"documents/{OTHER}/{OTHER}-0000.txt", b"media/p-1/", EVERY_BYTE),
    # An object whose key names no recording, as a derived id would.
    Case(CLINICAL, "transcripts/visit.json", b"we saw p-1", STORED),
    Case(CLINICAL, "transcripts/visit.json", b"we saw p-1-b", NEVER),
    # Objects about several recordings.
    Case(CLINICAL, "batches/drop/plan.json", json.dumps({"recordings": [{"user_id": "p-1"}]}).encode(), STORED),
    Case(CLINICAL, "batches/drop/plan.json", NOBODY, NEVER),
    Case(CLINICAL, "batches/drop/plan.json", b"no JSON about p-1", STORED),
    Case(CLINICAL, "batches/drop/plan.json", b"{}", STORED, {"patient": "p-1"}),
    Case(CLINICAL, "batches/drop/documents-1.jsonl", NOBODY + b"\n" + THEIRS, STORED),
    Case(CLINICAL, "batches/drop/report.html", b"<li>Patient p-1</li>", STORED),
    Case(CLINICAL, "batches/drop/report.html", b"<li>Patient p-2</li> p-1", NEVER),
    Case(CLINICAL, f"entity-jobs/{OTHER}.json", json.dumps([f"{ID}-0000.txt"]).encode(), STORED),
    Case(CLINICAL, "queries/result.csv", b"a,p-1,b", STORED),
    Case(AUDIENCE, "seeds/asthma/seed.jsonl", THEIRS, STORED),
    Case(AUDIENCE, "seeds/asthma/seed.jsonl", NOBODY, NEVER),
    # What no search reads.
    Case(AUDIENCE, "suppression/user_ids.txt", b"p-1", NEVER),
    Case(CLINICAL, "searches/s/request.json", THEIRS, NEVER),
    # What nobody knows.
    Case(CLINICAL, "copy of p-1", b"", ALL),
    Case(CLINICAL, "notes.txt", b"we saw p-1", STORED),
    Case(CLINICAL, "notes.txt", b"we saw p-1-b", NEVER),
    Case(OPERATIONS, "notes.txt", b"we saw p-1", STORED),
    Case(OPERATIONS, "notes about p-1.txt", b"", ALL),
    # Its content can't be read: there is no right to that key.
    Case(MEDIA, "notes.txt", b"content", STORED),
    Case(MEDIA, "notes.txt", b"", NEVER),
    Case(MEDIA, "notes.txt", b"", STORED, {"patient": "p-1"}),
    Case(ACCESS_LOGS, LOG, b'"GET /media/p-1/a.wav"', ALL),
    Case(ACCESS_LOGS, LOG, b'"GET /media/p-2/p-1.wav"', NEVER),
    Case(ACCESS_LOGS, "notes.txt", b"we saw p-1", STORED),
    Case(ACCESS_LOGS, "notes about p-1.txt", b"", ALL),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.bucket}-{case.key}")
def test_an_object_is_found_in_exactly_these_scopes(s3: Any, case: Case) -> None:
    s3.put_object(Bucket=case.bucket, Key=case.key, Body=case.body, Metadata=dict(case.metadata))
    assert [scope for scope in ALL if found(s3, scope, case.bucket) == [True]] == list(case.scopes)


def test_every_kind_of_content_has_its_way_to_be_read() -> None:
    assert set(reading._READ) == set(get_args(Content))


def test_an_earlier_version_is_read_and_a_delete_marker_is_known_by_its_key(s3: Any) -> None:
    for body in (THEIRS, NOBODY):
        s3.put_object(Bucket=AUDIENCE, Key="seeds/asthma/a.jsonl", Body=body)
    s3.delete_object(Bucket=AUDIENCE, Key="seeds/asthma/a.jsonl")
    assert sorted(found(s3, "stored", AUDIENCE)) == [False, False, True]
    s3.put_object(Bucket=MEDIA, Key="media/p-1/a.wav", Body=b"")
    s3.delete_object(Bucket=MEDIA, Key="media/p-1/a.wav")
    assert found(s3, "stored", MEDIA) == [True, True]


@pytest.mark.parametrize(("before", "expected"), [(timedelta(hours=-1), [False]), (timedelta(hours=1), [True])])
def test_access_logs_that_an_earlier_search_has_read_are_not_read_again(
    s3: Any, before: timedelta, expected: list[bool]
) -> None:
    s3.put_object(Bucket=ACCESS_LOGS, Key=LOG, Body=b"media/p-1/")
    since = (datetime.now(UTC) - before).isoformat()
    assert found(s3, "stored", ACCESS_LOGS, since) == expected
    assert found(s3, "logs", ACCESS_LOGS, since) == expected


def test_a_log_of_the_second_in_which_the_earlier_search_began_is_read_again(s3: Any) -> None:
    s3.put_object(Bucket=ACCESS_LOGS, Key=LOG, Body=b"media/p-1/")
    written = read_page(s3, ACCESS_LOGS, {}).entries[0].written
    since = written.replace(microsecond=999_999).isoformat()
    entry = Entry(read_page(s3, ACCESS_LOGS, {}).entries[0].version, written.replace(microsecond=0))
    assert Search(s3, PLACES, request(TRACES, "logs", since)).needs_reading(entry)


def test_a_version_that_was_deleted_meanwhile_is_gone(s3: Any) -> None:
    s3.put_object(Bucket=CLINICAL, Key="notes.txt", Body=b"p-1")
    s3.put_object(Bucket=CLINICAL, Key="batches/drop/plan.json", Body=THEIRS)
    s3.put_object(Bucket=MEDIA, Key="media/p-2/a.wav", Body=b"", Metadata={"patient": "p-1"})
    search = Search(s3, PLACES, request(TRACES, "every byte"))
    entries = [entry for bucket in (CLINICAL, MEDIA) for entry in read_page(s3, bucket, {}).entries]
    for entry in entries:
        version = entry.version
        s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    assert [is_found(search, entry) for entry in entries] == [False] * 3


def test_content_that_need_not_fit_into_memory_is_read_in_pieces(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(*_: Any) -> Any:
        raise AssertionError("read as a whole")

    monkeypatch.setattr(reading, "read", whole)
    monkeypatch.setattr("lambdas.searching.versions._PIECE_BYTES", 16)
    for key in ("notes.txt", "queries/result.csv", "transcripts/visit.json"):
        s3.put_object(Bucket=CLINICAL, Key=key, Body=b"x" * 100 + b" p-1 " + b"x" * 100)
    assert found(s3, "stored", CLINICAL) == [True] * 3


# Objects that can't be read.


class Refusing:
    """S3 that refuses to read, as the methods in `refused` say."""

    def __init__(self, s3: Any, **refused: tuple[str, int]) -> None:
        self._s3, self._refused = s3, refused

    def __getattr__(self, method: str) -> Any:
        if method not in self._refused:
            return getattr(self._s3, method)
        code, status = self._refused[method]
        operation = {"get_object": "GetObject", "head_object": "HeadObject"}[method]
        answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

        def refuse(**_: Any) -> None:
            raise ClientError(answer, operation)

        return refuse


@pytest.fixture
def customer_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto with objects that need their uploader's key."""
    from moto.s3.responses import S3Response

    for name in ("put_object", "get_object", "head_object"):
        monkeypatch.setattr(S3Response, name, getattr(s3_customer_keys, name))
    yield


@pytest.mark.usefixtures("customer_keys")
def test_objects_that_cannot_be_read_for_their_own_sake_count_as_found_and_stop_no_other(s3: Any) -> None:
    s3.put_object(Bucket=CLINICAL, Key="a.txt", Body=b"", StorageClass="GLACIER")
    s3.put_object(Bucket=CLINICAL, Key="b.txt", Body=b"", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)
    s3.put_object(Bucket=CLINICAL, Key="batches/drop/plan.json", Body=b"{}", StorageClass="DEEP_ARCHIVE")
    s3.put_object(Bucket=CLINICAL, Key="c.txt", Body=b"nobody")
    s3.put_object(Bucket=MEDIA, Key="media/p-2/a.wav", Body=b"", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)
    s3.put_object(Bucket=MEDIA, Key="media/p-2/b.wav", Body=b"", StorageClass="GLACIER")  # its metadata can be read
    assert found(s3, "stored", CLINICAL) == [True, True, True, False]
    assert found(s3, "every byte", MEDIA) == [True, False]


FOREIGN_KEY = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/foreign"}
OWN_KEY = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": PLACES.keys[CLINICAL]}
KEY_REFUSALS = [
    ("AccessDenied", 403),
    ("KMS.DisabledException", 400),
    ("KMS.NotFoundException", 400),
    ("KMS.KMSInvalidStateException", 400),
]


@pytest.mark.parametrize("refused", KEY_REFUSALS)
def test_a_foreign_key_is_the_object_s_own_fault_and_ours_is_not(s3: Any, refused: tuple[str, int]) -> None:
    refusing = Refusing(s3, get_object=refused)
    s3.put_object(Bucket=CLINICAL, Key="notes.txt", Body=b"", **FOREIGN_KEY)
    assert found(refusing, "stored", CLINICAL) == [True]
    s3.put_object(Bucket=ACCESS_LOGS, Key=LOG, Body=b"", **FOREIGN_KEY)
    assert found(refusing, "logs", ACCESS_LOGS) == [True]
    s3.put_object(Bucket=CLINICAL, Key="notes.txt", Body=b"", **OWN_KEY)
    with pytest.raises(ClientError):
        found(refusing, "stored", CLINICAL)


@pytest.mark.parametrize(
    ("bucket", "key", "refused"),
    [
        (CLINICAL, "notes.txt", {"get_object": ("AccessDenied", 403)}),
        (CLINICAL, "notes.txt", {"get_object": ("AccessDenied", 403), "head_object": ("403", 403)}),
        (CLINICAL, "notes.txt", {"get_object": ("InternalError", 500)}),
        (CLINICAL, "notes.txt", {"get_object": ("SlowDown", 503)}),
        (CLINICAL, "batches/drop/plan.json", {"get_object": ("AccessDenied", 403)}),
        (ACCESS_LOGS, LOG, {"get_object": ("AccessDenied", 403)}),
        (MEDIA, "media/p-2/a.wav", {"head_object": ("403", 403)}),
        (MEDIA, "media/p-2/a.wav", {"head_object": ("503", 503)}),
    ],
)
def test_without_a_right_or_in_an_outage_there_is_no_proof(
    s3: Any, bucket: str, key: str, refused: dict[str, tuple[str, int]]
) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    with pytest.raises(ClientError):
        found(Refusing(s3, **refused), "every byte", bucket)


def test_a_request_has_what_a_search_needs() -> None:
    wanted: Request = request(TRACES, "stored")
    assert json.loads(json.dumps(wanted)) == wanted
