import time
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.shared.analysis_items import (
    Changed,
    CompactionAtWork,
    add_month,
    alone_with,
    is_done,
    list_again,
    only_month,
    read_changed,
    read_months,
)
from lambdas.shared.layout import FINDINGS, UTTERANCES, analysis_places, findings_key, utterances_key
from lambdas.shared.ledger import read_partition
from lambdas.shared.object_items import ObjectItem, plan, read_object, record, replace

pytestmark = pytest.mark.usefixtures("s3")


def commit(object_id: str = "a1") -> int:
    """The sequence of the object's item after a commit of records."""
    assert record(object_id, read_object(object_id), "t", "execution", None)
    return read_object(object_id).sequence


def test_a_commit_of_records_lists_the_object_with_the_sequence_of_its_item() -> None:
    assert read_changed("a", 10) == []
    first = commit()
    assert read_changed("a", 10) == [Changed("a1", first)]
    assert read_changed("b", 10) == []
    second = commit()
    assert read_changed("a", 10) == [Changed("a1", second)] and second > first


def test_a_commit_that_is_refused_lists_nothing() -> None:
    commit()
    is_done(*read_changed("a", 10))
    assert not record("a1", ObjectItem(), "t", "execution", None)
    assert read_changed("a", 10) == []


def test_a_plan_and_a_new_membership_list_nothing() -> None:
    assert plan("a1", ObjectItem(), "v1", "", consents=False)
    assert replace("a1", read_object("a1"), {}, None)
    assert read_changed("a", 10) == []


@pytest.mark.parametrize("days", ["", "120"])
def test_what_is_listed_expires_with_the_records(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("RESULTS_EXPIRE_AFTER_DAYS", days)
    commit()
    (item,) = read_partition("changed#a")
    expected = datetime.now(UTC).timestamp() + int(days or 0) * 86_400
    assert ("expires_at" in item) is bool(days)
    assert not days or abs(item["expires_at"] - expected) < 60


def test_an_object_that_is_listed_anew_stays_on_the_list() -> None:
    commit()
    seen = read_changed("a", 10)
    commit()
    is_done(*seen)
    assert [one.object_id for one in read_changed("a", 10)] == ["a1"]
    is_done(*read_changed("a", 10))
    assert read_changed("a", 10) == []
    is_done(*seen)  # a repetition of what was done


def test_a_rebuild_does_not_replace_what_a_commit_has_listed() -> None:
    sequence = commit()
    for object_id in ("a1", "a2"):
        list_again(object_id, None)
    assert read_changed("a", 10) == [Changed("a1", sequence), Changed("a2", 0)]
    assert read_changed("a", 1) == [Changed("a1", sequence)]


def test_the_months_of_an_object_grow_before_a_write_and_shrink_after_it() -> None:
    for month in ("2026-01", "2026-02"):
        add_month("a1", month)
    assert read_months(["a1", "a2"]) == {"a1": {"2026-01", "2026-02"}}
    only_month("a1", "2026-02")
    assert read_months(["a1"]) == {"a1": {"2026-02"}}
    only_month("a1", None)
    assert read_months(["a1"]) == {"a1": frozenset()}


def test_the_files_that_may_have_an_object_s_rows_are_those_of_its_months_and_its_digit() -> None:
    places = analysis_places("a1", {"2026-02", "2026-01"})

    def is_there(key: str) -> bool:
        return any(key.startswith(prefix) and key.endswith(end) for prefix, end in places)

    assert is_there(findings_key("2026-01", "ANATOMY", "a")) and is_there(utterances_key("2026-02", "a"))
    assert not is_there(findings_key("2026-01", "ANATOMY", "b")) and not is_there(utterances_key("2026-03", "a"))
    assert {prefix.partition("month=")[0] for prefix, _ in places} == {FINDINGS, UTTERANCES}


def test_a_digit_belongs_to_one_compaction_until_it_has_ended_even_by_an_error() -> None:
    with pytest.raises(ValueError, match="out of order"), alone_with("a"):
        with pytest.raises(CompactionAtWork), alone_with("a"):
            pass
        with alone_with("b"):
            raise ValueError("out of order")
    with alone_with("a"), alone_with("b"):
        pass


def test_a_compaction_that_lost_its_digit_does_not_give_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with alone_with("a"):
        monkeypatch.setattr("lambdas.shared.analysis_items.time.time", lambda: now + 3600)
        with alone_with("a"):
            pass
        other: Any = alone_with("a")
        other.__enter__()
    with pytest.raises(CompactionAtWork), alone_with("a"):
        pass
