"""How the content of an object of a kind may name patients."""

import json

from lambdas.searching.categories import Category
from lambdas.searching.traces import Traces
from lambdas.searching.versions import Content


def names_them(traces: Traces, category: Category, content: Content) -> bool:
    """Whether the content of an object names a patient.

    Raises:
        ValueError: the content isn't of the object's kind.
    """
    if category.content in ("document", "job"):
        return traces.in_json(json.loads(content.body))
    if category.content == "lines":
        return any(traces.in_line(json.loads(line)) for line in content.body.splitlines() if line.strip())
    if category.content == "table":
        # DuckDB takes long to import, and few functions have it.
        from lambdas.analysis import parquet

        return parquet.names(content.body, traces.in_row)
    if category.content == "page":
        return traces.in_page(content.body)
    if category.content == "access log":
        return traces.certain(content.body)
    return traces.anywhere(content.body)
