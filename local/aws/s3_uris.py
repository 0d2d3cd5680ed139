"""`s3://` URIs as AWS's services accept them, more loosely than lambdas/shared/uris.py, which is for our own."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key, or prefix; `s3://bucket` has an empty one."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
