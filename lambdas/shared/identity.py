"""Ids derived from content, so that repeated work has the same id."""

import hashlib
from collections.abc import Mapping
from typing import Any


def digest(*parts: str) -> str:
    """32 hexadecimal digits (SHA-256) that identify `parts`, including their order and their boundaries."""
    joined = "\n".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def media_id(bucket: str, key: str, head: Mapping[str, Any] | None) -> str:
    """The id of one version of an object. `head` is S3's answer to HeadObject, None if there is no object."""
    return digest(bucket, key, (head.get("VersionId") or head["ETag"]) if head else "")
