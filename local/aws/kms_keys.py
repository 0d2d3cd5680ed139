"""Finds KMS keys by id, alias or ARN."""

from typing import Literal

from moto.kms.exceptions import NotFoundException
from moto.kms.models import Key, KmsBackend, kms_backends

from local.aws.credentials import ACCOUNT_ID

_moto_init = KmsBackend.__init__


def find(name: str, region: str = "us-east-1", account: str = ACCOUNT_ID) -> Key | None:
    """The key that an id, an alias or the ARN of either names; None if it doesn't exist.

    An ARN names its own `region` and `account`.
    """
    if name.startswith("arn:"):
        region, account = name.split(":")[3:5]
    backend = kms_backends[account][region]
    alias = backend.get_alias_name(name)
    identifier = backend.get_key_id_from_alias(alias) if alias.startswith("alias/") else backend.get_key_id(name)
    found: Key | None = backend.keys.get(backend.get_key_id(identifier)) if identifier else None
    return found


def sent(name: str, way: Literal["as-given", "id"]) -> str:
    """The name of the key `name` that a service sends to S3: the same, or the id of an existing key."""
    found = find(name) if way == "id" else None
    return str(found.id) if found else name


class _Keys(dict[str, Key]):
    """A backend's keys by id; moto's operations also look up ARNs, and don't check whether the key exists."""

    def __init__(self, backend: KmsBackend) -> None:
        self._backend = backend

    def __missing__(self, name: str) -> Key:
        """Raise AWS's error, where DisableKey, EnableKey, ScheduleKeyDeletion and others would answer HTTP 500."""
        key_id = self._backend.get_key_id(name)
        if key_id == name or key_id not in self:
            raise NotFoundException(f"Key '{name}' does not exist")
        return self[key_id]


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    KmsBackend.__init__ = _init  # type: ignore[method-assign]


def _init(self: KmsBackend, region_name: str, account_id: str | None = None) -> None:
    _moto_init(self, region_name, account_id)
    self.keys = _Keys(self)
