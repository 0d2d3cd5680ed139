"""A job's access to S3 and to the KMS key, always with the rights of the job's starter."""

import base64
import json
import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from botocore.config import Config

from local.aws import kms_keys
from local.aws.clients import client
from local.aws.credentials import caller_credentials
from local.aws.open_points import played

_S3_URI = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.+)", re.DOTALL)
_HTTPS_URIS = (
    re.compile(r"https?://s3[.-][^/]*amazonaws\.com/(?P<bucket>[^/]+)/(?P<key>.+)", re.DOTALL),
    re.compile(r"https?://(?P<bucket>[^/]+?)\.s3[.-][^/]*amazonaws\.com/(?P<key>.+)", re.DOTALL),
)
WRITE_CHECK = ".write_access_check_file.temp"
_CONFIG = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})


@dataclass(frozen=True)
class Location:
    """An S3 object."""

    bucket: str
    key: str


def media_location(uri: str) -> Location | None:
    """The object that a MediaFileUri names (s3://, or https of S3 itself with a percent-encoded key), else None."""
    if match := _S3_URI.fullmatch(uri):
        return Location(match["bucket"], match["key"])
    for pattern in _HTTPS_URIS:
        if match := pattern.fullmatch(uri):
            return Location(match["bucket"], unquote(match["key"]))
    return None


def transcript_location(bucket: str, output_key: str | None, job_name: str) -> Location:
    """The transcript's location: OutputKey itself if it ends in .json, else a folder of that name.

    Source: StartMedicalTranscriptionJob API reference, OutputKey.
    """
    if not output_key:
        return Location(bucket, f"{job_name}.json")
    if output_key.endswith(".json"):
        return Location(bucket, output_key)
    return Location(bucket, f"{output_key.rstrip('/')}/{job_name}.json")


class CallerStorage:
    """S3 and KMS as the owner of ``access_key_id`` sees them. Methods raise botocore's ClientError."""

    def __init__(self, access_key_id: str, region_name: str) -> None:
        self._arguments: dict[str, Any] = {
            "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
            "region_name": region_name,
            "config": _CONFIG,
            **caller_credentials(access_key_id),
        }
        self._s3 = client("s3", **self._arguments)

    def size(self, location: Location) -> int:
        """Bytes of an object that the caller may read."""
        return int(self._s3.head_object(Bucket=location.bucket, Key=location.key)["ContentLength"])

    def read(self, location: Location) -> bytes:
        return bytes(self._s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read())

    def is_symmetric(self, kms_key_id: str) -> bool:
        """Describe the key; the caller needs that right to encrypt output with it (Transcribe developer guide)."""
        described = client("kms", **self._arguments).describe_key(KeyId=kms_key_id)
        return bool(described["KeyMetadata"]["KeySpec"] == "SYMMETRIC_DEFAULT")

    def write_json(
        self, location: Location, content: dict[str, Any], kms_key_id: str | None, context: dict[str, str] | None
    ) -> None:
        """Write with the KMS key, or explicitly with S3's own key if there is none, as the service does."""
        self._s3.put_object(
            Bucket=location.bucket,
            Key=location.key,
            Body=json.dumps(content, ensure_ascii=False).encode(),
            ContentType="application/json",
            **_encryption(kms_key_id, context),
        )

    def check_write(self, output: Location, kms_key_id: str | None, context: dict[str, str] | None) -> None:
        """Write an empty object beside `output`, in the variant that checks the write access this way.

        Whether it does, and with which headers, is an open point (`transcribe_write_check` of `local.aws.open_points`).
        """
        folder = output.key.rpartition("/")[0]
        key = f"{folder}/{WRITE_CHECK}" if folder else WRITE_CHECK
        match played().transcribe_write_check:
            case "none":
                return
            case "without-headers":
                headers = {}
            case "as-output":
                headers = _encryption(kms_key_id, context)
            case "aes256":
                headers = _encryption(None, None)
        self._s3.put_object(Bucket=output.bucket, Key=key, Body=b"", **headers)


def _encryption(kms_key_id: str | None, context: dict[str, str] | None) -> dict[str, str]:
    """PutObject's encryption parameters; how they name the key is an open point (`transcribe_key`)."""
    if not kms_key_id:
        return {"ServerSideEncryption": "AES256"}
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_keys.sent(kms_key_id, played().transcribe_key)}
    if context:
        encryption["SSEKMSEncryptionContext"] = base64.b64encode(json.dumps(context).encode()).decode()
    return encryption
