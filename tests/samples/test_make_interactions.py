import csv
import time
from collections import Counter
from pathlib import Path

from samples.make_interactions import (
    COLUMNS,
    HYPERTENSION_GROUP,
    HYPERTENSION_PATIENTS,
    OTHER_PATIENTS,
    make_interactions,
    write_interactions,
)


def test_the_file_has_the_columns_that_training_data_needs(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "interactions.csv"
    count = write_interactions(path, population=50)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    assert tuple(rows[0]) == COLUMNS == ("user_id", "item_id", "timestamp")
    # Unix seconds of this century, not milliseconds.
    assert all(1_500_000_000 < int(row["timestamp"]) < 2_000_000_000 for row in rows)


def test_the_same_seed_makes_the_same_file(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_interactions(tmp_path / name, population=50, seed=seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_every_sample_patient_and_everyone_else_has_at_least_two_interactions() -> None:
    interactions = make_interactions(population=300)
    per_user = Counter(user_id for user_id, _, _ in interactions.rows())
    assert set(per_user) == set(interactions.user_ids)
    assert (
        set(HYPERTENSION_PATIENTS + OTHER_PATIENTS) == {f"p-{number:03d}" for number in range(1, 50)} <= set(per_user)
    )
    assert min(per_user.values()) >= 2


def test_the_hypertension_patients_share_a_group_with_a_few_hundred_others_and_no_other_patient() -> None:
    interactions = make_interactions()
    group = dict(zip(interactions.user_ids, interactions.groups.tolist(), strict=True))
    members = {user_id for user_id, number in group.items() if number == HYPERTENSION_GROUP}
    assert set(HYPERTENSION_PATIENTS) <= members
    assert not members & set(OTHER_PATIENTS)
    assert 200 < len(members) - len(HYPERTENSION_PATIENTS) < 600


def test_the_file_is_written_within_two_seconds(tmp_path: Path) -> None:
    start = time.process_time()
    write_interactions(tmp_path / "interactions.csv")
    assert time.process_time() - start < 2
