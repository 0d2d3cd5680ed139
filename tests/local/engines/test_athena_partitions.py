import pytest

from local.engines.athena_partitions import wanted

TABLE = ("db", "findings")


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("SELECT * FROM findings", {"2026-01 A", "2026-01 B", "2026-02 A", "2026-02 B"}),
        ("SELECT * FROM findings WHERE category = 'A'", {"2026-01 A", "2026-02 A"}),
        ("SELECT * FROM findings WHERE month >= '2026-02' AND category IN ('A', 'C') AND score < 1", {"2026-02 A"}),
        ("SELECT * FROM findings f WHERE f.month BETWEEN '2026-01' AND '2026-01'", {"2026-01 A", "2026-01 B"}),
        ("SELECT * FROM findings WHERE category = 'A' OR month = '2026-02'", {"2026-01 A", "2026-02 A", "2026-02 B"}),
        # A condition beside another column's isn't about partitions alone.
        (
            "SELECT * FROM findings WHERE category = 'A' OR score < 1",
            {"2026-01 A", "2026-01 B", "2026-02 A", "2026-02 B"},
        ),
        ("WITH a AS (SELECT * FROM findings WHERE category = 'A') SELECT * FROM a", {"2026-01 A", "2026-02 A"}),
        (
            "SELECT * FROM findings WHERE category = 'A' UNION ALL SELECT * FROM findings WHERE month = '2026-02'",
            {"2026-01 A", "2026-02 A", "2026-02 B"},
        ),
        (
            "SELECT * FROM findings WHERE category = 'A' UNION ALL SELECT * FROM findings",
            {"2026-01 A", "2026-01 B", "2026-02 A", "2026-02 B"},
        ),
        (
            "SELECT * FROM records WHERE category = 'A' AND id IN (SELECT id FROM db.findings WHERE month = '2026-01')",
            {"2026-01 A", "2026-01 B"},
        ),
        ("SELECT * FROM findings WHERE month = (SELECT max(month) FROM findings WHERE category = 'A')", None),
    ],
)
def test_a_query_reads_the_partitions_that_its_conditions_allow(statement: str, read: set[str] | None) -> None:
    needs = wanted(statement, "db", TABLE, ("month", "category"))
    there = [(month, category) for month in ("2026-01", "2026-02") for category in ("A", "B")]
    everything = {" ".join(values) for values in there}
    assert {" ".join(values) for values in there if needs(values)} == (everything if read is None else read)
