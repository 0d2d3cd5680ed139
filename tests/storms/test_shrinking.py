"""A history that violates something becomes a short one that still does."""

import pytest

from tests.simulation.rest import Violation
from tests.storms import history as histories
from tests.storms import shrinking
from tests.storms.history import History, play
from tests.storms.shrinking import shrink
from tests.storms.story import START, UPLOAD, Deed, story

SEED = 2
WRONG = "wrong for the test"


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every history in which `b` is uploaded and an execution was started by hand violates something."""

    def wrong(world: object) -> list[Violation]:
        log = str(world)
        return [Violation(WRONG, "so")] if "upload b" in log and "start" in log and "-- E1 starts" in log else []

    monkeypatch.setattr(histories, "violations", wrong)


def five_deeds() -> History:
    deeds = [
        *(Deed(at, UPLOAD, who, "consenting") for at, who in ((0, "a"), (10, "b"), (20, "c"))),
        *(Deed(at, START, who) for at, who in ((600, "a"), (700, "c"))),
    ]
    return play(SEED, deeds)


@pytest.mark.usefixtures("planted")
def test_what_is_left_still_violates_and_nothing_more_can_go() -> None:
    long = five_deeds()
    assert [violation.kind for violation in long.violations] == [WRONG]
    shrunk = shrink(long)
    assert [violation.kind for violation in shrunk.history.violations] == [WRONG]
    assert sorted(deed.what for deed in shrunk.history.deeds) == sorted([UPLOAD, START])
    for deed in shrunk.history.deeds:
        fewer = [other for other in shrunk.history.deeds if other is not deed]
        assert not play(SEED, fewer).violations


@pytest.mark.usefixtures("planted")
def test_its_code_plays_it_again() -> None:
    shrunk = shrink(five_deeds())
    again = eval(shrunk.code, {"play": play, "Deed": Deed})
    assert again == shrunk.history


@pytest.mark.usefixtures("planted")
def test_faults_that_do_not_matter_are_left_out() -> None:
    seed, busy = next(
        (seed, found)
        for seed in range(200)
        if (found := play(seed, five_deeds().deeds)).faults and any(one.kind == WRONG for one in found.violations)
    )
    shrunk = shrink(busy)
    assert shrunk.history.seed == seed
    assert shrunk.history.faults == []


def test_it_gives_up_after_so_many_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    played = []

    def wrong(seed: int, deeds: list[Deed], without: object) -> History:
        played.append(deeds)
        return History(seed, deeds, [], 0, 0, [Violation(WRONG, "so")], "")

    monkeypatch.setattr(shrinking, "play", wrong)
    monkeypatch.setattr(shrinking, "MOST_PLAYS", 3)
    shrink(History(SEED, [Deed(at, UPLOAD, "a") for at in range(9)], [], 0, 0, [Violation(WRONG, "so")], ""))
    assert len(played) == 3


def test_a_story_is_that_of_its_seed() -> None:
    assert story(SEED) == story(SEED) == sorted(story(SEED))
    assert len({tuple(story(seed)) for seed in range(20)}) == 20
