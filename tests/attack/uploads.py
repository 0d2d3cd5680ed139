"""Writes and reads that only a bucket's own policy can refuse: the caller's rights would let them through."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from local.aws.credentials import ACCOUNT_ID, operator_credentials
from local.aws.policies import Decision, Request, evaluate
from tests.attack.matrix import REFUSALS, Verdict
from tests.attack.stage import BODY, HELD, Stage

AREA = "uploads"
# Transcribe writes it, without content and with headers that aren't documented, to try whether it may write.
ACCESS_CHECK = "transcripts/.write_access_check_file.temp"
STORES = ("media", "clinical", "audience", "operations")


def attack_uploads(stage: Stage) -> Iterator[Verdict]:
    """As the intruder, who may write everywhere: only what ends under the bucket's own key, and the access check."""
    s3 = stage.actor.client("s3")
    stage.actor.become(stage.intruder)
    for store in STORES:
        own = f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/{stage.keys[f'{store}-key']}"
        kms = {"ServerSideEncryption": "aws:kms"}
        by_id = {"SSEKMSKeyId": stage.keys[f"{store}-key"]}
        to = {"Bucket": stage.buckets[store], "Key": "attack/upload"}
        source = {"Bucket": stage.buckets["bystander"], "Key": f"other/{HELD}"}
        for what, allowed, call, headers in (
            ("nothing asked for", True, s3.put_object, {}),
            ("our key by its ARN", True, s3.put_object, kms | {"SSEKMSKeyId": own}),
            ("our key by its id", True, s3.put_object, kms | by_id),
            ("SSE-S3", False, s3.put_object, {"ServerSideEncryption": "AES256"}),
            ("the AWS managed key", False, s3.put_object, kms),
            ("another store's key", False, s3.put_object, kms | {"SSEKMSKeyId": other_key(stage, store)}),
            ("a key of another's", False, s3.put_object, kms | {"SSEKMSKeyId": stage.keys["bystander-key"]}),
            ("an alias", False, s3.put_object, kms | {"SSEKMSKeyId": "alias/clinical-media-local-clinical"}),
            ("a key of the caller's", False, s3.put_object, customer_key()),
            ("SSE-S3 in parts", False, s3.create_multipart_upload, {"ServerSideEncryption": "AES256"}),
            ("SSE-S3 by a copy", False, s3.copy_object, {"ServerSideEncryption": "AES256", "CopySource": source}),
            ("another key by a copy", False, s3.copy_object,
             kms | {"SSEKMSKeyId": other_key(stage, store), "CopySource": source}),
        ):  # fmt: skip
            body = {"Body": BODY} if call == s3.put_object else {}
            yield verdict(store, f"write with {what}", allowed, outcome_of(call, to | headers | body))
        for key, listed in ((ACCESS_CHECK, store == "clinical"), (f"{ACCESS_CHECK}/x", False)):
            for what, headers in (
                ("SSE-S3", {"ServerSideEncryption": "AES256"}),
                ("another store's key", kms | {"SSEKMSKeyId": other_key(stage, store)}),
                ("a key of the caller's", customer_key()),
            ):
                code = outcome_of(s3.put_object, to | {"Key": key} | headers)
                yield verdict(store, f"write of {key} with {what}", listed, code)
    stage.actor.become(operator_credentials())
    yield from attack_transport(stage)


def other_key(stage: Stage, store: str) -> str:
    name = "media-key" if store != "media" else "clinical-key"
    return f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/{stage.keys[name]}"


def customer_key() -> dict[str, str]:
    # As headers: the SDK takes such a key over TLS only, which the local AWS doesn't speak.
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32}


def outcome_of(call: Callable[..., Any], parameters: dict[str, Any]) -> str:
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def attack_transport(stage: Stage) -> Iterator[Verdict]:
    """Without TLS, or with an old one. Nobody can try it here: the deployed policies are asked instead."""
    s3, sqs = stage.actor.client("s3"), stage.actor.client("sqs")
    plain, old = {"aws:SecureTransport": "false"}, {"aws:SecureTransport": "true", "s3:TlsVersion": "1.1"}
    for store in (*STORES, "accesslogs"):
        bucket = stage.buckets[store]
        policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        for action, resource in (("PutObject", f"/{HELD}"), ("GetObject", f"/{HELD}"), ("ListBucket", "")):
            for how, context in (("without TLS", plain), ("with TLS 1.1", old)):
                request = Request(f"s3:{action}", f"arn:aws:s3:::{bucket}{resource}", context, account=ACCOUNT_ID)
                yield denied(store, f"{action} {how}", policy, request)
    for name, url in stage.queues.items():
        if name != "bystander":
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "QueueArn"])["Attributes"]
            for action in ("SendMessage", "ReceiveMessage"):
                request = Request(f"sqs:{action}", attributes["QueueArn"], plain, account=ACCOUNT_ID)
                yield denied(name, f"{action} without TLS", attributes["Policy"], request)


def denied(who: str, what: str, policy: str, request: Request) -> Verdict:
    decision = evaluate([json.loads(policy)], request)
    return verdict(who, what, False, "AccessDenied" if decision is Decision.DENY else "")


def verdict(who: str, what: str, allowed: bool, code: str) -> Verdict:
    """`code` is the error that it ended in."""
    if code in REFUSALS and not allowed:
        return Verdict(AREA, who, what, "refused")
    if not code and allowed:
        return Verdict(AREA, who, what, "allowed")
    return Verdict(AREA, who, what, "wrong", f"{who}: {what} ends in {code or 'success'}")
