"""Has all records read again into the indexes of cohorts.

Source: DynamoDB API reference, DeleteItem.
"""

from lambdas.shared.ledger_keys import INDEXES_KEY
from operations.deployed import Deployed


def forget_indexes(deployed: Deployed) -> None:
    """Delete the list of indexes; the next execution that selects seeds makes new ones from all records."""
    deployed.client("dynamodb").delete_item(TableName=deployed.ledger, Key={"pk": {"S": INDEXES_KEY}})
