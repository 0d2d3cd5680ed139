"""Evaluates the policy of a KMS key for an AWS service.

Key policies are not evaluated for roles and users here (`local.aws.iam`). A service that uses a key itself, as
EventBridge, CloudWatch and log delivery do, has no other permission.
"""

from collections.abc import Mapping, Sequence

from local.aws import kms_keys
from local.aws.policies import Decision, Request, evaluate


def lets_service_use_key(key: str, service: str, actions: Sequence[str], context: Mapping[str, str]) -> bool:
    """Whether `service` may do all `actions` with the key that an id, an alias or the ARN of either names.

    `context` holds the condition keys that the service sends, `kms:EncryptionContext:...` among them. False for a key
    that is not there, or not enabled.
    """
    found = kms_keys.find(key)
    if found is None or found.key_state != "Enabled":
        return False
    return all(
        evaluate([found.policy], Request(action, found.arn, context, {"Service": (service,)})) is Decision.ALLOW
        for action in actions
    )
