"""Make the interactions that a lookalike model learns from: user, item and time.

A synthetic population of a few thousand users and the sample patients p-001..p-049. Every user belongs to one interest
group and follows it in most interactions; the others are with another group's items or with popular ones, so that no
single item reveals a group. The hypertension patients p-001..p-032 share group 0 with a few hundred of the population,
whom an audience of these patients should find. The other patients are spread over other groups.

The columns are those of Clean Rooms ML training data: USER_ID, ITEM_ID and TIMESTAMP (Unix time in seconds); see
https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-training-data-requirements.html. The service needs at least
100,000 users and a million records; this set is deliberately small.

    python samples/make_interactions.py out/interactions.csv
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("user_id", "item_id", "timestamp")
HYPERTENSION_PATIENTS = tuple(f"p-{number:03d}" for number in range(1, 33))
OTHER_PATIENTS = tuple(f"p-{number:03d}" for number in range(33, 50))
HYPERTENSION_GROUP = 0

_GROUPS = 12
_ITEMS = 1500
_FAVOURITES_PER_GROUP = 60
_OWN_GROUP_SHARE = 0.35
_OTHER_GROUP_SHARE = 0.25
_MEAN_INTERACTIONS = 18
_FIRST_TIMESTAMP = 1_735_689_600  # 2025-01-01T00:00:00Z
_SECONDS = 180 * 86400


@dataclass(frozen=True)
class Interactions:
    """Interaction i: user `user_ids[users[i]]` used item `items[i]` at `timestamps[i]` (Unix seconds).

    `groups[j]` is the interest group of user `user_ids[j]`, which a lookalike model should find.
    """

    user_ids: list[str]
    groups: NDArray[np.int64]
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    timestamps: NDArray[np.int64]

    def rows(self) -> Iterator[tuple[str, str, int]]:
        """Yield (user id, item id, Unix seconds), user by user."""
        item_ids = [f"item-{item:04d}" for item in range(int(self.items.max()) + 1)]
        for user, item, timestamp in zip(
            self.users.tolist(), self.items.tolist(), self.timestamps.tolist(), strict=True
        ):
            yield self.user_ids[user], item_ids[item], timestamp


def make_interactions(population: int = 4000, seed: int = 20250101) -> Interactions:
    """Make the interactions of the 49 patients and of `population` synthetic users; equal arguments, equal result."""
    random = np.random.default_rng(seed)
    patients = len(HYPERTENSION_PATIENTS) + len(OTHER_PATIENTS)
    user_ids = [*HYPERTENSION_PATIENTS, *OTHER_PATIENTS, *(f"u-{number:06d}" for number in range(1, population + 1))]
    groups = random.integers(0, _GROUPS, len(user_ids))
    groups[: len(HYPERTENSION_PATIENTS)] = HYPERTENSION_GROUP
    groups[len(HYPERTENSION_PATIENTS) : patients] = random.integers(1, _GROUPS, len(OTHER_PATIENTS))

    # At least two interactions a user, as the service's training data must have.
    users = np.repeat(np.arange(len(user_ids)), 2 + random.poisson(_MEAN_INTERACTIONS - 2, len(user_ids)))
    popularity = 1 / np.arange(1, _ITEMS + 1)
    items = random.choice(_ITEMS, users.size, p=popularity / popularity.sum())
    favourites = np.array([random.choice(_ITEMS, _FAVOURITES_PER_GROUP, replace=False) for _ in range(_GROUPS)])
    draw = random.random(users.size)
    followed = np.where(draw < _OWN_GROUP_SHARE, groups[users], random.integers(0, _GROUPS, users.size))
    favourite = favourites[followed, random.integers(0, _FAVOURITES_PER_GROUP, users.size)]
    items = np.where(draw < _OWN_GROUP_SHARE + _OTHER_GROUP_SHARE, favourite, items)
    timestamps = _FIRST_TIMESTAMP + random.integers(0, _SECONDS, users.size)
    return Interactions(user_ids, groups, users, items, timestamps)


def write_interactions(path: Path, population: int = 4000, seed: int = 20250101) -> int:
    """Write the interactions to `path` as CSV with a header row and return how many there are.

    The folder is created if it is missing; an existing file is replaced.
    """
    interactions = make_interactions(population, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(interactions.rows())
    return len(interactions.users)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write synthetic interactions for a lookalike model as CSV.")
    parser.add_argument("path", type=Path, help="the CSV file to write")
    parser.add_argument("--population", type=int, default=4000, help="synthetic users besides the 49 sample patients")
    arguments = parser.parse_args()
    print(f"{write_interactions(arguments.path, arguments.population)} interactions in {arguments.path}")
