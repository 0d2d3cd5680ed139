from bench.table import Row, as_table, verdict


def row(number: str, *, met: bool) -> Row:
    return Row(number, "what", "1", "2", "0.50", "0", "<= 0.5", met)


def test_a_benchmark_of_several_rows_is_met_only_if_all_of_them_are() -> None:
    rows = [row("1", met=True), row("2", met=True), row("2", met=False), row("10", met=True)]
    assert verdict(rows) == "bench: 2 of 3 met"


def test_every_row_is_a_line_that_says_whether_it_is_met() -> None:
    head, first, second = as_table([row("1", met=True), row("2", met=False)]).splitlines()
    assert head.split() == ["#", "what", "ours", "peer", "ratio", "limit", "goal", "met"]
    assert first.split()[-1] == "yes"
    assert second.split()[-1] == "NO"


def test_columns_begin_at_the_same_place_in_every_line() -> None:
    long = row("12", met=True)._replace(what="something longer", ours="1,000 ms")
    lines = as_table([row("1", met=True), long]).splitlines()
    assert len({line.index(word) for line, word in zip(lines, ("goal", "<=", "<="), strict=True)}) == 1
