"""Benchmark 18: a drop and a backfill of a million recordings, through the whole definition, with all quotas.

python -m bench.simulation.million [RECORDINGS [EXECUTIONS_AT_A_TIME]]
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from bench.simulation.alternatives import DESIGNS, simulate
from bench.simulation.assumptions import TRANSCRIPTION_JOBS, describe
from bench.simulation.drop import Drop, Measures, measures, pipeline
from bench.table import Row, as_table
from infra.ingest import RETENTION

RECORDINGS = 1_000_000
# How many pipeline executions a backfill has at a time; the next begins when one has ended.
EXECUTIONS_AT_A_TIME = 20


def rows(count: int = RECORDINGS, at_a_time: int = EXECUTIONS_AT_A_TIME) -> Iterator[Row]:
    with ProcessPoolExecutor() as processes:
        drop = processes.submit(pipeline, count)
        backfill = processes.submit(pipeline, count, backfill=at_a_time)
        before = processes.submit(simulate, count, DESIGNS["without turns"])
        peer = before.result()
        yield from rows_of(f"{count:,} recordings dropped at once; peer: without turns", drop.result(), peer)
        yield from rows_of(
            f"backfill of {count:,} recordings, {at_a_time} executions at a time", backfill.result(), None
        )
    queued, kept = drop.result().queue_end / 86_400, RETENTION.to_days()
    what = f"{count:,} recordings dropped at once: longest wait in the queue / its retention of {kept:.0f} days"
    yield Row(
        "18",
        what,
        f"{queued / kept:.1%}",
        f"{peer.queue_end / 86_400 / kept:.1%}",
        "",
        "",
        "<= 50 %",
        queued <= kept / 2,
    )


def rows_of(what: str, drop: Drop, before: Drop | None) -> Iterator[Row]:
    ours, theirs = measures(drop), measures(before) if before else None
    yield Row(
        "18",
        f"{what}: failed recordings; executions timed out",
        f"{ours.failed:,}; {drop.timed_out_executions:,}",
        f"{theirs.failed:,}; {before.timed_out_executions:,}" if theirs and before else "",
        "",
        "0; 0",
        "0; 0",
        ours.failed == drop.timed_out_executions == 0,
    )
    yield _row(what, "start attempts per job", "attempts", ours, theirs, "1", 1.05)
    limit = f"makespan / (work / {TRANSCRIPTION_JOBS} jobs), of what did not fail"
    yield _row(what, limit, "makespan", ours, theirs, "1", 1.03)
    yield Row(
        "18",
        f"{what}: worst second of any quota ({ours.worst_quota})",
        f"{ours.worst:.0%}",
        f"{theirs.worst:.0%}" if theirs else "",
        f"{ours.worst / theirs.worst:.2f}" if theirs else "",
        "",
        "<= 50 %",
        ours.worst <= 0.5,
    )


def _row(what: str, measured: str, name: str, ours: Measures, theirs: Measures | None, limit: str, goal: float) -> Row:
    value, peer = getattr(ours, name), getattr(theirs, name) if theirs else None
    return Row(
        "18",
        f"{what}: {measured}",
        f"{value:.3f}",
        f"{peer:.3f}" if peer else "",
        f"{value / peer:.2f}" if peer else "",
        limit,
        f"<= {goal}",
        ours.failed == 0 and value <= goal,
    )


def main() -> None:
    print(describe())
    print(as_table(rows(*map(int, sys.argv[1:]))))


if __name__ == "__main__":
    main()
