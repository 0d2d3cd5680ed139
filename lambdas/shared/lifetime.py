"""How long results are stored: `results_expire_after_days` of cdk.json."""

import os
from datetime import datetime

_SECONDS_PER_DAY = 24 * 60 * 60


def lifetime_days() -> int | None:
    """The days after which results expire, None for never."""
    days = os.environ["RESULTS_EXPIRE_AFTER_DAYS"]
    return int(days) if days else None


def expires_at(written: datetime) -> int | None:
    """When a result that was written at that time expires, in seconds since 1970; None for never."""
    days = lifetime_days()
    return None if days is None else int(written.timestamp()) + days * _SECONDS_PER_DAY
