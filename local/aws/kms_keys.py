"""KMS keys by any of the names that AWS takes for them."""

from typing import Literal

from moto.kms.models import Key, kms_backends

from local.aws.credentials import ACCOUNT_ID


def find(name: str, region: str = "us-east-1", account: str = ACCOUNT_ID) -> Key | None:
    """The key that an id, an alias or the ARN of either names, None if there is none.

    An ARN says itself in which `region` and `account` its key is.
    """
    if name.startswith("arn:"):
        region, account = name.split(":")[3:5]
    backend = kms_backends[account][region]
    alias = backend.get_alias_name(name)
    identifier = backend.get_key_id_from_alias(alias) if alias.startswith("alias/") else backend.get_key_id(name)
    found: Key | None = backend.keys.get(backend.get_key_id(identifier)) if identifier else None
    return found


def sent(name: str, way: Literal["as-given", "id"]) -> str:
    """What a service sends to S3 that was given the key `name`: the same, or the bare id of a key that there is."""
    found = find(name) if way == "id" else None
    return str(found.id) if found else name
