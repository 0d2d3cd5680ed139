"""Records in the members table in which executions a patient's recordings are, so that forgetting finds them.

The item `patient#<digest of the user id>` / `<media id>#<execution>` names the recording's object and transcript too.
Without it, forgetting would have to read the plans of all executions. Nothing else reads these items; a search of
everything follows each removal and finds what no item names, such as executions from before there were items.
"""

from collections.abc import Iterable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta

from lambdas.planning.recordings import Recording
from lambdas.shared.ledger import Change, write
from lambdas.shared.ledger_keys import patient_key, patient_sort_key
from lambdas.shared.lifetime import expires_at

# The last file of a batch is written in a redrive at most 14 days after the end of an execution of 90 days.
_LONGEST_EXECUTION = timedelta(days=105)


def note_patients(pool: Executor, execution: str, recordings: Iterable[tuple[Recording, str]]) -> None:
    """Write the items of the recordings, each with the id of its transcript; a recording without a user id has none.

    Each is a write of its own: transactions would take twice the capacity, and all of it within a second.
    """
    expiry = expires_at(datetime.now(UTC) + _LONGEST_EXECUTION)
    changes = [
        Change(
            patient_key(recording.user_id),
            sort=patient_sort_key(recording.media_id, execution),
            put={
                "user_id": recording.user_id,
                "object_id": recording.object_id,
                "transcript_id": transcript_id,
                **({} if expiry is None else {"expires_at": expiry}),
            },
        )
        for recording, transcript_id in recordings
        if recording.user_id
    ]
    list(pool.map(write, changes))
