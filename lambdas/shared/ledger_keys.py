"""The keys of the ledger's items: `<kind>#<what it is about>`, and the sort keys in the members table.

Forgetting finds a patient's items by them. The modules that write the items describe them.
"""

from lambdas.shared.identity import digest
from lambdas.shared.user_ids import outline

# The list of the indexes of cohorts (lambdas/cohorts/indexes.py).
INDEXES_KEY = "indexes#current"


def about(key: str) -> str:
    """What an item of this key is about."""
    return key.partition("#")[2]


def object_key(object_id: str) -> str:
    return f"object#{object_id}"


def claim_key(transcript_id: str) -> str:
    return f"claim#{transcript_id}"


def execution_key(execution: str) -> str:
    return f"execution#{execution}"


def job_key(base: str) -> str:
    return f"job#{base}"


def analysed_key(object_id: str) -> str:
    """The months in whose files of the analysis tables an object's rows may be."""
    return f"analysed#{object_id}"


# An object's digit is the first one of its id, which is hexadecimal.
DIGITS = "0123456789abcdef"


def compaction_key(digit: str) -> str:
    """The compaction that has this digit for itself."""
    return f"compaction#{digit}"


# Partitions of the members table


def changed_key(object_id: str) -> str:
    """The objects with this one's digit whose records the compaction has to read; their sort keys are object ids."""
    return changed_partition(object_id[0])


def changed_partition(digit: str) -> str:
    return f"changed#{digit}"


def index_key(index: str) -> str:
    """The members of a cohort by one state of its rules; their sort keys are object ids."""
    return f"index#{index}"


def outline_key(user_id: str) -> str:
    """The people whose user ids are easily confused with this one; their sort keys are the user ids.

    A digest, because one person's outline may be another person's user id.
    """
    return f"outline#{digest(outline(user_id))}"


def patient_key(user_id: str) -> str:
    """The patient's recordings in executions."""
    return f"patient#{digest(user_id)}"


def patient_sort_key(media_id: str, execution: str) -> str:
    return f"{media_id}#{execution}"
