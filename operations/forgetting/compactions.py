"""Waits for compactions that may have read patients' records before they are removed, and would write their rows.

A compaction that begins later doesn't find the patients' objects on its list, because the ledger's items are removed
first. One that only copies the patients' rows with the rest of a file fails when that file is rewritten.

Source: DynamoDB API reference, BatchGetItem.
"""

import time
from collections.abc import Callable

from lambdas.shared.ledger_keys import DIGITS, compaction_key
from operations.deployed import Deployed

_PAUSE_SECONDS = 1.0


def wait_for_compactions(deployed: Deployed, report: Callable[[int], None]) -> None:
    """Wait until every compaction that is at work now has ended, at the latest when Lambda must have ended it.

    `report` is called with the number of those that have ended since.
    """
    at_work = _owners(deployed)
    while at_work:
        remaining = at_work & _owners(deployed)
        report(len(at_work) - len(remaining))
        at_work = remaining
        if at_work:
            time.sleep(_PAUSE_SECONDS)


def _owners(deployed: Deployed) -> set[str]:
    """The compactions that have a digit for themselves (lambdas/shared/analysis_items.py)."""
    keys = [{"pk": {"S": compaction_key(digit)}} for digit in DIGITS]
    asked = {deployed.ledger: {"Keys": keys, "ConsistentRead": True}}
    items, now = [], time.time()
    while asked:
        answer = deployed.client("dynamodb").batch_get_item(RequestItems=asked)
        items += answer["Responses"].get(deployed.ledger, [])
        asked = answer.get("UnprocessedKeys", {})
    return {item["owner"]["S"] for item in items if int(item["until"]["N"]) > now}
