import datetime
import uuid
from typing import Any
from urllib.parse import quote

import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.config import Config

from local.aws.credentials import administrator_credentials
from local.server import LocalAws

V4 = Config(signature_version="s3v4")
CONSENT = {"x-amz-meta-consent": "true"}
KEYS = ["here", "in/visite médicale.wav", "in/a+b & c%20d.wav", "in//x/y=1;z.wav"]


@pytest.fixture
def bucket(local_aws: LocalAws) -> str:
    s3, name = local_aws.client("s3"), f"bucket-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    for key in KEYS:
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


@pytest.fixture
def sign(local_aws: LocalAws, make_role: Any, bucket: str) -> Any:
    """sign(operation, key, actions="s3:*", **parameters) -> a URL that a role with these actions has presigned"""

    def presign(operation: str, key: str, actions: Any = "s3:*", expires: int = 60, **parameters: Any) -> str:
        role = make_role({"Effect": "Allow", "Action": actions, "Resource": "*"})
        url: str = role.client("s3", config=V4).generate_presigned_url(
            operation, Params={"Bucket": bucket, "Key": key, **parameters}, ExpiresIn=expires
        )
        return url

    return presign


def refusal(answer: requests.Response) -> tuple[int, str]:
    """HTTP status and S3's code."""
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


@pytest.mark.parametrize("key", KEYS)
def test_a_presigned_url_reads_the_object(sign: Any, key: str) -> None:
    assert requests.get(sign("get_object", key), timeout=10).content == key.encode()
    assert requests.head(sign("head_object", key), timeout=10).headers["Content-Length"] == str(len(key.encode()))


def test_parameters_of_the_call_are_signed_with_it(sign: Any) -> None:
    url = sign("get_object", "here", ResponseContentType="audio/wav")
    assert requests.get(url, timeout=10).headers["Content-Type"] == "audio/wav"
    assert refusal(requests.get(url.replace("audio", "video"), timeout=10)) == (403, "SignatureDoesNotMatch")


def test_a_presigned_url_writes_the_object_with_its_signed_headers(local_aws: LocalAws, sign: Any, bucket: str) -> None:
    url = sign("put_object", "new", Metadata={"consent": "true"})
    assert requests.put(url, data=b"sound", headers=CONSENT, timeout=10).status_code == 200
    stored = local_aws.client("s3").get_object(Bucket=bucket, Key="new")
    assert (stored["Body"].read(), stored["Metadata"]) == (b"sound", {"consent": "true"})
    changed = {"x-amz-meta-consent": "false"}
    assert refusal(requests.put(url, data=b"sound", headers=changed, timeout=10)) == (403, "SignatureDoesNotMatch")
    assert refusal(requests.put(url, data=b"sound", timeout=10)) == (403, "SignatureDoesNotMatch")


def test_headers_in_the_query_count_as_headers(local_aws: LocalAws, make_role: Any, bucket: str) -> None:
    s3 = make_role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}).client("s3", config=V4)
    # The SDK for JavaScript does so.
    s3.meta.events.register("before-sign.s3.PutObject", lambda request, **_: request.params.update(CONSENT))
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "hoisted"})
    assert "x-amz-meta-consent=true" in url
    assert requests.put(url, data=b"", timeout=10).status_code == 200
    assert local_aws.client("s3").head_object(Bucket=bucket, Key="hoisted")["Metadata"] == {"consent": "true"}


def test_a_presigned_url_gives_the_rights_of_its_signer_only(sign: Any) -> None:
    assert refusal(requests.get(sign("get_object", "here", actions="s3:PutObject"), timeout=10)) == (
        403,
        "AccessDenied",
    )


def test_a_presigned_url_is_good_for_one_object_and_one_method(sign: Any) -> None:
    url = sign("get_object", "here")
    assert refusal(requests.get(url.replace("/here", "/other"), timeout=10)) == (403, "SignatureDoesNotMatch")
    assert refusal(requests.put(url, data=b"x", timeout=10)) == (403, "SignatureDoesNotMatch")


def test_a_presigned_url_expires(sign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=61)
    signature = S3SigV4QueryAuth.add_auth

    def signed_earlier(self: Any, request: Any) -> None:
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: earlier)
        signature(self, request)

    monkeypatch.setattr(S3SigV4QueryAuth, "add_auth", signed_earlier)
    url = sign("get_object", "here", expires=60)
    monkeypatch.undo()
    answer = requests.get(url, timeout=10)
    assert (*refusal(answer), "Request has expired" in answer.text) == (403, "AccessDenied", True)


@pytest.mark.parametrize("seconds", [0, 604_801])
def test_a_presigned_url_is_valid_for_a_week_at_most(sign: Any, seconds: int) -> None:
    answer = requests.get(sign("get_object", "here", expires=seconds), timeout=10)
    assert refusal(answer) == (400, "AuthorizationQueryParametersError")


def test_a_url_that_lacks_a_part_or_has_an_unknown_signer_is_refused(sign: Any) -> None:
    url = sign("get_object", "here")
    without = url.replace("X-Amz-Date=", "date=")
    assert refusal(requests.get(without, timeout=10)) == (400, "AuthorizationQueryParametersError")
    unknown = url.replace("X-Amz-Credential=", "X-Amz-Credential=AKIAUNKNOWN")
    assert refusal(requests.get(unknown, timeout=10)) == (403, "InvalidAccessKeyId")
    token = url.partition("X-Amz-Security-Token=")[2].partition("&")[0]
    assert refusal(requests.get(url.replace(token, quote("another")), timeout=10)) == (400, "InvalidToken")


def test_the_operator_presigns_with_any_secret(local_aws: LocalAws, bucket: str) -> None:
    s3 = local_aws.client("s3", config=V4, aws_secret_access_key="any")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "here"})
    assert requests.get(url, timeout=10).content == b"here"


def test_signatures_of_version_2_are_refused(local_aws: LocalAws, bucket: str) -> None:
    s3 = local_aws.client("s3", config=Config(signature_version="s3"))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "here"})
    assert refusal(requests.get(url, timeout=10)) == (400, "InvalidRequest")


def test_another_account_s_signer_acts_there(local_aws: LocalAws) -> None:
    theirs, name = administrator_credentials("222233334444"), f"theirs-{uuid.uuid4().hex[:8]}"
    local_aws.client("s3", **theirs).create_bucket(Bucket=name)
    s3 = local_aws.client("s3", config=V4, **theirs)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": name, "Key": "new"})
    assert requests.put(url, data=b"x", timeout=10).status_code == 200
    assert s3.get_object(Bucket=name, Key="new")["Body"].read() == b"x"
