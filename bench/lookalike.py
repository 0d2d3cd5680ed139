"""Quality and speed of lookalike audiences, on the sample interactions and at the service's minimum data size.

Precision is the share of the audience that belongs to the seed's interest group; a random audience would have the
group's share of all users. The data is synthetic with planted groups, which favours any model: the numbers compare
versions of this engine, not this engine with AWS.

    python -m bench.lookalike
"""

import time
from collections.abc import Sequence

from local.engines import lookalike
from samples.make_interactions import HYPERTENSION_GROUP, HYPERTENSION_PATIENTS, make_interactions

PERCENTAGES = (1, 2, 5, 10, 20)


def measure(population: int, seed: Sequence[str]) -> None:
    """Print precision, relevance (-1..1), recall and the seconds taken for an audience made from `seed`."""
    interactions = make_interactions(population)
    pairs = [(user, item) for user, item, _ in interactions.rows()]
    start = time.perf_counter()
    model = lookalike.train(pairs)
    trained = time.perf_counter()
    audience = lookalike.generate(model, seed)
    sizes = [len(model.user_ids) * percentage // 100 for percentage in PERCENTAGES]
    relevance = lookalike.relevance(audience, sizes)
    recall = lookalike.recall(model, audience, sizes[-1])
    judged = time.perf_counter()

    group = dict(zip(interactions.user_ids, interactions.groups.tolist(), strict=True))
    hits = [group[model.user_ids[row]] == HYPERTENSION_GROUP for row in audience.lookalikes]
    share = sum(number == HYPERTENSION_GROUP for number in group.values()) / len(group)
    print(
        f"{len(group)} users, {len(pairs)} interactions, seed of {len(audience.seed)}, group share {share:.3f}: "
        f"train {trained - start:.2f} s, generate and judge {judged - trained:.2f} s, recall {recall:.3f}"
    )
    for percentage, size, score in zip(PERCENTAGES, sizes, relevance, strict=True):
        print(f"  {percentage:2d} %  precision {sum(hits[:size]) / size:.3f}  relevance {score:+.3f}")


if __name__ == "__main__":
    measure(4_000, HYPERTENSION_PATIENTS)
    measure(100_000, HYPERTENSION_PATIENTS)
    members = make_interactions(100_000)
    in_group = [
        user_id
        for user_id, number in zip(members.user_ids, members.groups.tolist(), strict=True)
        if number == HYPERTENSION_GROUP
    ]
    measure(100_000, in_group[:500])
