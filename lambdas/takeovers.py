"""Whether another execution has gone on with recordings of one that lay failed."""

from uuid import uuid4

from lambdas.shared.storage import find_head, write_json


def tell_takeover(bucket: str, execution: str, by: str) -> None:
    """Note for `execution`, should it be redriven, that the execution `by` takes over what it left undone.

    Each note is another, also a second one by the same execution: its ETag follows its content.
    """
    write_json(bucket, _key(execution), {"taken_over_by": by, "note": str(uuid4())})


def takeover_of(bucket: str, execution: str) -> str:
    """Stands for the last time that another execution took recordings over from this one; empty for never."""
    head = find_head(bucket, _key(execution))
    return head["ETag"] if head else ""


def _key(execution: str) -> str:
    return f"batches/{execution}/taken-over.json"
