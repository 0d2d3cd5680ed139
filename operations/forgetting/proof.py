"""The proof: everything that there is, searched for the patient.

That is every version of every object of every bucket, its key, metadata and content, and every item of the ledger.

Not read are the contents of other patients' recordings: nothing of ours writes there. Everything that can't be told to
name somebody else counts as left.
"""

import re
from collections.abc import Iterator
from typing import Any

from operations.deployed import Deployed
from operations.forgetting import layout, ledger
from operations.forgetting.survey import Known, Object, Tick, names_them
from operations.forgetting.versions import list_versions, metadata_of, pieces, read
from operations.parallel import mapped

_MEDIA_ID = re.compile(rb"[0-9a-f]{32}")


def leftovers(deployed: Deployed, known: Known, tick: Tick) -> tuple[list[str], int]:
    """What is left of the patient, as people find it, and how many versions and items were looked at.

    Raises:
        botocore.exceptions.ClientError: something can't be looked at; there is no proof then.
    """
    s3 = deployed.client("s3")
    left, looked_at = ledger.leftovers(deployed, known.traces)
    tick(looked_at)

    def everything() -> Iterator[Object]:
        ours = (deployed.media, deployed.clinical, deployed.audience)
        # Those of the access logs first: looking at the others may write more, which name nobody.
        for bucket in sorted(deployed.buckets, key=ours.__contains__):
            for version in list_versions(s3, bucket):
                yield Object(version, layout.place_of(deployed, bucket, version.key))

    for found, is_left in mapped(lambda item: (item, _is_left(s3, item, known)), everything()):
        looked_at += 1
        tick(1)
        if is_left:
            left.append(found.version.uri)
    return left, looked_at


def _is_left(s3: Any, found: Object, known: Known) -> bool:
    version, traces = found.version, known.traces
    if _in_key(found, known):
        return True
    if version.is_marker or found.place.content == "suppression":
        return False
    if found.place.content == "recording":
        return traces.in_json(dict(metadata_of(s3, version)))
    if found.place.content == "speech":
        return traces.anywhere_in(pieces(s3, version), words=not _is_of_another(version.key, known))
    if found.place.content in ("unknown", "query result"):
        return traces.anywhere_in(pieces(s3, version), words=True)
    content = read(s3, version)
    if content is None:
        return False
    if traces.in_json(dict(content.metadata)):
        return True
    try:
        return names_them(traces, found.place, content)
    except ValueError:
        return traces.anywhere(content.body)  # not what it should be


def _in_key(found: Object, known: Known) -> bool:
    traces, key = known.traces, found.version.key
    if traces.owns(key):
        return True
    if found.place.content == "recording":
        return False  # another's
    if found.place.content == "unknown":
        return traces.anywhere(key.encode())
    execution = layout.execution_of(key)
    return execution is not None and traces.anywhere(execution.encode())


def _is_of_another(key: str, known: Known) -> bool:
    """Whether the key names a recording of somebody else, who may have said the user id as a word."""
    return any(identifier in known.other_recordings for identifier in _MEDIA_ID.findall(key.encode()))
