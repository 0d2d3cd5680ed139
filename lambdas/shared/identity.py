"""Ids that are derived from content, so that doing something twice is recognised as the same thing."""

import hashlib
from collections.abc import Mapping
from typing import Any


def digest(*parts: str) -> str:
    """32 hexadecimal digits that stand for `parts`, their order and their borders."""
    joined = "\n".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def media_id(bucket: str, key: str, head: Mapping[str, Any] | None) -> str:
    """Names one version of an object. `head` is S3's answer to HeadObject, None for an object that isn't there."""
    return digest(bucket, key, (head.get("VersionId") or head["ETag"]) if head else "")
