"""What is removed from a document that names several people."""

from lambdas.searching.traces import Traces
from operations.forgetting.removal import without

ID = "0123456789abcdef" * 2
OTHER_ID = "f" * 32


def test_items_of_lists_go_and_nothing_else() -> None:
    document = {
        "recordings": [{"user_id": "p-1", "uri": "s3://b/media/p-1/a"}, {"user_id": "p-2"}],
        "files": {"Files": [{"Input": f"documents/x/{ID}-0000.txt"}, {"Input": f"documents/x/{OTHER_ID}-0000.txt"}]},
        "count": 2,
    }
    assert without(document, Traces(["p-1"], [ID])) == {
        "recordings": [{"user_id": "p-2"}],
        "files": {"Files": [{"Input": f"documents/x/{OTHER_ID}-0000.txt"}]},
        "count": 2,
    }
