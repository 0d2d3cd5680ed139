"""What the policy of a KMS key lets an AWS service do.

Calls of roles and users are not held against key policies here (`local.aws.iam`); a service that uses a key on its own
account, as EventBridge, CloudWatch and log delivery do, has no other permission than this one.
"""

from collections.abc import Mapping, Sequence

from moto.kms.models import Key, kms_backends

from local.aws.credentials import ACCOUNT_ID
from local.aws.policies import Decision, Request, evaluate


def lets_service_use_key(key: str, service: str, actions: Sequence[str], context: Mapping[str, str]) -> bool:
    """Whether `service` may do all `actions` with the key that an id, an alias or the ARN of either names.

    `context` holds the condition keys that the service sends, `kms:EncryptionContext:...` among them. False for a key
    that is not there, or not enabled.
    """
    found = _find(key)
    if found is None or found.key_state != "Enabled":
        return False
    return all(
        evaluate([found.policy], Request(action, found.arn, context, {"Service": (service,)})) is Decision.ALLOW
        for action in actions
    )


def key_arn(key: str) -> str | None:
    """The ARN of the key that an id, an alias or the ARN of either names; None if there is none."""
    found = _find(key)
    return found.arn if found else None


def _find(key: str) -> Key | None:
    region, account = key.split(":")[3:5] if key.startswith("arn:") else ("us-east-1", ACCOUNT_ID)
    backend = kms_backends[account][region]
    name = backend.get_alias_name(key)
    identifier = backend.get_key_id_from_alias(name) if name.startswith("alias/") else backend.get_key_id(key)
    found: Key | None = backend.keys.get(backend.get_key_id(identifier)) if identifier else None
    return found
