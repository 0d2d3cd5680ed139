"""Which partitions of a table a query reads: those that the conditions on their columns alone allow.

Difference from Athena: only conditions that are joined by AND in the WHERE of a SELECT over the table itself count.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

import duckdb
from sqlglot import exp

from local.engines.athena_sql import parsed

Values = tuple[str, ...]


def wanted(statement: str, database: str, table: tuple[str, str], columns: Sequence[str]) -> Callable[[Values], bool]:
    """Whether the statement may need a row of the partition with these values of `columns`.

    `table` is its database and name; `database` is the default. Raises QueryFailed if the statement is no query.
    """
    selects = [
        [condition for condition in _conditions(select) if _is_about(condition, columns)]
        for select in parsed(statement).find_all(exp.Select)
        if table in _tables(select, database)
    ]
    # A query that reads the table in any other way reads all of it.
    if not selects or not all(selects):
        return lambda _: True

    @cache
    def is_wanted(values: Values) -> bool:
        given = dict(zip(columns, values, strict=True))
        return any(all(_holds(condition, given) for condition in conditions) for conditions in selects)

    return is_wanted


def _tables(select: exp.Select, database: str) -> set[tuple[str, str]]:
    """The tables from which the SELECT takes rows itself, not in a subquery."""
    found = [source.this for source in (select.args.get("from_"), *select.args.get("joins", ())) if source]
    return {((one.db or database).lower(), one.name.lower()) for one in found if isinstance(one, exp.Table)}


def _conditions(select: exp.Select) -> Iterator[exp.Expr]:
    where = select.args.get("where")
    if where:
        yield from where.this.flatten() if isinstance(where.this, exp.And) else [where.this]


def _is_about(condition: exp.Expr, columns: Sequence[str]) -> bool:
    named = [column.name.lower() for column in condition.find_all(exp.Column)]
    return bool(named) and set(named) <= set(columns) and condition.find(exp.Query) is None


def _holds(condition: exp.Expr, values: Mapping[str, str]) -> bool:
    def in_place(node: exp.Expr) -> exp.Expr:
        return exp.Literal.string(values[node.name.lower()]) if isinstance(node, exp.Column) else node

    try:
        answer = duckdb.execute(f"SELECT {condition.transform(in_place).sql('duckdb')}").fetchone()
    except duckdb.Error:
        return True  # the query itself then says what is wrong with it
    return answer is not None and bool(answer[0])
