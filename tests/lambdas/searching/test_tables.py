from typing import Any

import pytest

from lambdas.searching.tables import search_segment
from lambdas.searching.traces import Traces
from lambdas.shared.ledger import dynamodb
from tests.lambdas.conftest import LEDGER, MEMBERS

ID, OTHER = "0123456789abcdef" * 2, "f" * 32
TRACES = Traces(["p-1", "kind"], [ID], others=["p-1-b"])


def search(table: str, is_short: Any = lambda: False, segments: int = 1) -> list[Any]:
    """The parts of all segments, step by step."""
    parts: list[Any] = []
    for number in range(segments):
        begin = None
        while True:
            segment: Any = {"table": table, "segment": number, "segments": segments}
            parts.append(search_segment(dynamodb, TRACES, segment, begin, is_short))
            begin = parts[-1]["next"]
            if begin is None:
                break
    return parts


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize(
    ("item", "named"),
    [
        ({"pk": {"S": f"object#{ID}"}}, True),
        ({"pk": {"S": f"object#{OTHER}"}}, False),
        ({"pk": {"S": "execution#p-1"}}, True),
        ({"pk": {"S": "execution#visit of p-1"}}, True),
        ({"pk": {"S": "execution#p-1-b"}}, False),
        ({"pk": {"S": "kind#x"}}, False),  # the kind of an item names nobody
        ({"pk": {"S": "job#x"}, "kind": {"S": "x"}}, False),  # nor does the name of an attribute
        ({"pk": {"S": "job#x"}, "used": {"SS": ["a", f"documents/{ID}"]}}, True),
        ({"pk": {"S": "job#x"}, "used": {"SS": ["a", OTHER]}}, False),
        ({"pk": {"S": "job#x"}, "deep": {"M": {"a": {"L": [{"N": "1"}, {"S": "media/p-1/a.wav"}]}}}}, True),
        ({"pk": {"S": "job#x"}, "number": {"N": "1"}, "yes": {"BOOL": True}, "none": {"NULL": True}}, False),
    ],
)
def test_an_item_is_found_by_any_text_in_it_except_kinds_and_names_of_attributes(
    item: dict[str, Any], named: bool
) -> None:
    dynamodb.put_item(TableName=LEDGER, Item=item)
    (part,) = search(LEDGER)
    assert part["looked_at"] == 1
    assert part["items"] == ([{"table": LEDGER, "key": {"pk": item["pk"]["S"]}}] if named else [])


@pytest.mark.usefixtures("s3")
def test_an_item_of_the_members_table_is_named_by_both_parts_of_its_key() -> None:
    for user, key in (("p-1", OTHER), ("p-2", ID), ("p-2", OTHER)):
        item = {"pk": {"S": f"index#{user}"}, "sk": {"S": key}, "user_id": {"S": user}}
        dynamodb.put_item(TableName=MEMBERS, Item=item)
    (part,) = search(MEMBERS)
    assert sorted((found["key"]["pk"], found["key"]["sk"]) for found in part["items"]) == [
        ("index#p-1", OTHER),
        ("index#p-2", ID),
    ]


@pytest.mark.usefixtures("s3")
def test_segments_and_steps_together_have_every_item_once() -> None:
    filler = "x" * 350_000
    for number in range(12):
        for table, sort in ((LEDGER, {}), (MEMBERS, {"sk": {"S": f"p-1 {number}"}})):
            item = {"pk": {"S": f"execution#p-1 {number}"}, **sort, "filler": {"S": filler}}
            dynamodb.put_item(TableName=table, Item=item)
    for table in (LEDGER, MEMBERS):
        for is_short, steps in ((lambda: True, 6), (lambda: False, 1)):
            parts = search(table, is_short)
            assert len(parts) == steps  # a page has 1 MiB
            found = [item["key"]["pk"] for part in parts for item in part["items"]]
            assert sorted(found) == sorted(f"execution#p-1 {number}" for number in range(12))
        parts = search(table, segments=3)
        assert sum(part["looked_at"] for part in parts) == 12
        assert len({item["key"]["pk"] for part in parts for item in part["items"]}) == 12
