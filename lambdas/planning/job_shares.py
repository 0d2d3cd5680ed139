"""The shares of the account's Transcribe Medical jobs among the executions that transcribe at the same time.

The numbers were chosen by simulation (docs/performance.md, "What limits a drop").
"""

from collections.abc import Sequence

# The initial MaxConcurrency of an execution, until ShareJobs raises it.
FIRST_SHARE = 2
# The oldest executions share equally; the others keep their first share. If all executions shared equally, all would
# end together, and their entity detection jobs would queue.
SHARING_EXECUTIONS = 10
# Each new place is a StartMedicalTranscriptionJob, of which the service takes 25 a second.
PLACES_PER_SECOND = 3


def places(jobs: int) -> int:
    """How many recordings may be in work at once so that about `jobs` transcription jobs run.

    A recording occupies its place until a poll notices the end of its job, about 4 % late. Allowing slightly more
    places than jobs compensates for half of that, and the service still refuses only one start in forty.
    """
    return jobs + jobs // 35


def shares(unfinished: Sequence[int], available: int) -> list[int]:
    """The share of `available` places for each execution, by its number of `unfinished` recordings; at least one.

    An execution that needs less than an equal part gets the places it needs; the others share the rest.
    """
    given = [0] * len(unfinished)
    for rank, number in enumerate(sorted(range(len(unfinished)), key=unfinished.__getitem__)):
        equal = available // (len(unfinished) - rank)
        given[number] = max(1, min(unfinished[number], equal))
        available -= given[number]
    return given
