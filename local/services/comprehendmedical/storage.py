"""The documents that a job reads and the files that it writes, always with the rights of the given role."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.aws import kms_keys
from local.aws.clients import client
from local.aws.credentials import AccessDenied, assume_service_role
from local.aws.open_points import played

SERVICE = "comprehendmedical.amazonaws.com"


class JobFailure(Exception):
    """A job becomes FAILED; the text is its Message."""


@dataclass(frozen=True)
class Document:
    """An object below the input prefix; `relative_key` is its key from the prefix on, `size` its bytes."""

    key: str
    relative_key: str
    size: int


class DocumentStore:
    """A job's access to S3. Every method raises JobFailure if the role lacks a right or an object is missing."""

    def __init__(self, request: Mapping[str, Any], job_arn: str) -> None:
        self._role_arn = request["DataAccessRoleArn"]
        self._input_bucket = request["InputDataConfig"]["S3Bucket"]
        self._prefix = request["InputDataConfig"].get("S3Key", "")
        self._output_bucket = request["OutputDataConfig"]["S3Bucket"]
        self._key: str | None = request.get("KMSKey")
        self._job_arn = job_arn
        try:
            credentials = assume_service_role(self._role_arn, service=SERVICE, source_arn=job_arn)
        except AccessDenied as error:
            raise JobFailure(str(error)) from error
        self._s3 = client("s3", os.environ["AWS_ENDPOINT_URL"], job_arn.split(":")[3], **credentials)

    @property
    def input_uri(self) -> str:
        """Where the documents are."""
        return f"s3://{self._input_bucket}/{self._prefix}"

    def documents(self) -> list[Document]:
        """Every object below the input prefix, except the folder markers that the S3 console makes."""
        with self._access("list", self.input_uri):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._input_bucket, Prefix=self._prefix)
            return [
                Document(item["Key"], self._relative(item["Key"]), item["Size"])
                for page in pages
                for item in page.get("Contents", [])
                if not item["Key"].endswith("/")
            ]

    def read(self, document: Document) -> bytes:
        """The content of a document."""
        with self._access("read", f"s3://{self._input_bucket}/{document.key}"):
            content: bytes = self._s3.get_object(Bucket=self._input_bucket, Key=document.key)["Body"].read()
        return content

    def write_json(self, key: str, content: Mapping[str, Any]) -> None:
        """Write `content` to `key` of the output bucket, under the job's KMS key if it has one."""
        body = json.dumps(content, ensure_ascii=False).encode()
        encryption = {}
        if self._key:
            self._check_key(self._key)
            sent = kms_keys.sent(self._key, played().comprehend_medical_key)
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": sent}
        with self._access("write", f"s3://{self._output_bucket}/{key}"):
            self._s3.put_object(Bucket=self._output_bucket, Key=key, Body=body, **encryption)

    def _check_key(self, key_id: str) -> None:
        # moto's S3 writes under any key; S3 refuses a key that doesn't exist, is in another Region, or is disabled.
        region, account = self._job_arn.split(":")[3:5]
        elsewhere = key_id.startswith("arn:") and key_id.split(":")[3:5] != [region, account]
        key = None if elsewhere else kms_keys.find(key_id, region, account)
        if key is None:
            code = "KMS.NotFoundException"
        elif key.key_state != "Enabled":
            code = "KMS.DisabledException" if key.key_state == "Disabled" else "KMS.KMSInvalidStateException"
        elif key.key_spec != "SYMMETRIC_DEFAULT":
            code = "KMS.InvalidKeyUsageException"
        else:
            return
        raise JobFailure(f"{self._role_arn} cannot write under KMSKey {key_id}: {code}")

    def _relative(self, key: str) -> str:
        # A prefix that ends within a name ("visits/2025-") leaves the whole name.
        folder = self._prefix if key.startswith(f"{self._prefix.rstrip('/')}/") else self._prefix.rpartition("/")[0]
        return key.removeprefix(folder).lstrip("/")

    @contextmanager
    def _access(self, verb: str, uri: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise JobFailure(f"{self._role_arn} cannot {verb} {uri}: {code}") from error
