"""How the account's Transcribe Medical jobs are shared out among the executions that transcribe at the same time.

The numbers were chosen by simulation (docs/performance.md, "What limits a drop").
"""

from collections.abc import Sequence

# Of an execution that has just begun, until the next sharing gives it more.
FIRST_SHARE = 2
# So many share equally, the longest running first; the ones behind them keep their first share. If all did, all would
# end together, and their entity detection jobs would queue.
SHARING_EXECUTIONS = 10
# A place that is given is a start; StartMedicalTranscriptionJob takes 25 a second.
PLACES_PER_SECOND = 4


def places(jobs: int) -> int:
    """How many recordings may be in work at once, so that about `jobs` transcription jobs are.

    A recording keeps its place until a poll has noticed the end of its job, which takes some 4 % of its time. Filling
    a part of that makes up for most of it, and the service still hardly ever refuses a start.
    """
    return jobs + jobs // 60


def shares(unfinished: Sequence[int], available: int) -> list[int]:
    """Of `available` places, how many each execution gets that has so many recordings `unfinished`; at least one.

    Who needs less than an equal part gets what it needs, and the others share the rest.
    """
    given = [0] * len(unfinished)
    for rank, number in enumerate(sorted(range(len(unfinished)), key=unfinished.__getitem__)):
        equal = available // (len(unfinished) - rank)
        given[number] = max(1, min(unfinished[number], equal))
        available -= given[number]
    return given
