from bench.search import folders, measure

RECORDINGS, BATCHES = 1_100, 2


def test_a_search_looks_at_everything_and_reads_what_may_name_several_people() -> None:
    found = measure(RECORDINGS, sampled=1)
    objects = folders(RECORDINGS)
    stored = sum(folder.objects * folder.versions for folder in objects)
    items = RECORDINGS * 4
    assert found.versions == stored + items
    logs = next(folder.objects for folder in objects if folder.bucket == "access-logs")
    # Of each batch its 26 files and the list of its job's documents, of each seed the lines; then the search's own
    # files: the request, for each range the request, the ranges, and the part that isn't there yet.
    assert found.requests["get"] == 26 * BATCHES + BATCHES + BATCHES + 1 + 3 * found.ranges
    assert found.requests["log"] == logs
    assert found.requests["put"] == 1 + found.ranges
    assert stored / 1_000 < found.requests["list"] < stored / 1_000 + 2 * found.ranges
    assert found.search.in_parallel == 28 * BATCHES + logs
    assert 0 < found.usd < 1
