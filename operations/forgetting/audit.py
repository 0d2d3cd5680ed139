"""Searches every byte that is stored for patients, and changes nothing."""

from collections.abc import Iterable

from operations.deployed import Deployed
from operations.forgetting.forget import checked
from operations.forgetting.found import Report
from operations.forgetting.known import read_known
from operations.forgetting.searching import Found, search


def audit(deployed: Deployed, user_ids: Iterable[str], report: Report) -> Found:
    """Where the patients are named, in the scope "every byte".

    Raises:
        OperationError: a user id is invalid, or the search failed.
        botocore.exceptions.ClientError: a permission is missing.
    """
    known = read_known(deployed, map(checked, user_ids), lambda number: report("Reading keys and plans", number))
    return search(deployed, known.traces, "every byte", lambda number: report("Searching every byte", number))
