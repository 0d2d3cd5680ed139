"""Faults are drawn from the seed and from what they strike, whatever else is drawn."""

import os
import subprocess
import sys

from tests.storms.faults import LAST_DOCUMENT, Faults, chance


def first_seed_with(what: str) -> int:
    return next(seed for seed in range(10_000) if Faults(seed).of_function(what))


def test_a_fault_is_the_same_whatever_was_drawn_before() -> None:
    seed = first_seed_with("E1 PlanBatch 1")
    busy = Faults(seed)
    for number in range(20):
        busy.of_function(f"E2 PlanBatch {number}")
        busy.befalls(LAST_DOCUMENT, f"cm{number}")
    assert busy.of_function("E1 PlanBatch 1") == Faults(seed).of_function("E1 PlanBatch 1")


def test_one_that_is_left_out_leaves_all_others_as_they_are() -> None:
    seed = first_seed_with("E1 PlanBatch 1")
    names = [f"E{number} PlanBatch 1" for number in range(1, 500)]
    whole = {name: Faults(seed).of_function(name) for name in names}
    without = Faults(seed, [str(whole[names[0]])])
    assert {name: without.of_function(name) for name in names} == whole | {names[0]: None}


def test_when_they_are_over_nothing_is_struck() -> None:
    faults = Faults(first_seed_with("E1 PlanBatch 1"))
    faults.are_over = True
    assert faults.of_function("E1 PlanBatch 1") is None


def test_a_job_s_fault_is_among_those_that_struck() -> None:
    seed = next(seed for seed in range(10_000) if Faults(seed).befalls(LAST_DOCUMENT, "cm1"))
    faults = Faults(seed)
    assert faults.befalls(LAST_DOCUMENT, "cm1")
    assert faults.struck == [f"cm1: {LAST_DOCUMENT}"]
    assert not Faults(seed, faults.struck).befalls(LAST_DOCUMENT, "cm1")


def test_what_is_drawn_for_two_things_differs() -> None:
    assert len({chance(1, name).random() for name in ("a", "b", "c")} | {chance(2, "a").random()}) == 4


def test_the_same_seed_gives_the_same_history_in_another_process() -> None:
    """Nothing depends on the order of a set, which PYTHONHASHSEED changes."""
    code = (
        "import tests.conftest\nfrom tests.storms.history import play\n"
        "for seed in range(6):\n    print(play(seed)._replace(log=''), play(seed).log, sep='\\n')"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert "SUCCEEDED" in printed[0]
