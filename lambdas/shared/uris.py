"""Objects in S3 as `s3://` URIs."""

from pathlib import PurePosixPath

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAXIMUM_KEY_BYTES = 1024


def uri_of(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def parse_uri(uri: str) -> tuple[str, str]:
    """The bucket and the key of `s3://bucket/key`; the key is never URL-decoded.

    Raises:
        ValueError: `uri` isn't of that form.
    """
    scheme, _, path = uri.partition("s3://")
    bucket, slash, key = path.partition("/")
    if scheme or not bucket or not slash:
        raise ValueError(f"{uri!r} is not of the form s3://bucket/key")
    return bucket, key


def extension_of(name: str) -> str:
    """The extension of a key or a URI in lower-case letters, without the dot; "" for none."""
    return PurePosixPath(name).suffix.lower().removeprefix(".")
