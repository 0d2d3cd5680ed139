from lambdas.report.tables import number, table
from tests.lambdas.report.parsed import Parsed


def test_a_table_has_headers_for_columns_and_rows_and_a_class_for_numbers() -> None:
    html = table(("Name", "#Count"), [("a", "1"), ("b", "2,000")], "<tfoot></tfoot>")
    parsed = Parsed(html)
    assert [element.seen.strip() for element in parsed.with_tag("tr")] == ["NameCount", "a1", "b2,000"]
    assert [element.seen for element in parsed.with_tag("td") if element.attributes["class"] == "number"] == [
        "1",
        "2,000",
    ]
    assert html.count('scope="row"') == 2
    assert "<tfoot></tfoot>" in html


def test_an_unknown_number_is_empty() -> None:
    assert [number(None), number(0), number(1234)] == ["", "0", "1,234"]
