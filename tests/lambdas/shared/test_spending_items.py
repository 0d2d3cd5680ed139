from typing import Any

import pytest

from lambdas.shared import ledger, spending_items
from lambdas.shared.claim_items import begin_planning, let_go, read_execution_item
from lambdas.shared.identity import digest
from lambdas.shared.ledger import Change, read_item, write
from lambdas.shared.ledger_keys import execution_key
from lambdas.shared.spending_items import left_cents, reserve, settle, spending_key

DAY, CEILING = "2026-11-27", 1_000


@pytest.fixture(autouse=True)
def planned(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending_items, "pause", lambda attempt: None)
    for execution in ("e-1", "e-2"):
        begin_planning(execution, 0)


def before_the_write(monkeypatch: pytest.MonkeyPatch, *others: Any) -> None:
    """Others act between the read of the day and the write, one at each attempt."""
    acts = list(others)
    together = ledger.write_together

    def write_together(changes: Any) -> bool:
        if acts:
            acts.pop(0)()
        return together(changes)

    monkeypatch.setattr(spending_items, "write_together", write_together)


def test_executions_share_the_money_of_a_day() -> None:
    assert reserve("e-1", 0, DAY, 700, CEILING) is None
    assert reserve("e-2", 0, DAY, 301, CEILING) == 300
    assert left_cents(DAY, "e-2", CEILING) == 300
    assert reserve("e-2", 0, DAY, 300, CEILING) is None
    assert left_cents(DAY, "e-3", CEILING) == 0
    assert reserve("e-2", 0, "2026-11-28", 1_000, CEILING) is None


def test_an_execution_that_reserves_again_replaces_its_own_number() -> None:
    for cents in (900, 1_000, 400):
        assert reserve("e-1", 0, DAY, cents, CEILING) is None
    assert left_cents(DAY, "e-2", CEILING) == 600


def test_the_real_cost_replaces_the_reservation_however_often_it_is_put() -> None:
    reserve("e-1", 0, DAY, 700, CEILING)
    for _ in range(3):
        settle("e-1", DAY, 1_200)
    assert left_cents(DAY, "e-2", CEILING) == -200
    assert reserve("e-2", 0, DAY, 1, CEILING) == -200


def test_the_last_dollars_go_to_one_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    before_the_write(monkeypatch, lambda: reserve("e-2", 0, DAY, 600, CEILING))
    assert reserve("e-1", 0, DAY, 600, CEILING) == 400
    assert left_cents(DAY, "e-3", CEILING) == 400


def test_a_cost_that_is_settled_meanwhile_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    reserve("e-2", 0, DAY, 100, CEILING)
    before_the_write(monkeypatch, lambda: settle("e-2", DAY, 600))
    assert reserve("e-1", 0, DAY, 500, CEILING) == 400


def test_an_attempt_that_was_left_behind_does_not_replace_what_a_later_one_has_reserved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def later() -> None:
        begin_planning("e-1", 3)
        reserve("e-1", 3, DAY, 50, CEILING)

    before_the_write(monkeypatch, later)
    with pytest.raises(RuntimeError, match="later attempt of PlanBatch has begun for execution e-1"):
        reserve("e-1", 0, DAY, 700, CEILING)
    assert left_cents(DAY, "e-2", CEILING) == 950


def test_an_item_that_never_holds_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    before_the_write(monkeypatch, *[lambda: settle("e-2", DAY, 1)] * 10)
    with pytest.raises(RuntimeError, match="spending#2026-11-27 changed 10 times while execution e-1 tried to reserve"):
        reserve("e-1", 0, DAY, 700, CEILING)
    assert digest("e-1") not in read_item(spending_key(DAY))


def test_a_reservation_ends_the_waiting() -> None:
    let_go("e-1", 0, 700)
    assert read_execution_item("e-1").waits_for_cents == 700
    begin_planning("e-1", 3)
    assert reserve("e-1", 3, DAY, 700, CEILING) is None
    assert read_execution_item("e-1").waits_for_cents == 0
    assert "waits_for_cents" not in read_item(execution_key("e-1"))


def test_an_attempt_that_was_left_behind_lets_go_of_nothing() -> None:
    begin_planning("e-1", 3)
    let_go("e-1", 0, 700)
    item = read_execution_item("e-1")
    assert (item.planning, item.waits_for_cents) == (3, 0)


def test_a_day_has_room_for_so_many_executions_and_the_next_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending_items, "MOST_EXECUTIONS", 1)
    assert reserve("e-1", 0, DAY, 1, CEILING) is None
    assert reserve("e-2", 0, DAY, 1, CEILING) == 0
    assert reserve("e-1", 0, DAY, 2, CEILING) is None


def test_a_full_item_is_within_dynamodbs_limit() -> None:
    """400 KB; a number takes a byte for two digits and one more (Developer Guide, "Item sizes and formats")."""
    attribute = len(digest("e-1")) + 1 + len("99999999") // 2
    assert spending_items.MOST_EXECUTIONS * attribute < 400 * 1024 * 0.8


def test_names_of_executions_do_not_reach_the_item() -> None:
    write(Change(execution_key("again-p-1"), put={"planning": 0}))
    reserve("again-p-1", 0, DAY, 1, CEILING)
    assert "p-1" not in str(read_item(spending_key(DAY)))
