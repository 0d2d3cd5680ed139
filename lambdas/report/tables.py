"""Tables and numbers on the page of a batch."""

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], foot: str = "") -> str:
    """A table. Cells are HTML; a column whose name begins with `#` has numbers; a row's first cell is its header."""
    numeric = [name.startswith("#") for name in columns]
    heads = "".join(
        f'<th scope="col"{classed(is_number)}>{name.removeprefix("#")}</th>'
        for name, is_number in zip(columns, numeric, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td{classed(is_number)}>{cell}</td>" for cell, is_number in zip(row[1:], numeric[1:], strict=True))
        + "</tr>\n"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody>{foot}</table></div>'


def classed(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
