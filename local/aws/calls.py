"""A call to an AWS service as IAM sees it, and the permissions it may need."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from moto.s3.models import FakeBucket

from local.aws import kms_keys


@dataclass(frozen=True)
class Call:
    """A signed request as moto received it; `resource` is the ARN moto knows it to be about, or "*"."""

    service: str
    operation: str
    resource: str
    region: str
    account: str
    method: str
    url: str
    headers: Mapping[str, str]
    form: Mapping[str, Any]
    body: bytes | str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of the call's own account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def key_arn(self, key: str) -> str:
        """The ARN of the KMS key that a key id, an alias or the ARN of either names.

        For a key that doesn't exist it is the name in the form of an ARN.
        """
        if found := kms_keys.find(key, self.region, self.account):
            return str(found.arn)
        return key if key.startswith("arn:") else self.arn("kms", key if key.startswith("alias/") else f"key/{key}")

    def query(self) -> dict[str, str]:
        """The parameters of the query string, each with its first value."""
        query = urlsplit(self.url).query
        return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}

    def parameters(self) -> dict[str, Any]:
        """The members of a JSON body, else of a form."""
        try:
            members = json.loads(self.body) if self.body else {}
        except ValueError:
            members = {}
        if isinstance(members, dict) and members:
            return members
        return {name: value[0] if isinstance(value, list) else value for name, value in self.form.items()}

    def path_label(self, after: str) -> str:
        """The decoded path segment that follows the segment `after`."""
        segments = urlsplit(self.url).path.split("/")
        return unquote(segments[segments.index(after) + 1]) if after in segments[:-1] else ""


@dataclass(frozen=True)
class Permission:
    """One action on one resource. `bucket` is set if a bucket's policy is evaluated too."""

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    bucket: FakeBucket | None = None
