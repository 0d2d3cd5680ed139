from collections import Counter

from tests.storms.fidelity.differences import differences


def test_what_differs_is_named_by_its_place() -> None:
    here = {"jobs": [("a", "FAILED"), ("b", "COMPLETED")], "items": Counter("a"), "same": [1]}
    there = {"jobs": [("a", "FAILED"), ("b", "FAILED")], "items": Counter("b"), "same": [1]}
    assert list(differences(here, there)) == [
        "/items/a: 1 in the simulation, nothing on the local AWS",
        "/items/b: nothing in the simulation, 1 on the local AWS",
        "/jobs[1]: ('b', 'COMPLETED') in the simulation, ('b', 'FAILED') on the local AWS",
    ]


def test_lists_of_different_lengths_differ_as_a_whole() -> None:
    assert list(differences({"x": [1]}, {"x": []})) == ["/x: [1] in the simulation, [] on the local AWS"]


def test_alike_is_alike() -> None:
    assert list(differences({"x": [{"y": 1}]}, {"x": [{"y": 1}]})) == []
