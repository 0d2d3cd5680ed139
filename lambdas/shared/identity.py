"""Ids that are derived from content, so that doing something twice is recognised as the same thing."""

import hashlib


def digest(*parts: str) -> str:
    """32 hexadecimal digits that stand for `parts`, their order and their borders."""
    joined = "\n".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:32]
