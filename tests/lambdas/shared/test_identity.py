from lambdas.shared.identity import digest


def test_the_same_parts_have_the_same_id() -> None:
    assert digest("a", "b") == digest("a", "b")


def test_order_and_borders_of_the_parts_matter() -> None:
    ids = {digest("a", "b"), digest("b", "a"), digest("ab"), digest("a\n1:b"), digest("a", "b", "")}
    assert len(ids) == 5
