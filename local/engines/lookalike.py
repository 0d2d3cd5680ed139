"""Lookalike audiences: ranks users by the similarity of their interactions to those of a seed of users.

A user is the row of the items they used, weighted by TF-IDF and scaled to length 1. A user's score is the projection of
that row onto the direction from the average user to the average seed user. On synthetic data with planted groups this
found the groups better than matrix factorisation or logistic regression did, takes a fraction of a second for 100,000
users and is deterministic. Clean Rooms ML's own method isn't published: the results can have the same meaning, but not
the same numbers.

The quality of an audience is judged with the scores that seed users get while they are *not* part of the seed, because
a user's own row pulls the seed's average towards it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

Indexes = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class LookalikeModel:
    """Users that can be compared.

    `user_ids` are ascending. Row i of `vectors` (users x items, sparse) belongs to `user_ids[i]` and has length
    1, or 0 for a user whose every item is used by everyone. `mean` is the average row.
    """

    user_ids: tuple[str, ...]
    vectors: Any
    mean: NDArray[np.float64]

    def indexes(self, user_ids: Iterable[str]) -> Indexes:
        """The rows of those of `user_ids` that the model knows, ascending, each once."""
        wanted = set(user_ids)
        return np.array([row for row, user_id in enumerate(self.user_ids) if user_id in wanted], dtype=np.int64)


@dataclass(frozen=True)
class Audience:
    """All users except the seed, most similar first, as rows of the model.

    `scores[i]` is the score of `lookalikes[i]`: descending, in -1..1. `seed` has the seed users that the model knows;
    `left_out_scores[i]` is the score of `seed[i]` against the rest of the seed.
    """

    lookalikes: Indexes
    scores: Scores
    seed: Indexes
    left_out_scores: Scores


def train(interactions: Iterable[tuple[str, str]]) -> LookalikeModel:
    """Learn from (user id, item id) pairs; a pair that occurs often counts more, logarithmically.

    Raises ValueError if there are no interactions.
    """
    user_numbers: dict[str, int] = {}
    item_numbers: dict[str, int] = {}
    users, items = [], []
    for user_id, item_id in interactions:
        users.append(user_numbers.setdefault(user_id, len(user_numbers)))
        items.append(item_numbers.setdefault(item_id, len(item_numbers)))
    if not users:
        raise ValueError("there are no interactions to learn from")
    user_ids = tuple(sorted(user_numbers))
    row_of = np.empty(len(user_ids), dtype=np.int64)
    row_of[[user_numbers[user_id] for user_id in user_ids]] = np.arange(len(user_ids))
    counts = sparse.csr_matrix(
        (np.ones(len(users)), (row_of[users], items)), shape=(len(user_numbers), len(item_numbers))
    )
    vectors = _tf_idf(counts)
    return LookalikeModel(user_ids, vectors, np.asarray(vectors.mean(axis=0)).ravel())


def generate(model: LookalikeModel, seed_ids: Iterable[str]) -> Audience:
    """Rank everyone by similarity to the seed. Seed ids that the model does not know are ignored.

    Users of equal score are ranked by user id. Raises ValueError if the model knows fewer than two of the seed.
    """
    seed = model.indexes(seed_ids)
    if len(seed) < 2:
        raise ValueError(f"{len(seed)} of the seed users are in the training data; at least 2 are needed")
    scores = _scores(model, seed)
    ranking = np.argsort(-scores, kind="stable")
    lookalikes = ranking[~np.isin(ranking, seed)]
    return Audience(lookalikes, scores[lookalikes], seed, _left_out_scores(model, seed))


def relevance(audience: Audience, sizes: Sequence[int]) -> list[float]:
    """How the audience's first `size` users compare with the seed, for each of `sizes` (at least 1): -1..1.

    Cliff's delta: the chance that an audience user scores higher than a left-out seed user, minus the chance that they
    score lower. 0 means that they are alike; it falls as the audience grows. Sizes beyond the audience count as all of
    it. Raises ValueError if there is no one but the seed.
    """
    if not len(audience.lookalikes):
        raise ValueError("every user in the training data is in the seed: there is no audience")
    seed_scores = np.sort(audience.left_out_scores)
    below = np.searchsorted(seed_scores, audience.scores, "left")
    not_above = np.searchsorted(seed_scores, audience.scores, "right")
    dominance = (below + not_above) / len(seed_scores) - 1
    running_mean = np.cumsum(dominance) / np.arange(1, len(dominance) + 1)
    return [float(running_mean[min(size, len(dominance)) - 1]) for size in sizes]


def recall(model: LookalikeModel, audience: Audience, size: int) -> float:
    """The share of seed users whom an audience of `size` users finds while they are hidden from the seed: 0..1.

    Each half of the seed is hidden in turn and looked for in the audience made from the other half. An audience drawn
    at random finds about `size` / number of users.
    """
    shuffled = np.random.default_rng(0).permutation(audience.seed)
    middle = len(shuffled) // 2
    found = 0
    for known, hidden in ((shuffled[:middle], shuffled[middle:]), (shuffled[middle:], shuffled[:middle])):
        ranking = np.argsort(-_scores(model, known), kind="stable")
        found += np.isin(ranking[~np.isin(ranking, known)][:size], hidden).sum()
    return float(found / len(shuffled))


def _tf_idf(counts: Any) -> Any:
    number_of_users = counts.shape[0]
    users_per_item = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log((1 + number_of_users) / (1 + users_per_item))
    weighted = counts.copy()
    weighted.data = np.log1p(weighted.data)
    weighted = sparse.csr_matrix(weighted @ sparse.diags(rarity))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    return sparse.csr_matrix(sparse.diags(1 / lengths) @ weighted)


def _scores(model: LookalikeModel, seed: Indexes) -> Scores:
    direction = np.asarray(model.vectors[seed].mean(axis=0)).ravel() - model.mean
    # If the seed is the whole population, the direction is zero.
    length = np.linalg.norm(direction) or 1.0
    return np.asarray(model.vectors @ (direction / length), dtype=np.float64)


def _left_out_scores(model: LookalikeModel, seed: Indexes) -> Scores:
    """`_scores(model, seed without s)[s]` for every s of the seed, without computing all of them."""
    rows = model.vectors[seed]
    total = np.asarray(rows.sum(axis=0)).ravel()
    others = len(seed) - 1
    with_total = np.asarray(rows @ total)
    with_mean = np.asarray(rows @ model.mean)
    with_itself = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
    # The direction for s is (total - s) / others - mean; these are its product with s and its squared length.
    projected = (with_total - with_itself) / others - with_mean
    squared = (
        (total @ total - 2 * with_total + with_itself) / others**2
        - 2 * (total @ model.mean - with_mean) / others
        + model.mean @ model.mean
    )
    lengths = np.sqrt(np.maximum(squared, 0))
    return np.asarray(np.divide(projected, lengths, out=np.zeros_like(projected), where=lengths > 0))
