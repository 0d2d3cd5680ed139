from itertools import combinations

from tests.storms.fidelity.differences import differences
from tests.storms.fidelity.scenarios import SCENARIOS
from tests.storms.fidelity.simulated import simulated


def test_the_outcomes_of_any_two_scenarios_differ_and_those_of_the_same_one_do_not() -> None:
    found = {}
    for name, play in SCENARIOS.items():
        outcomes = []
        for _ in range(2):
            with simulated() as steps:
                play(steps)
                outcomes.append(steps.outcome()._asdict())
        assert list(differences(outcomes[0], outcomes[1])) == []
        found[name] = outcomes[0]
    for one, other in combinations(found, 2):
        assert any(differences(found[one], found[other])), (one, other)
