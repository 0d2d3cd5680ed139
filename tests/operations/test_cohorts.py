from typing import Any

import boto3
from moto import mock_aws

from lambdas.shared.ledger_keys import INDEXES_KEY
from operations.cohorts import forget_indexes
from operations.deployed import Connection, Deployed
from tests.operations.buckets import BUCKETS
from tests.operations.test_ledger import create_table


def test_the_list_of_indexes_goes_and_every_other_item_stays() -> None:
    with mock_aws():
        table: Any = create_table("ledger", pk="HASH")
        for key in (INDEXES_KEY, "object#1"):
            table.put_item(Item={"pk": key})
        connection = Connection(boto3.Session(), None)
        deployed = Deployed(connection, "p", BUCKETS, "ledger", "members", "", {})
        for _ in range(2):
            forget_indexes(deployed)
            assert [item["pk"] for item in table.scan()["Items"]] == ["object#1"]
