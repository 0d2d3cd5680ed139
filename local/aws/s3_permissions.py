"""The permissions that an S3 request needs, which depend on the stored objects and their encryption.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from collections.abc import Iterator
from urllib.parse import unquote

from moto.s3.models import FakeBucket, FakeKey, s3_backends

from local.aws.calls import Call, Permission

# S3's IAM actions where they differ from the name that moto gives a request.
_S3_ACTIONS = {
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
}
_S3_CONDITION_HEADERS = (
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-acl",
    "x-amz-storage-class",
    "x-amz-copy-source",
)


def s3_permissions(call: Call) -> Iterator[Permission]:
    """The permissions of one S3 request, with those on the KMS keys of the objects it touches."""
    query = call.query()
    context = {f"s3:{name}": call.headers[name] for name in _S3_CONDITION_HEADERS if name in call.headers}
    context |= {f"s3:{name}": query[name] for name in ("prefix", "delimiter", "max-keys") if name in query}
    if "versionId" in query:
        context["s3:VersionId"] = query["versionId"]
    bucket_name, _, key = call.resource.split(":::")[1].partition("/")
    bucket = _bucket(bucket_name)
    context |= {"s3:TlsVersion": "1.3", "s3:ResourceAccount": bucket.account_id if bucket else call.account}
    action = _S3_ACTIONS.get(call.operation, call.operation)
    if action in ("GetObject", "GetObjectVersion"):
        yield from _object_read(call, bucket, key, "GetObjectVersion" if "versionId" in query else "GetObject", context)
    else:
        several = action == "DeleteObject" and not key
        resource = f"{call.resource}/*" if several else call.resource
        yield Permission(f"s3:{action}", resource, context, bucket)
    if action == "PutObject" and bucket is not None:
        if "x-amz-copy-source" in call.headers:
            source = unquote(call.headers["x-amz-copy-source"]).partition("?")[0].lstrip("/")
            source_bucket = _bucket(source.partition("/")[0])
            yield Permission("s3:GetObject", f"arn:aws:s3:::{source}", context, source_bucket)
            yield from _decryption(call, source_bucket, source.partition("/")[2])
        yield from _encryption(call, bucket, key)


def _bucket(name: str) -> FakeBucket | None:
    """The bucket of that name, in any account."""
    if name not in s3_backends.bucket_accounts:
        return None
    partition, account = s3_backends.bucket_accounts[name]
    return s3_backends[account][partition].buckets.get(name)


def _object_read(
    call: Call, bucket: FakeBucket | None, key: str, action: str, context: dict[str, str]
) -> Iterator[Permission]:
    yield Permission(f"s3:{action}", call.resource, context, bucket)
    if bucket is not None and key not in bucket.keys:
        # Without it S3 answers 403 instead of 404, so that it doesn't reveal which keys exist:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html. AWS doesn't document that S3 sends the key
        # as s3:prefix, but callers with that condition on s3:ListBucket do get 404.
        yield Permission("s3:ListBucket", f"arn:aws:s3:::{bucket.name}", {**context, "s3:prefix": key}, bucket)
    elif call.method == "GET" or "x-amz-checksum-mode" in call.headers:
        yield from _decryption(call, bucket, key, call.query().get("versionId"))


def _encryption(call: Call, bucket: FakeBucket, key: str) -> Iterator[Permission]:
    algorithm = call.headers.get("x-amz-server-side-encryption")
    key_id = call.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
    if algorithm is None and "x-amz-server-side-encryption-customer-algorithm" not in call.headers:
        default = (bucket.encryption or {}).get("Rule", {}).get("ApplyServerSideEncryptionByDefault", {})
        algorithm, key_id = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
    # aws:kms without a key is the AWS managed key, which needs no permission.
    if algorithm == "aws:kms" and key_id:
        context = _kms_context(call, bucket, key)
        yield Permission("kms:GenerateDataKey", call.key_arn(key_id), context)
        if "uploadId" in call.query() or "uploads" in call.query():
            yield Permission("kms:Decrypt", call.key_arn(key_id), context)


def _decryption(call: Call, bucket: FakeBucket | None, key: str, version: str | None = None) -> Iterator[Permission]:
    """Each version has its own encryption; without a `version` it is that of the newest one."""
    if bucket is None:
        return
    versions = {str(one.version_id): one for one in bucket.keys.getlist(key, [])}
    stored = bucket.keys.get(key) if version is None else versions.get(version)
    if isinstance(stored, FakeKey) and stored.encryption == "aws:kms" and stored.kms_key_id:
        yield Permission("kms:Decrypt", call.key_arn(stored.kms_key_id), _kms_context(call, bucket, key))


def _kms_context(call: Call, bucket: FakeBucket, key: str) -> dict[str, str]:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html: with a bucket key the context is the bucket
    by_bucket = str((bucket.encryption or {}).get("Rule", {}).get("BucketKeyEnabled", "false")).lower() == "true"
    arn = f"arn:aws:s3:::{bucket.name}" + ("" if by_bucket else f"/{key}")
    return {"kms:ViaService": f"s3.{call.region}.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": arn}
