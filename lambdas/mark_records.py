"""MarkRecords: a child of the Map RebuildTables lists objects for the compaction, as if their records were new."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypedDict

from lambdas.shared.analysis_items import list_again
from lambdas.shared.layout import object_id_of
from lambdas.shared.lifetime import expires_at
from lambdas.shared.observability import logger
from lambdas.shared.parallel import PARALLEL_REQUESTS


class MarkRecordsEvent(TypedDict):
    """`keys` are those of records."""

    execution_name: str
    keys: list[str]


def handler(event: MarkRecordsEvent, context: object) -> dict[str, Any]:
    """List the objects of these records, unless they are listed."""
    logger.set_correlation_id(event["execution_name"])
    expiry = expires_at(datetime.now(UTC))
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        list(pool.map(lambda key: list_again(object_id_of(key), expiry), event["keys"]))
    return {}
