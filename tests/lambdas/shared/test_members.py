import time
from typing import Any

import pytest

from lambdas.shared.ledger import write_together
from lambdas.shared.members import Membership, changes, read_alike, read_members

pytestmark = pytest.mark.usefixtures("s3")


def enter(object_id: str, before: set[str], user_id: str, *indexes: str, expires_at: int | None = None) -> None:
    assert write_together(changes(object_id, before, Membership(user_id, frozenset(indexes), expires_at)))


def test_a_person_is_a_member_while_any_of_their_objects_is() -> None:
    enter("a", set(), "p-1", "x")
    enter("b", set(), "p-1", "x", "y")
    enter("c", set(), "p-2", "y")
    assert (read_members("x"), read_members("y"), read_members("z")) == ({"p-1"}, {"p-1", "p-2"}, set())
    enter("a", {"x"}, "p-1")
    assert read_members("x") == {"p-1"}
    enter("b", {"x", "y"}, "p-1", "y")
    assert (read_members("x"), read_members("y")) == (set(), {"p-1", "p-2"})


def test_an_object_without_records_is_a_member_of_nothing() -> None:
    enter("a", set(), "p-1", "x", "y")
    assert write_together(changes("a", {"x", "y"}, None))
    assert read_members("x") == read_members("y") == set()


@pytest.mark.parametrize(("seconds", "members"), [(60, {"p-1"}), (-60, set())])
def test_an_expired_member_does_not_count_although_dynamodb_has_not_deleted_it(seconds: int, members: Any) -> None:
    enter("a", set(), "p-1", "x", expires_at=int(time.time()) + seconds)
    assert read_members("x") == members


def test_records_that_expire_no_more_are_entered_again_without_an_end() -> None:
    enter("a", set(), "p-1", "x", expires_at=1)
    enter("a", {"x"}, "p-1", "x")
    assert read_members("x") == {"p-1"}


def test_people_with_records_are_found_by_ids_that_are_easily_confused_with_theirs() -> None:
    enter("a", set(), "P-001")
    enter("b", set(), "p-0O1", "x")
    assert read_alike("p-001") == {"P-001", "p-0O1"}
    assert read_alike("p-002") == set()
