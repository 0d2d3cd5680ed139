"""Refuses calls that need a KMS key that is disabled, will be deleted or doesn't exist, in the called service's words.

KMS: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ErrorCodeBilling.html
SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
CloudWatch Logs: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
Step Functions: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

Services hold data keys for some minutes, and then still work; here a key's state counts at once. AWS doesn't document
the answers of CloudWatch Logs and DynamoDB about stored data: here those calls succeed.
"""

import json
from typing import Any, NamedTuple

from moto.core.exceptions import AWSError, JsonRESTError, ServiceException
from moto.kms.models import KmsBackend
from moto.logs.models import LogGroup, LogsBackend
from moto.s3.exceptions import S3ClientError

from local.aws import kms_keys
from local.aws.calls import Permission


class Problem(NamedTuple):
    """Why a key can't be used: KMS's exception and message, and Step Functions' word for the state."""

    code: str
    message: str
    state: str


def problem(name: str, region: str = "us-east-1") -> Problem | None:
    """Why the key that an id, an alias or the ARN of either names can't be used; None if it can."""
    if "alias/aws/" in name:
        # AWS's own key of the service.
        return None
    key = kms_keys.find(name, region)
    if key is None:
        return Problem("NotFoundException", f"Key '{name}' does not exist", "UNAVAILABLE")
    match key.key_state:
        case "Enabled":
            return None
        case "PendingDeletion":
            return Problem("KMSInvalidStateException", f"{key.arn} is pending deletion.", "PENDING_DELETION")
        case _:
            return Problem("DisabledException", f"{key.arn} is disabled.", "DISABLED")


class S3KeyRefused(S3ClientError):
    """S3's answer to a read or write of an object whose key can't be used."""

    def __init__(self, found: Problem) -> None:
        self.code = f"KMS.{found.code}"
        super().__init__(found.message)


class QueueKeyRefused(ServiceException):
    """SQS's answer to a message that is sent to, or received from, a queue whose key can't be used."""

    def __init__(self, found: Problem) -> None:
        super().__init__(f"KMS.{found.code}", found.message)


class KmsInvalidStateException(AWSError):
    """Step Functions' answer to a call about data under a key that can't be used."""

    TYPE = "KmsInvalidStateException"

    def __init__(self, found: Problem) -> None:
        super().__init__(found.message)
        members = {"__type": self.TYPE, "message": found.message, "kmsKeyState": found.state}
        self.description = json.dumps(members)


def check_s3(permission: Permission) -> None:
    """Raise S3KeyRefused if the permission is S3's, on a key that can't be used."""
    if str(permission.context.get("kms:ViaService", "")).startswith("s3.") and (found := problem(permission.resource)):
        raise S3KeyRefused(found)


def check_queue(queue: Any) -> None:
    """Raise QueueKeyRefused if the queue has a key that can't be used."""
    if (name := queue.kms_master_key_id) and (found := problem(name, queue.region)):
        raise QueueKeyRefused(found)


def check_state_machine(machine: Any) -> None:
    """Raise KmsInvalidStateException if the state machine has a key that can't be used."""
    name = machine.encryptionConfiguration.get("kmsKeyId")
    if name and (found := problem(name)):
        raise KmsInvalidStateException(found)


_moto_create_log_group = LogsBackend.create_log_group
_moto_encrypt = KmsBackend.encrypt
_moto_decrypt = KmsBackend.decrypt


def create_log_group(self: LogsBackend, log_group_name: str, tags: dict[str, str], **details: Any) -> LogGroup:
    """LogsBackend.create_log_group, which doesn't look at the key."""
    name = details.get("kmsKeyId")
    if name and (found := problem(name, self.region_name)):
        raise JsonRESTError("InvalidParameterException", found.message)
    return _moto_create_log_group(self, log_group_name, tags, **details)


def encrypt(self: KmsBackend, *args: Any, **details: Any) -> tuple[bytes, str]:
    """KmsBackend.encrypt, also as GenerateDataKey and ReEncrypt call it. Raises DisabledException and the like."""
    ciphertext, key = _moto_encrypt(self, *args, **details)
    _check(key)
    return ciphertext, key


def decrypt(self: KmsBackend, *args: Any, **details: Any) -> tuple[bytes, str]:
    """KmsBackend.decrypt, also as ReEncrypt calls it. Raises DisabledException and the like."""
    plaintext, key = _moto_decrypt(self, *args, **details)
    _check(key)
    return plaintext, key


def _check(key: str) -> None:
    if found := problem(key):
        raise JsonRESTError(found.code, found.message)


def install() -> None:
    """Put this into moto's KMS and CloudWatch Logs; repeating it changes nothing."""
    KmsBackend.encrypt = encrypt  # type: ignore[method-assign]
    KmsBackend.decrypt = decrypt  # type: ignore[method-assign]
    LogsBackend.create_log_group = create_log_group  # type: ignore[method-assign]
