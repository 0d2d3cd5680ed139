import math

import numpy as np
import pytest

from local.engines import lookalike
from samples.make_interactions import HYPERTENSION_GROUP, HYPERTENSION_PATIENTS, Interactions, make_interactions


@pytest.fixture(scope="module")
def interactions() -> Interactions:
    return make_interactions()


@pytest.fixture(scope="module")
def model(interactions: Interactions) -> lookalike.LookalikeModel:
    return lookalike.train((user, item) for user, item, _ in interactions.rows())


@pytest.fixture(scope="module")
def audience(model: lookalike.LookalikeModel) -> lookalike.Audience:
    return lookalike.generate(model, HYPERTENSION_PATIENTS)


def precision(
    interactions: Interactions, model: lookalike.LookalikeModel, audience: lookalike.Audience, size: int
) -> float:
    group = dict(zip(interactions.user_ids, interactions.groups.tolist(), strict=True))
    return float(sum(group[model.user_ids[row]] == HYPERTENSION_GROUP for row in audience.lookalikes[:size]) / size)


def test_a_users_row_has_length_one_and_rare_items_weigh_more() -> None:
    model = lookalike.train([("a", "common"), ("a", "rare"), ("b", "common"), ("c", "other")])
    rows = model.vectors.toarray()
    assert model.user_ids == ("a", "b", "c")
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    # log((1 + 3) / (1 + 2)) against log((1 + 3) / (1 + 1)), then scaled to length 1.
    common, rare = math.log(4 / 3), math.log(4 / 2)
    assert rows[0][:2] == pytest.approx(np.array([common, rare]) / math.hypot(common, rare))


def test_repeated_interactions_count_logarithmically() -> None:
    model = lookalike.train([("a", "x")] * 7 + [("a", "y"), ("b", "z")])
    row = model.vectors.toarray()[0]
    assert row[0] / row[1] == pytest.approx(math.log(8) / math.log(2))


def test_a_user_of_nothing_but_what_everyone_uses_scores_zero_on_their_own() -> None:
    model = lookalike.train([("a", "all"), ("b", "all"), ("b", "x"), ("c", "all"), ("c", "y")])
    assert model.vectors.toarray()[0].tolist() == [0, 0, 0]


def test_training_without_interactions_is_an_error() -> None:
    with pytest.raises(ValueError, match="no interactions"):
        lookalike.train([])


def test_the_audience_finds_the_group_that_the_seed_belongs_to(
    interactions: Interactions, model: lookalike.LookalikeModel, audience: lookalike.Audience
) -> None:
    share = float((interactions.groups == HYPERTENSION_GROUP).mean())
    assert share < 0.1
    assert precision(interactions, model, audience, 40) > 0.95
    assert precision(interactions, model, audience, 200) > 0.9


def test_the_audience_is_everyone_but_the_seed_in_descending_order(
    model: lookalike.LookalikeModel, audience: lookalike.Audience
) -> None:
    assert sorted([*audience.lookalikes, *audience.seed]) == list(range(len(model.user_ids)))
    assert [model.user_ids[row] for row in audience.seed] == sorted(HYPERTENSION_PATIENTS)
    assert (np.diff(audience.scores) <= 0).all()


def test_neither_the_order_of_interactions_nor_of_the_seed_changes_the_audience(
    interactions: Interactions, audience: lookalike.Audience
) -> None:
    pairs = [(user, item) for user, item, _ in interactions.rows()]
    again = lookalike.generate(lookalike.train(reversed(pairs)), reversed(HYPERTENSION_PATIENTS))
    assert again.lookalikes[:400].tolist() == audience.lookalikes[:400].tolist()


def test_seed_users_without_training_data_are_ignored(
    model: lookalike.LookalikeModel, audience: lookalike.Audience
) -> None:
    again = lookalike.generate(model, [*HYPERTENSION_PATIENTS, "p-999", "p-001"])
    assert again.seed.tolist() == audience.seed.tolist()
    assert again.lookalikes.tolist() == audience.lookalikes.tolist()


def test_a_seed_of_one_known_user_is_an_error(model: lookalike.LookalikeModel) -> None:
    with pytest.raises(ValueError, match="1 of the seed users"):
        lookalike.generate(model, ["p-001", "p-999"])


def test_left_out_scores_are_those_of_an_audience_made_without_the_user(
    model: lookalike.LookalikeModel, audience: lookalike.Audience
) -> None:
    for row, score in zip(audience.seed[:5], audience.left_out_scores, strict=False):
        others = [model.user_ids[other] for other in audience.seed if other != row]
        without = lookalike.generate(model, others)
        position = without.lookalikes.tolist().index(row)
        assert without.scores[position] == pytest.approx(score)


def test_relevance_is_cliffs_delta_of_audience_and_left_out_seed() -> None:
    audience = lookalike.Audience(
        lookalikes=np.array([3, 4, 5]),
        scores=np.array([0.9, 0.5, 0.1]),
        seed=np.array([0, 1]),
        left_out_scores=np.array([0.5, 0.3]),
    )
    # 0.9 is above both, 0.5 ties with one and is above one, 0.1 is below both.
    assert lookalike.relevance(audience, [1, 2, 3, 99]) == pytest.approx([1, 0.75, 1 / 6, 1 / 6])


def test_relevance_falls_with_size_and_is_zero_near_the_size_of_the_group(
    interactions: Interactions, audience: lookalike.Audience
) -> None:
    sizes = list(range(1, len(audience.lookalikes) + 1))
    scores = lookalike.relevance(audience, sizes)
    assert (np.diff(scores) <= 1e-12).all()
    assert -1 <= scores[-1] < 0 < scores[0] <= 1
    group = int((interactions.groups == HYPERTENSION_GROUP).sum())
    crossing = next(size for size, score in zip(sizes, scores, strict=True) if score < 0)
    assert group / 2 < crossing < group * 2


def test_relevance_without_anyone_to_compare_is_an_error() -> None:
    model = lookalike.train([("a", "x"), ("b", "y")])
    with pytest.raises(ValueError, match="there is no audience"):
        lookalike.relevance(lookalike.generate(model, ["a", "b"]), [1])


def test_recall_is_high_for_a_group_and_that_of_chance_for_a_random_seed(
    model: lookalike.LookalikeModel, audience: lookalike.Audience
) -> None:
    size = len(model.user_ids) // 5
    assert lookalike.recall(model, audience, size) > 0.8
    strangers = np.random.default_rng(1).choice(model.user_ids, 400, replace=False).tolist()
    assert lookalike.recall(model, lookalike.generate(model, strangers), size) == pytest.approx(0.2, abs=0.08)


def test_an_audience_of_everyone_recalls_the_whole_seed(
    model: lookalike.LookalikeModel, audience: lookalike.Audience
) -> None:
    assert lookalike.recall(model, audience, len(model.user_ids)) == 1
